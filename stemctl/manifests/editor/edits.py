"""What is to be changed in a file, as values: where, and to what."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stemctl.util.json_types import Path, Value


@dataclass(frozen=True, slots=True)
class Put:
    """A member of a mapping gets a value, or an item of a list another one.

    A member that is new goes behind those before it in `order`, or to the end.
    """

    path: Path
    value: Value
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Add:
    """A list gets a further item at its end; a list that is not there is made."""

    path: Path
    value: Value
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Take:
    """A member of a mapping, or an item of a list, goes."""

    path: Path


Edit = Put | Add | Take


@dataclass(slots=True)
class Changes:
    """All edits at one value and inside it.

    `puts` are new values of members and items, `takes` those that go, `adds` new items, and
    `inside` what changes inside of those that stay.
    """

    puts: dict[str | int, Put] = field(default_factory=dict)
    takes: set[str | int] = field(default_factory=set)
    adds: list[Value] = field(default_factory=list)
    inside: dict[str | int, Changes] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    """Of an added list: where its key goes."""


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
                changes.adds.append(edit.value)
                changes.order = edit.order
    return root


def edited(value: Value, edits: Sequence[Edit]) -> Value:
    """The value that a file must have after the edits."""
    return _edited(copy.deepcopy(value), gathered(edits))


def _edited(value: Value, changes: Changes) -> Value:
    if value is None:
        value = [] if changes.adds else {}
    for step, inner in changes.inside.items():
        if isinstance(value, dict):
            value[step] = _edited(value.get(step), inner)
        else:
            value[step] = _edited(value[step], inner)
    for step, put in changes.puts.items():
        value[step] = put.value
    for step in sorted(changes.takes, key=repr, reverse=True) if isinstance(value, dict) else ():
        del value[step]
    if isinstance(value, list):
        value = [part for number, part in enumerate(value) if number not in changes.takes]
        value += changes.adds
    return value
