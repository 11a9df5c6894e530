"""Markdown within a limit of bytes: sections of items, of which those that do not fit are counted.

Text from files and servers is put into fenced code or code spans. Nothing in there is obeyed:
neither Markdown nor HTML, no mention, and no number of an issue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stemctl.util.safe_text import visible

_LONGEST = 100
"""Bytes of a name in a line that is never left out."""


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
    """A section that folds, with a fence that nothing in its items ends; `title` is HTML."""
    longest = max((_longest_run(item.text) for item in items), default=0)
    fence = "`" * max(3, longest + 1)
    details = f"<details{' open' if opened else ''}><summary>{title}</summary>"
    return Section(
        opening=f"\n{details}\n\n{fence}{language}\n",
        items=items,
        closing=f"{fence}\n\n</details>\n",
    )


def _longest_run(text: str) -> int:
    """The length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def code(text: str, max_bytes: int = _LONGEST) -> str:
    """Code in a line, whatever the text holds, of no more bytes than that and its marks."""
    text = _clipped(visible(text), max_bytes)
    longest_run = _longest_run(text)
    ticks = "`" * (longest_run + 1)
    return f"{ticks} {text} {ticks}" if longest_run else f"{ticks}{text}{ticks}"


def _clipped(text: str, max_bytes: int) -> str:
    if _size(text) <= max_bytes:
        return text
    return text.encode()[: max_bytes - 3].decode(errors="ignore") + "…"


def fitted(
    head: str, sections: Sequence[Section], max_bytes: int | None, left_out: Callable[[int], str]
) -> str:
    """The sections below the head, within `max_bytes`; `left_out` says how many records are not
    shown.

    First come the frames of the sections, so that all of them are named, then their items, in
    order. An item that does not fit is left out; smaller ones after it may still fit. The head is
    never cut.
    """
    whole = head + "".join(_text(one, one.items) for one in sections)
    if max_bytes is None or _size(whole) <= max_bytes:
        return whole
    everything = sum(item.records for one in sections for item in one.items)
    room = max_bytes - _size(head) - _size(left_out(everything))
    framed = []
    for one in sections:
        cost = _size(one.opening) + _size(one.closing)
        if cost <= room:
            framed.append(one)
            room -= cost
    body, shown = [], 0
    for one in framed:
        kept = []
        for item in one.items:
            cost = _size(item.text) + 1
            if cost <= room:
                kept.append(item)
                room -= cost
        shown += sum(item.records for item in kept)
        body.append(_text(one, kept))
    missing = everything - shown
    return head + "".join(body) + (left_out(missing) if missing else "")


def _text(frame: Section, items: Sequence[Item]) -> str:
    return frame.opening + "".join(f"{item.text}\n" for item in items) + frame.closing


def _size(text: str) -> int:
    return len(text.encode())
