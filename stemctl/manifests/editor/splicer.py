"""From edits to the spans of text that change."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from stemctl.manifests.editor import blocks, in_brackets
from stemctl.manifests.editor.edits import Changes
from stemctl.manifests.editor.new_text import after_key, in_line, item, member
from stemctl.manifests.editor.places import Part, Place, Places
from stemctl.manifests.editor.splices import CannotEdit, Lines
from stemctl.manifests.editor.styles import Styles
from stemctl.util.json_types import Value


class _New(NamedTuple):
    """A new part: the number of the one behind which it goes (None: before all), its rank among
    those that go there, its name if it is a member, its value, and comments to go above it.
    """

    before: int | None
    rank: int
    name: str
    value: Value
    remarks: tuple[str, ...] = ()


class Splicer:
    """Collects the splices of one text."""

    def __init__(self, text: str, found: Places) -> None:
        self.lines = Lines(text, found.comments)
        self.aliases = found.aliases
        self.styles = Styles(text, found.root)

    def change(
        self,
        place: Place,
        changes: Changes,
        around: Part | None = None,
        cousin: Place | None = None,
    ) -> None:
        """Add the splices for all changes at a value and inside it.

        `around` is the part whose value it is, and `cousin` a value like it in the same list, whose
        style it follows.

        Raises:
            CannotEdit: it is written in a way that is not edited.
        """
        self.refuse_odd(place)
        if not (place.is_mapping or place.is_list):
            raise CannotEdit("it is neither a list nor a mapping", place.start)
        new = self.inside(place, changes)
        for step, put in changes.puts.items():
            number = self.number(place, step)
            if number is None:
                new[str(step)] = (put.value, put.order)
            else:
                self.put(place, number, put.value)
        gone = {self.known(place, step) for step in changes.takes}
        for number in gone:
            self.refuse_used(place.parts[number].value)
        added = sorted(self.added(place, changes, gone, new), key=_position)
        if gone or added:
            self.parts(place, gone, added, around, cousin)

    def inside(self, place: Place, changes: Changes) -> dict[str, tuple[Value, tuple[str, ...]]]:
        """Make the changes inside of parts; what is not there yet is returned, as new members."""
        new: dict[str, tuple[Value, tuple[str, ...]]] = {}
        for step, inner in changes.inside.items():
            number = self.number(place, step)
            if number is None:
                new[str(step)] = (_made(inner), inner.order)
                continue
            part = place.parts[number]
            if self.is_null(part.value) or (part.value.flow and not part.value.parts):
                self.put(place, number, _made(inner))
            else:
                self.change(part.value, inner, part, self.styles.cousin(place, number))
        return new

    def added(
        self,
        place: Place,
        changes: Changes,
        gone: set[int],
        new: dict[str, tuple[Value, tuple[str, ...]]],
    ) -> Iterator[_New]:
        kept = [number for number in range(len(place.parts)) if number not in gone]
        for name, (value, order) in new.items():
            behind = blocks.in_order(place, gone, name, order)
            yield _New(behind, order.index(name) if name in order else len(order), name, value)
        for rank, add in enumerate(changes.adds):
            end = len(place.parts) if add.before is None else add.before
            position = bisect_left(kept, end)
            behind = kept[position - 1] if position else None
            yield _New(behind, len(changes.adds) * end + rank, "", add.value, add.remarks)

    def put(self, place: Place, number: int, value: Value) -> None:
        """Another value for a part that is there."""
        part = place.parts[number]
        self.refuse_odd(part.value)
        self.refuse_used(part.value)
        style = self.styles.of_part(place, number)
        if place.flow:
            in_brackets.replace(self.lines, place, part, in_line(value, style))
            return
        column = self.lines.column(part.head)
        if place.is_list:
            text = item(column, value, style=style)[1:]
        else:
            text = after_key(column, value, style, (part.after or part.head) - part.head)
        blocks.replace(self.lines, part, text)

    def parts(
        self,
        place: Place,
        gone: set[int],
        added: list[_New],
        around: Part | None,
        cousin: Place | None,
    ) -> None:
        """Take parts out of a list or mapping, and add others."""
        if place.flow:
            style = self.styles.of_new(place)
            texts = [in_line(new.value, style) for new in added]
            if place.is_mapping:
                texts = [in_line({new.name: new.value}, style)[1:-1] for new in added]
            pairs = [(new.before, text) for new, text in zip(added, texts, strict=True)]
            in_brackets.change(self.lines, place, gone, pairs)
            return
        column = self.lines.column(place.parts[0].head)
        texts = [self.text(place, new, column, cousin) for new in added]
        if len(gone) == len(place.parts):
            if added:
                blocks.replace_all(self.lines, place, texts)
            else:
                blocks.empty(self.lines, place, around)
            return
        for new, text in zip(added, texts, strict=True):
            blocks.add(self.lines, place, new.before, gone, text)
        blocks.take(self.lines, place, gone)

    def text(self, place: Place, new: _New, column: int, cousin: Place | None) -> str:
        if place.is_list:
            text = item(column, new.value, self.styles.of_items(place), self.styles.of_new(place))
            return f"\n{' ' * column}".join([*(f"# {one}" for one in new.remarks), text])
        return member(column, new.name, new.value, self.styles.of_new(place, cousin, new.name))

    # What is not edited

    def refuse_odd(self, place: Place) -> None:
        if place.odd:
            raise CannotEdit(place.odd, place.start)
        if place.anchor in self.aliases:
            raise CannotEdit(
                f"its value is used elsewhere in the file, as *{place.anchor}", place.start
            )

    def refuse_used(self, place: Place) -> None:
        """Refuse to lose an anchor that is used elsewhere."""
        if self.aliases:
            if place.anchor in self.aliases:
                raise CannotEdit(
                    f"its value is used elsewhere in the file, as *{place.anchor}", place.start
                )
            for part in place.parts:
                self.refuse_used(part.value)

    def number(self, place: Place, step: str | int) -> int | None:
        """The number of a part; None if it is a member that is not there."""
        if place.is_mapping:
            return place.numbers.get(str(step))
        return int(step)

    def known(self, place: Place, step: str | int) -> int:
        number = self.number(place, step)
        if number is None:
            raise CannotEdit(
                "it comes from `<<`, and is written elsewhere in the file", place.start
            )
        return number

    def is_null(self, place: Place) -> bool:
        is_scalar = not (place.is_list or place.is_mapping or place.odd)
        return is_scalar and self.lines.text[place.start : place.end] in ("", "null")


def _used(place: Place) -> CannotEdit:
    why = f"its value is used elsewhere in the file, as *{place.anchor}"
    return CannotEdit(why, place.start)


def _position(new: _New) -> tuple[int, int]:
    return -1 if new.before is None else new.before, new.rank


def _made(changes: Changes) -> Value:
    """The value of a key that is new, from what is to be inside it."""
    if changes.adds:
        return changes.added
    made: dict[str, Value] = {str(step): put.value for step, put in changes.puts.items()}
    made |= {str(step): _made(inner) for step, inner in changes.inside.items()}
    return made
