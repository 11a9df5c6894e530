"""Text of several lines, moved to another indentation without changing what it says."""

from __future__ import annotations

import re
from typing import NamedTuple

STEP = 2
"""Spaces of one level."""

_HEADER = re.compile(r"(?P<style>[|>])(?P<how>[-+0-9]*)[ \t]*(?P<comment>#.*)?")


def continued(text: str, indent: int) -> str:
    """A plain or quoted scalar with its further lines at `indent`; what is around a line break is
    not part of it.
    """
    first, *others = text.split("\n")
    if not others:
        return text
    *between, last = (line.lstrip(" \t") for line in others)
    lines = [_trimmed(first), *map(_trimmed, between), last]
    return "\n".join(
        f"{'' if number == 0 or not line else ' ' * indent}{line}"
        for number, line in enumerate(lines)
    )


def _trimmed(line: str) -> str:
    """A line without the spaces at its end, but for one that a backslash makes part of the text."""
    kept = line.rstrip(" \t")
    escaped = (len(kept) - len(kept.rstrip("\\"))) % 2 == 1
    return line[: len(kept) + 1] if escaped else kept


class BlockText(NamedTuple):
    """A block scalar as written: `end` is where the line break after it stands, `indent` that of
    its lines.
    """

    style: str
    how: str
    comment: str
    lines: list[str]
    indent: int
    end: int

    def at(self, indent: int) -> tuple[str, str]:
        """The header and the lines, at another indentation."""
        header = self.style + re.sub("[0-9]", str(STEP), self.how)
        lines = (
            " " * indent + line[self.indent :] if len(line) > self.indent else ""
            for line in self.lines
        )
        return header, "".join(f"\n{line}" for line in lines)


def block_text(text: str, start: int, parent: int, is_ended: bool) -> BlockText:
    """The block scalar whose header begins at `start`, below a collection at column `parent` (-1
    for none).

    `text` ends with a line break. Where the file did not (`is_ended`), its last line has none, and
    `-` says so.
    """
    header = _HEADER.match(text, start)
    assert header is not None
    style, how, comment = header["style"], header["how"], header["comment"] or ""
    digit = how.strip("+-")
    lines, indent, end = _lines(
        text, header.end(), max(parent, 0) + int(digit) if digit else 0, max(parent + 1, 1)
    )
    at_end = not is_ended and end == len(text) - 1
    while lines and len(lines[-1]) <= indent and ("+" not in how or at_end):
        end -= len(lines.pop()) + 1
        at_end = (
            at_end and "+" not in how
        )  # an empty line that has no end is none; those before it are kept
    if at_end and lines and end == len(text) - 1:
        how = digit + "-"
    return BlockText(style, how, comment.rstrip(), lines, indent, end)


def _lines(text: str, end: int, indent: int, least: int) -> tuple[list[str], int, int]:
    """The lines below a header that ends at `end`, their indentation (that of the first, if it is
    0), and the end.
    """
    lines: list[str] = []
    widest = least
    while end < len(text) - 1:
        stop = text.index("\n", end + 1)
        line = text[end + 1 : stop]
        spaces = len(line) - len(line.lstrip(" "))
        is_blank = spaces == len(line)
        widest = max(widest, spaces)
        if not indent and not is_blank:
            indent = widest
        if not is_blank and spaces < indent:
            break
        lines.append(line)
        end = stop
    return lines, indent or widest, end
