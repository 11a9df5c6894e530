"""Markdown that a comment or a summary has room for: sections of items, of which those that do not
fit are counted.

What comes out of files and servers stands in fenced code or in code spans here, where neither
Markdown nor HTML, no mention and no number of an issue is obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stemctl.util.safe_text import visible

_LONGEST = 100
"""Bytes of a name in a line that has to be there."""


@dataclass(frozen=True, slots=True)
class Item:
    """Lines that are shown together or not at all, and how many records they tell of."""

    text: str
    records: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """Items between what opens and what closes them."""

    opening: str
    items: Sequence[Item]
    closing: str


def section(title: str, items: Sequence[Item], opened: bool, language: str = "") -> Section:
    """A section that folds, with a fence that nothing in its items ends; `title` is written by us."""
    fence = "`" * (
        max([2, *(len(run) for item in items for run in re.findall("`+", item.text))]) + 1
    )
    head = (
        f"\n<details{' open' if opened else ''}><summary>{title}</summary>\n\n{fence}{language}\n"
    )
    return Section(head, items, f"{fence}\n\n</details>\n")


def code(text: str, longest: int = _LONGEST) -> str:
    """Code in a line, whatever the text holds, of no more bytes than that and its marks."""
    text = _clipped(visible(text), longest)
    longest_run = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * (longest_run + 1)
    return f"{ticks} {text} {ticks}" if longest_run else f"{ticks}{text}{ticks}"


def _clipped(text: str, longest: int) -> str:
    if len(text.encode()) <= longest:
        return text
    return text.encode()[: longest - 3].decode(errors="ignore") + "…"


def fitted(
    head: str, sections: Sequence[Section], most: int | None, left_out: Callable[[int], str]
) -> str:
    """The sections below the head, within `most` bytes; `left_out` says how many records are not shown.

    First come the frames of the sections, so that all of them are named, then what they hold, in
    their order. An item that does not fit is passed over, the smaller ones behind it are not. The
    head is never cut.
    """
    whole = head + "".join(_text(found, found.items) for found in sections)
    if most is None or _size(whole) <= most:
        return whole
    everything = sum(item.records for found in sections for item in found.items)
    room = most - _size(head) - _size(left_out(everything))
    framed = []
    for found in sections:
        cost = _size(found.opening) + _size(found.closing)
        if cost <= room:
            framed.append(found)
            room -= cost
    body, shown = [], 0
    for found in framed:
        kept = []
        for item in found.items:
            if _size(item.text) + 1 <= room:
                kept.append(item)
                room -= _size(item.text) + 1
        shown += sum(item.records for item in kept)
        body.append(_text(found, kept))
    missing = everything - shown
    return head + "".join(body) + (left_out(missing) if missing else "")


def _text(found: Section, items: Sequence[Item]) -> str:
    return found.opening + "".join(f"{item.text}\n" for item in items) + found.closing


def _size(text: str) -> int:
    return len(text.encode())
