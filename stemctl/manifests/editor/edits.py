"""What is to be changed in a file, as values: where, and to what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from stemctl.util.json_types import Path, Value


class Put(Struct, frozen=True):
    """A member of a mapping gets a value, or an item of a list another one.

    A member that is new goes behind those before it in `order`, or to the end.
    """

    path: Path
    value: Value
    order: tuple[str, ...] = ()


class Add(Struct, frozen=True):
    """A list gets a further item, at its end or before the item that has the number `before` now;
    a list that is not there is made. `remarks` go above the item as comments, if it has a line of
    its own.
    """

    path: Path
    value: Value
    order: tuple[str, ...] = ()
    before: int | None = None
    remarks: tuple[str, ...] = ()


class Take(Struct, frozen=True):
    """A member of a mapping, or an item of a list, goes."""

    path: Path


Edit = Put | Add | Take


class Changes(Struct):
    """All edits at one value and inside it.

    `puts` are new values of members and items, `takes` those that go, `adds` new items, and
    `inside` what changes inside of those that stay.
    """

    puts: dict[str | int, Put] = field(default_factory=dict)
    takes: set[str | int] = field(default_factory=set)
    adds: list[Add] = field(default_factory=list)
    inside: dict[str | int, Changes] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    """Of an added list: where its key goes."""

    @property
    def added(self) -> list[Value]:
        """The new items, in their order."""
        return [
            add.value
            for add in sorted(self.adds, key=lambda add: (add.before is None, add.before or 0))
        ]


def gathered(edits: Iterable[Edit]) -> Changes:
    """The edits by the value that they are about."""
    root = Changes()
    for edit in edits:
        steps = edit.path if isinstance(edit, Add) else edit.path[:-1]
        changes = root
        for step in steps:
            changes = changes.inside.setdefault(step, Changes())
        match edit:
            case Put():
                changes.puts[edit.path[-1]] = edit
            case Take():
                changes.takes.add(edit.path[-1])
            case Add():
                changes.adds.append(edit)
                changes.order = edit.order
    return root


def edited(value: Value, edits: Sequence[Edit]) -> Value:
    """The value that a file must have after the edits. The old one stays as it is."""
    return _edited(value, gathered(edits))


def _edited(value: Value, changes: Changes) -> Value:
    if isinstance(value, list) or (value is None and changes.adds):
        items = list(value or ())
        for step, inner in changes.inside.items():
            items[int(step)] = _edited(items[int(step)], inner)
        for step, put in changes.puts.items():
            items[int(step)] = put.value
        return _with_items(items, changes)
    members = dict(value) if isinstance(value, dict) else {}
    for step, inner in changes.inside.items():
        members[str(step)] = _edited(members.get(str(step)), inner)
    for step, put in changes.puts.items():
        members[str(step)] = put.value
    for step in changes.takes:
        del members[str(step)]
    return members


def _with_items(items: list[Value], changes: Changes) -> list[Value]:
    """The items that stay, and the new ones at their places."""
    new: dict[int, list[Value]] = {}
    for add in changes.adds:
        place = len(items) if add.before is None else add.before
        new.setdefault(place, []).append(add.value)
    made = []
    for number, item in enumerate(items):
        made += new.get(number, [])
        made += [] if number in changes.takes else [item]
    return made + new.get(len(items), [])
