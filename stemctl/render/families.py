"""The order of deletes for people: what is inside of a record stands below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stemctl.core.plan import Action, Change
from stemctl.render.model_words import ModelWords


def children_below(changes: Sequence[Change], words: ModelWords) -> Sequence[Change]:
    """The same changes, each delete of a child right below that of its parent."""
    deletes = [change for change in changes if change.action is Action.DELETE]
    if not any(change.address.model in words.parents for change in deletes):
        return changes
    by_name = dict(_names(deletes, words))
    inside: dict[int, list[Change]] = {}
    roots = []
    for change in deletes:
        parent = _parent(change, words, by_name)
        if parent is None or parent is change:
            roots.append(change)
        else:
            inside.setdefault(id(parent), []).append(change)
    ordered = [change for root in roots for change in _family(root, inside)]
    rest = [change for change in changes if change.action is not Action.DELETE]
    return [*rest, *ordered]


def _names(deletes: Sequence[Change], words: ModelWords) -> Iterator[tuple[object, Change]]:
    """(model, text) by which the children of a record name it."""
    for change in deletes:
        called = words.called.get(change.address.model)
        for field in change.fields:
            if field.path == called:
                yield (change.address.model, str(field.before)), change
    for change in deletes:
        yield tuple(change.address), change


def _parent(change: Change, words: ModelWords, by_name: dict[object, Change]) -> Change | None:
    name, model = words.parents.get(change.address.model, ("", ""))
    written = next((str(field.before) for field in change.fields if field.path == name), "")
    return by_name.get((model, written))


def _family(change: Change, inside: dict[int, list[Change]]) -> Iterator[Change]:
    yield change
    for child in inside.pop(id(change), ()):
        yield from _family(child, inside)
