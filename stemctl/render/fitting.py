"""Markdown within a limit of bytes: sections of items, of which those that do not fit are counted.

Text from files and servers is put into fenced code or code spans. Nothing in there is obeyed:
neither Markdown nor HTML, no mention, and no number of an issue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from stemctl.util.plural import inflected
from stemctl.util.safe_text import visible

_LONGEST = 100
"""Bytes of a name in a line that is never left out."""


class Item(Struct, frozen=True):
    """Lines that are shown together or not at all, and how many records they tell of.

    `short` is what is shown if there is no room for all of them.
    """

    text: str
    records: int = 1
    short: str = ""

    @property
    def shortest(self) -> str:
        """The fewest lines that say what it is."""
        return self.short or self.text


class Section(Struct, frozen=True):
    """Items between what opens and what closes them; `name` is what they are called where they are
    left out.
    """

    name: str
    opening: str
    items: Sequence[Item]
    closing: str


def section(
    name: str, items: Sequence[Item], opened: bool, language: str = "", title: str = ""
) -> Section:
    """A section that folds, with a fence that nothing in its items ends. `title` is HTML; without
    one, it is the name.
    """
    number = sum(item.records for item in items)
    longest = max((_longest_run(item.text) for item in items), default=0)
    fence = "`" * max(3, longest + 1)
    details = f"<details{' open' if opened else ''}><summary>{title or name}: {number:,}</summary>"
    return Section(
        name=name,
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
    head: str, sections: Sequence[Section], max_bytes: int | None, elsewhere: str = ""
) -> str:
    """The sections below the head, within `max_bytes`; a sentence says how many records are not
    shown, and that they are `elsewhere`.

    First come the shortest forms of all items, in order, so that as many as possible are named;
    then, in order, what else there is to say of them. The head is never cut, and no section is
    empty.
    """
    whole = head + "".join(_framed(one, [item.text for item in one.items]) for one in sections)
    if max_bytes is None or _size(whole) <= max_bytes:
        return whole
    everything = sum(item.records for one in sections for item in one.items)
    least = _left_out(everything, everything, elsewhere)
    chosen, room = _chosen(sections, max_bytes - _size(head) - _size(least))
    texts = list(_texts(sections, chosen))
    missing, cut = [], 0
    for one, forms in zip(sections, chosen, strict=True):
        pairs = list(zip(one.items, forms, strict=True))
        if number := sum(item.records for item, form in pairs if not form):
            missing.append((one.name, number))
        cut += sum(item.records for item, form in pairs if form and form != item.text)
    number = sum(number for _, number in missing)
    ending = _left_out(number, cut, elsewhere, missing)
    if _size(ending) > room + _size(least):
        ending = _left_out(number, cut, elsewhere)
    return head + "".join(texts) + ending


_Forms = list[str]
"""What is shown of each item of a section; empty where it is left out."""


def _chosen(sections: Sequence[Section], room: int) -> tuple[list[_Forms], int]:
    """What is shown of each section, and how many bytes are left."""
    chosen: list[_Forms] = []
    is_full = False  # from then on nothing less risky takes the place of what has no room
    for one in sections:
        frame, forms = _size(one.opening) + _size(one.closing), []
        for item in one.items:
            cost = frame + _size(item.shortest) + 1
            fits = cost <= room and not is_full
            forms.append(item.shortest if fits else "")
            if fits:
                room, frame = room - cost, 0
            elif item.short:
                is_full = True
        chosen.append(forms)
    for one, forms in zip(sections, chosen, strict=True):
        for number, item in enumerate(one.items):
            more = _size(item.text) - _size(item.shortest)
            if forms[number] and more <= room:
                forms[number] = item.text
                room -= more
    return chosen, room


def _texts(sections: Sequence[Section], chosen: Sequence[_Forms]) -> Iterator[str]:
    for one, forms in zip(sections, chosen, strict=True):
        if any(forms):
            yield _framed(one, forms)


def _left_out(
    number: int, cut: int, elsewhere: str, sections: Sequence[tuple[str, int]] = ()
) -> str:
    """The sentence about what is not shown: of how many records, and the details of how many."""
    names = ", ".join(f"{name}: {count:,}" for name, count in sections)
    if number:
        text = f"{number:,} more {inflected(number, 'does', 'do')} not fit here"
        text += f" ({names})" if names else ""
        text += f", nor do the details of {cut:,}" if cut else ""
    else:
        text = f"The details of {cut:,} do not fit here"
    return f"\n{text}{f'; {elsewhere}' if elsewhere else ''}.\n"


def _framed(frame: Section, texts: Sequence[str]) -> str:
    return frame.opening + "".join(f"{text}\n" for text in texts if text) + frame.closing


def _size(text: str) -> int:
    return len(text.encode())
