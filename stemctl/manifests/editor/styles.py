"""How a file is written, from what is there: indentation, quotes, brackets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from msgspec.structs import replace

from stemctl.manifests import scalars
from stemctl.manifests.editor.new_text import STEP, Style
from stemctl.manifests.editor.places import Part, Place
from stemctl.manifests.written import flow_text, is_date

_ENOUGH = 8
"""So many values beside a new one tell how it is to be written."""

_MANY = 200
"""So many lists and mappings tell how those of a file are indented."""


class Styles:
    """The styles of one text."""

    def __init__(self, text: str, root: Place | None) -> None:
        self.text = text
        self.root = root

    @cached_property
    def usual(self) -> Style:
        """By how much most lists and mappings are indented below their key."""
        found: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
        waiting = [self.root] if self.root else []
        while waiting and sum(found[True].values()) < _MANY:
            place = waiting.pop()
            waiting += [part.value for part in place.parts]
            if not (place.is_mapping and not place.flow):
                continue
            for part in place.parts:
                value = part.value
                if value.is_block and value.parts and "\n" in self.text[part.head : value.start]:
                    found[value.is_list][self.column(value) - place.column] += 1
        items, mapping = (
            min(found[is_list].items(), key=lambda pair: (-pair[1], pair[0]), default=(STEP, 0))[0]
            for is_list in (True, False)
        )
        return Style(max(mapping, 1), max(items, 0))

    def column(self, place: Place) -> int:
        head = place.parts[0].head
        return head - self.text.rfind("\n", 0, head) - 1

    def of_part(self, place: Place, number: int) -> Style:
        """The style of another value for a part: quotes as now, else as beside it."""
        old = place.parts[number].value
        mark = self.quote(old)
        others = [part for part in self.near(place, number) if part.value is not old]
        quote = self.quotes(others) if mark is None else mark
        return replace(self.usual, quote=quote, flow=_brackets(old))

    def of_new(self, place: Place, cousin: Place | None = None, name: str = "") -> Style:
        """The style of a new part; a list that the `cousin` has, too, is written as it is there."""
        flow = None
        if cousin is not None and name in cousin.numbers:
            flow = _brackets(cousin.parts[cousin.numbers[name]].value)
        return replace(self.usual, quote=self.quotes(place.parts[-_ENOUGH:]), flow=flow)

    def of_items(self, place: Place) -> bool | None:
        """Whether the mappings of a list are written in brackets; None if it has none."""
        styles = [part.value.flow for part in place.parts[-_ENOUGH:] if part.value.is_mapping]
        return all(styles) if styles else None

    def near(self, place: Place, number: int) -> Sequence[Part]:
        """The parts around one."""
        return place.parts[max(0, number - _ENOUGH // 2) : number + _ENOUGH // 2 + 1]

    def cousin(self, place: Place, number: int) -> Place | None:
        """The item before a mapping in a list, or behind the first."""
        other = number - 1 if number else 1
        if not place.is_list or other >= len(place.parts):
            return None
        return place.parts[other].value

    def quotes(self, parts: Sequence[Part]) -> str:
        """The quotes that all texts have which need none; nothing if some are plain."""
        marks = {self.quote(part.value) for part in parts} - {None}
        return (marks.pop() or "") if len(marks) == 1 else ""

    def quote(self, place: Place) -> str | None:
        """The quotes of a text that needs none, nothing if it is plain; None if it says neither."""
        if place.is_list or place.is_mapping or place.block_text or place.odd:
            return None
        text = self.text[place.start : place.end]
        if "\n" in text or not text:
            return None
        mark, inner = text[0], text[1:-1]
        if mark in ("'", '"'):
            return mark if flow_text(inner) == inner and not is_date(inner) else None
        is_text = isinstance(scalars.resolve(text), str) and not is_date(text)
        return "" if is_text else None


def _brackets(place: Place) -> bool | None:
    """Whether a list is in brackets for a reason: not if it is in lines of its own."""
    return False if place.is_block and place.is_list else None
