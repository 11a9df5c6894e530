"""Which changes a short output shows as one.

What only adds or binds is folded once more than FOLD_ABOVE changes have one shape: the same model,
action and reason, and the same fields. Edits are folded where the same edit is made in each. What
is deleted, held or edited differently is listed one by one up to LISTED_UP_TO; of more, the first
ones are listed and the rest is folded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from stemctl.core.plan import Action, Change
from stemctl.render.change_view import Group, group_of

FOLD_ABOVE = 5
"""Changes of one shape are folded once there are more than this many."""

LISTED_UP_TO = 50
"""Changes that need to be read one by one, and are: up to this many of one kind."""

LISTED_FIRST = 5
"""How many of more than that are listed before the rest."""


class Fold(NamedTuple):
    """Changes that are shown as one; `is_rest` says that others of their kind precede them."""

    changes: Sequence[Change]
    is_rest: bool = False


T = TypeVar("T")
_Numbered = tuple[int, Change]


def fold_changes(changes: Iterable[Change]) -> list[Fold]:
    """All changes, in the order of the first one in each fold."""
    kinds = grouped(enumerate(changes), lambda numbered: _kind(numbered[1]))
    folds = [fold for members in kinds for fold in _of_one_kind(members)]
    folds.sort(key=lambda fold: fold[0])
    return [fold for _, fold in folds]


def grouped(things: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """The things that share a key, in the order of their first one."""
    groups: dict[Hashable, list[T]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return list(groups.values())


def first_and_rest(things: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """What is listed one by one, and what is not."""
    if len(things) <= LISTED_UP_TO:
        return things, ()
    return things[:LISTED_FIRST], things[LISTED_FIRST:]


def _kind(change: Change) -> Hashable:
    """What all changes of a fold share."""
    return (
        change.address.model,
        change.action,
        change.reason,
        change.held,
        change.approval,
        change.request is None,
        group_of(change),
        _needs_reading(change),
    )


def _of_one_kind(members: Sequence[_Numbered]) -> Iterator[tuple[int, Fold]]:
    """The folds of one kind, each with the position of its first change."""
    first = members[0][1]
    if not _needs_reading(first):
        if len(members) > LISTED_UP_TO:
            yield _fold(members)
            return
        for alike in grouped(members, lambda numbered: _shape(numbered[1])):
            yield from _fold_or_single(alike)
        return
    others = []
    for alike in grouped(members, lambda numbered: _edit(numbered[1])):
        if len(alike) > FOLD_ABOVE and _may_fold_edits(first):
            yield _fold(alike)
        else:
            others += alike
    listed, rest = first_and_rest(sorted(others, key=lambda numbered: numbered[0]))
    yield from map(_single, listed)
    if rest:
        yield _fold(rest, is_rest=True)


def _fold_or_single(members: Sequence[_Numbered]) -> Iterator[tuple[int, Fold]]:
    if len(members) > FOLD_ABOVE:
        yield _fold(members)
    else:
        yield from map(_single, members)


def _fold(members: Sequence[_Numbered], is_rest: bool = False) -> tuple[int, Fold]:
    return members[0][0], Fold([change for _, change in members], is_rest)


def _single(numbered: _Numbered) -> tuple[int, Fold]:
    number, change = numbered
    return number, Fold([change])


def _needs_reading(change: Change) -> bool:
    """Whether each change needs to be seen, since it decides about something that exists."""
    if change.held or change.held_fields or group_of(change) is Group.DESTROYS:
        return True
    return change.action is Action.UPDATE or (change.action is Action.ADOPT and bool(change.fields))


def _may_fold_edits(change: Change) -> bool:
    """Whether the same edit in many records is one thing to read."""
    is_safe = group_of(change) is not Group.DESTROYS
    return change.held is None and not change.held_fields and is_safe


def _shape(change: Change) -> Hashable:
    return tuple(field.path for field in change.fields)


def _edit(change: Change) -> Hashable:
    """The content of an edit; nothing for changes that are never folded by it."""
    if not _may_fold_edits(change):
        return None
    fields = [(f.path, f.before, f.after, f.reason) for f in change.fields]
    return json.dumps(fields, default=str)
