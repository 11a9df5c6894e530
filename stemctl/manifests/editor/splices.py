"""From edits to the spans of text that change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stemctl.manifests.editor.edits import Add, Changes, Put
from stemctl.manifests.editor.new_text import after_key, item, member
from stemctl.manifests.editor.places import Place
from stemctl.manifests.written import flow_text
from stemctl.util.json_types import Value


class CannotEdit(Exception):
    """A way of writing that is not edited: why, and the position in the text."""

    def __init__(self, why: str, position: int) -> None:
        super().__init__(why)
        self.why = why
        self.position = position


class Splice(NamedTuple):
    """The characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Splicer:
    """Collects the splices of one text."""

    text: str
    splices: list[Splice] = field(default_factory=list)

    def change(self, place: Place, changes: Changes) -> None:
        """Add the splices for all changes at a value and inside it.

        Raises:
            CannotEdit: it is written in a way that is not edited.
        """
        if place.odd:
            raise CannotEdit("it has an anchor, an alias or a tag", place.start)
        if place.is_mapping:
            self.change_mapping(place, changes)
        elif place.is_list:
            self.change_list(place, changes)
        else:
            raise CannotEdit("it is no list or mapping", place.start)

    # Mappings

    def change_mapping(self, place: Place, changes: Changes) -> None:
        new: dict[str, tuple[Value, tuple[str, ...]]] = {}
        for step, inner in changes.inside.items():
            there = place.members.get(str(step))
            if there is None or (_is_blank(there) and inner.adds):
                value = _made(inner)
                if there is None:
                    new[str(step)] = (value, inner.order)
                else:
                    self.put_member(place, str(step), value)
            else:
                self.change_inside(place, step, there, inner)
        for step, put in changes.puts.items():
            if step in place.members:
                self.put_member(place, str(step), put.value)
            else:
                new[str(step)] = (put.value, put.order)
        if not (new or changes.takes):
            return
        kept = [name for name in place.members if name not in changes.takes]
        if not kept and not place.flow:
            raise CannotEdit("nothing of it would stay", place.start)
        self.take_members(place, changes, kept)
        for name, (value, order) in new.items():
            self.add_member(place, name, value, _before(kept, name, order))

    def change_inside(self, around: Place, step: str | int, there: Place, inner: Changes) -> None:
        """Change a value; a list in several lines that would lose all its items is written anew."""
        left = [n for n in range(len(there.items)) if n not in inner.takes]
        if there.is_list and not there.flow and not left:
            value: Value = inner.added
            if isinstance(step, str):
                self.put_member(around, step, value)
                return
            raise CannotEdit("nothing of it would stay", there.start)
        if there.is_list and there.flow and not left and inner.adds and isinstance(step, str):
            self.put_member(around, step, inner.added)
            return
        self.change(there, inner)

    def put_member(self, place: Place, name: str, value: Value) -> None:
        """Another value for a key that is there."""
        old = place.members[name]
        if old.odd:
            raise CannotEdit("it has an anchor, an alias or a tag", old.start)
        colon = self.colon(place, name)
        if place.flow:
            self.splice(self.value_start(old, colon), old.end, _flow_after(old, colon, value))
            return
        if self.has_comment(colon, old.start):
            raise CannotEdit("a comment stands before it", colon)
        column = self.column_of(place.keys[name])
        text = after_key(column, value, colon - place.keys[name])
        if "\n" not in text.split("|")[0] and not old.is_block:
            # In one line, or a literal text: what stands behind the old value stays behind it.
            if "\n" in text and self.has_comment(old.end, self.line_end(old.end)):
                raise CannotEdit("a comment stands behind it", old.end)
            self.splice(colon, max(old.end, colon), text)
            return
        self.replace_lines(old, colon, text)

    def replace_lines(self, old: Place, colon: int, text: str) -> None:
        """Replace a value that is, or becomes, several lines."""
        end = max(old.end, colon)
        if self.has_comment(colon, end) or (
            "\n" in text and self.has_comment(end, self.line_end(end))
        ):
            raise CannotEdit("a comment stands in it", colon)
        self.splice(colon, end, text)

    def add_member(self, place: Place, name: str, value: Value, before: str | None) -> None:
        """A further key, behind another one, or first."""
        if place.flow:
            text = f"{flow_text(name)}: {flow_text(value)}"
            if before is None:
                self.splice(place.start + 1, place.start + 1, text)
            else:
                self.add_in_brackets(place, place.members[before], text)
            return
        column = self.column_of(next(iter(place.keys.values())))
        text = member(column, name, value)
        if before is None:
            first = min(place.keys.values())
            self.splice(first, first, f"{text}\n{' ' * column}")
            return
        end = self.line_end(self.end_of(place, before))
        self.splice(end, end, f"\n{' ' * column}{text}")

    def take_members(self, place: Place, changes: Changes, kept: Sequence[str]) -> None:
        names = list(place.members)
        if place.flow:
            starts = [place.keys[name] for name in names]
            ends = [self.end_of(place, name) for name in names]
            gone = [name in changes.takes for name in names]
            self.take_in_brackets(place, starts, ends, gone)
            return
        for number, name in enumerate(names):
            if name not in changes.takes:
                continue
            start = place.keys[name]
            after = names[number + 1] if number + 1 < len(names) else None
            if self.begins_line(start):
                self.take_lines(start, self.end_of(place, name))
            elif after is None:
                raise CannotEdit("nothing of it would stay", start)
            else:
                self.take(start, place.keys[after])

    def end_of(self, place: Place, name: str) -> int:
        """Where a member ends; without a value, behind its colon."""
        return max(place.members[name].end, self.colon(place, name))

    def colon(self, place: Place, name: str) -> int:
        """The position behind the colon of a key."""
        start, value = place.keys[name], place.members[name]
        found = self.text.rfind(":", start, max(value.start, start + 1))
        if found < 0 or _is_blank(value):
            found = self.text.find(":", start + self.key_length(start))
        return found + 1

    def key_length(self, start: int) -> int:
        """How long a key is, with its quotes."""
        mark = self.text[start]
        if mark not in "'\"":
            return 0
        end = start + 1
        while self.text[end] != mark:
            end += 2 if mark == '"' and self.text[end] == "\\" else 1
        return end + 1 - start

    # Lists

    def change_list(self, place: Place, changes: Changes) -> None:
        for step, inner in changes.inside.items():
            assert isinstance(step, int)
            self.change(place.items[step], inner)
        for step, put in changes.puts.items():
            self.put_item(place, int(step), put)
        gone = [number in changes.takes for number in range(len(place.items))]
        if place.flow:
            starts, ends = [i.start for i in place.items], [i.end for i in place.items]
            self.take_in_brackets(place, starts, ends, gone)
        else:
            self.take_items(place, gone)
        self.add_items(
            place,
            sorted(changes.adds, key=lambda add: len(gone) if add.before is None else add.before),
            gone,
        )

    def put_item(self, place: Place, number: int, put: Put) -> None:
        old = place.items[number]
        if old.odd:
            raise CannotEdit("it has an anchor, an alias or a tag", old.start)
        if place.flow:
            self.splice(old.start, old.end, flow_text(put.value))
            return
        dash = place.dashes[number]
        if self.has_comment(dash, old.start) or (old.is_block and self.has_comment(dash, old.end)):
            raise CannotEdit("a comment stands in it", dash)
        self.splice(dash, max(old.end, dash + 1), item(self.column_of(dash), put.value))

    def take_items(self, place: Place, gone: Sequence[bool]) -> None:
        for number, dash in enumerate(place.dashes):
            if not gone[number]:
                continue
            end = max(place.items[number].end, dash + 1)
            if self.begins_line(dash):
                self.take_lines(dash, end)
            elif number + 1 < len(place.dashes):
                self.take(dash, place.dashes[number + 1])
            else:
                raise CannotEdit("nothing of it would stay", dash)

    def add_items(self, place: Place, adds: Sequence[Add], gone: Sequence[bool]) -> None:
        """Add each item behind the last one before it that stays."""
        kept = [number for number, is_gone in enumerate(gone) if not is_gone]
        for add in adds:
            end = len(gone) if add.before is None else add.before
            self.add_item(place, add.value, max((n for n in kept if n < end), default=None), kept)

    def add_item(self, place: Place, value: Value, before: int | None, kept: Sequence[int]) -> None:
        if place.flow:
            text = flow_text(value)
            if before is not None:
                self.add_in_brackets(place, place.items[before], text)
            else:
                start = place.items[kept[0]].start if kept else place.start + 1
                self.splice(start, start, f"{text}, " if kept else text)
            return
        column = self.column_of(place.dashes[0])
        text = item(column, value, _style_of(place.items))
        if before is None:
            start = place.dashes[kept[0]]
            self.splice(start, start, f"{text}\n{' ' * column}")
            return
        end = self.line_end(max(place.items[before].end, place.dashes[before] + 1))
        self.splice(end, end, f"\n{' ' * column}{text}")

    # Brackets

    def add_in_brackets(self, place: Place, last: Place, text: str) -> None:
        """Add text behind the last value that stays; on a line of its own if that one is."""
        self.splice(last.end, last.end, f", {text}")

    def take_in_brackets(
        self, place: Place, starts: Sequence[int], ends: Sequence[int], gone: Sequence[bool]
    ) -> None:
        """Take elements out of brackets, each with one comma."""
        if not any(gone):
            return
        if all(gone):
            self.take(starts[0], self.text.rindex("}" if place.is_mapping else "]", 0, place.end))
            return
        first = gone.index(False)
        for number, is_gone in enumerate(gone):
            if is_gone and number < first:
                self.take(starts[number], starts[number + 1])
            elif is_gone:
                self.take(ends[number - 1], ends[number])

    # Text

    def splice(self, start: int, end: int, text: str) -> None:
        self.splices.append(Splice(start, end, text))

    def take(self, start: int, end: int) -> None:
        """Take a span out that has no comment."""
        if self.has_comment(start, end):
            raise CannotEdit("a comment stands in it", start)
        self.splice(start, end, "")

    def take_lines(self, start: int, end: int) -> None:
        """Take whole lines out, with the comments in them."""
        begin = self.text.rfind("\n", 0, start) + 1
        stop = self.line_end(end)
        if stop < len(self.text):
            self.splice(begin, stop + 1, "")
        else:
            self.splice(max(begin - 1, 0), stop, "")

    def line_end(self, position: int) -> int:
        """The end of the line, before its line break."""
        end = self.text.find("\n", position)
        if end < 0:
            return len(self.text)
        return end - 1 if end and self.text[end - 1] == "\r" else end

    def begins_line(self, position: int) -> bool:
        """Whether only spaces stand before it."""
        return not self.text[self.text.rfind("\n", 0, position) + 1 : position].strip(" ")

    def column_of(self, position: int) -> int:
        return position - self.text.rfind("\n", 0, position) - 1

    def has_comment(self, start: int, end: int) -> bool:
        """Whether a `#` stands there, which may begin a comment."""
        return "#" in self.text[start:end]

    def value_start(self, old: Place, colon: int) -> int:
        return colon if _is_blank(old) else old.start


def _is_blank(place: Place) -> bool:
    return place.start == place.end


def _flow_after(old: Place, colon: int, value: Value) -> str:
    return f" {flow_text(value)}" if _is_blank(old) else flow_text(value)


def _made(changes: Changes) -> Value:
    """The value of a key that is new, from what is to be inside it."""
    if changes.adds:
        return changes.added
    made: dict[str, Value] = {str(step): put.value for step, put in changes.puts.items()}
    made |= {str(step): _made(inner) for step, inner in changes.inside.items()}
    return made


def _before(kept: Sequence[str], name: str, order: Sequence[str]) -> str | None:
    """The key behind which a new one goes: the last of those that come before it in `order`."""
    if name not in order:
        return kept[-1] if kept else None
    earlier = set(order[: order.index(name)])
    return next((key for key in reversed(kept) if key in earlier), kept[-1] if kept else None)


def _style_of(items: Sequence[Place]) -> bool | None:
    """Whether the mappings of a list are written in brackets; None if it has none."""
    styles = [part.flow for part in items if part.is_mapping]
    return all(styles) if styles else None
