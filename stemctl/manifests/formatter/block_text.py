"""Text of several lines, moved to another indentation without changing its value."""

from __future__ import annotations

import re
from typing import NamedTuple

from stemctl.util.late_pattern import late_pattern

STEP = 2
"""Spaces of one level."""

_HEADER = late_pattern(r"(?P<style>[|>])(?P<how>[-+0-9]*)[ \t]*(?P<comment>#.*)?")


def continued(text: str, indent: int) -> str:
    """A plain or quoted scalar with its further lines at `indent`.

    Spaces around a line break are not part of the value.
    """
    first, *others = text.split("\n")
    if not others:
        return text
    *between, last = (line.lstrip(" \t") for line in others)
    lines = [_trimmed(first), *map(_trimmed, between), last]
    margin = " " * indent
    indented = [f"{margin}{line}" if line else "" for line in lines[1:]]
    return "\n".join([lines[0], *indented])


def _trimmed(line: str) -> str:
    """A line without trailing spaces. One space is kept after a backslash that escapes it."""
    kept = line.rstrip(" \t")
    escaped = (len(kept) - len(kept.rstrip("\\"))) % 2 == 1
    return line[: len(kept) + 1] if escaped else kept


class BlockText(NamedTuple):
    """A block scalar as written, with the `indent` of its lines.

    `end` is the position of the line break after it.
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
    """The block scalar whose header begins at `start`.

    `parent` is the column of the collection around it, -1 for none. `text` ends with a line break.
    If the file does not (`is_ended` is false), the last line of the scalar has none either: it gets
    the indicator `-`.
    """
    header = _HEADER.match(text, start)
    assert header is not None
    style, how, comment = header["style"], header["how"], header["comment"] or ""
    digit = how.strip("+-")
    explicit = max(parent, 0) + int(digit) if digit else 0
    lines, indent, end = _lines(text, header.end(), explicit, least=max(parent + 1, 1))
    at_end = not is_ended and end == len(text) - 1
    while lines and len(lines[-1]) <= indent and ("+" not in how or at_end):
        end -= len(lines.pop()) + 1
        # With +, only the line without an end is dropped, and the empty lines before it are kept.
        at_end = at_end and "+" not in how
    if at_end and lines and end == len(text) - 1:
        how = digit + "-"
    return BlockText(style, how, comment.rstrip(), lines, indent, end)


def _lines(text: str, end: int, indent: int, least: int) -> tuple[list[str], int, int]:
    """The lines below a header that ends at `end`, their indentation, and their end.

    The indentation is that of the first line if `indent` is 0.
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
