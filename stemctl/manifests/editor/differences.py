"""From two values to the smallest edits, so that comments beside what stays are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from stemctl.manifests.editor.edits import Add, Edit, Put, Take
from stemctl.util.json_equality import one_spelling, same_json
from stemctl.util.json_types import Path, Value


def differences(path: Path, old: Value, new: Value, order: tuple[str, ...] = ()) -> list[Edit]:
    """The edits that make `new` of the value `old` at a path.

    Members of mappings and elements of lists change one by one. `order` is the order of the members
    of the mapping itself; without it, and inside, new members stand as they do in `new`.
    """
    return list(_differences(path, old, new, order))


def settled(value: Value, edits: Sequence[Edit]) -> list[Edit]:
    """The same edits of a document, where lists and mappings that are put into the place of others
    change part by part, and nothing is put that is there.
    """
    found: list[Edit] = []
    for edit in edits:
        old = _at(value, edit.path) if isinstance(edit, Put) else None
        if isinstance(edit, Put) and old is not None:
            found += differences(edit.path, old, edit.value, ())
        else:
            found.append(edit)
    return found


def _at(value: Value, path: Path) -> Value:
    """The value at a path, or None."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _differences(path: Path, old: Value, new: Value, order: tuple[str, ...]) -> Iterator[Edit]:
    if same_json(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and (old or not path):
        yield from _of_mappings(path, old, new, order or tuple(new))
    elif isinstance(old, list) and isinstance(new, list) and old:
        yield from _of_lists(path, old, new)
    else:
        yield Put(path, new, order)


def _of_mappings(
    path: Path, old: Mapping[str, Value], new: Mapping[str, Value], order: tuple[str, ...]
) -> Iterator[Edit]:
    yield from (Take((*path, name)) for name in old if name not in new)
    for name, value in new.items():
        if name in old:
            yield from _differences((*path, name), old[name], value, ())
        else:
            yield Put((*path, name), value, order)


def _of_lists(path: Path, old: Sequence[Value], new: Sequence[Value]) -> Iterator[Edit]:
    """Elements that are equal stay, and those of one name; the others go, and come in between."""
    first = _equal(zip(old, new, strict=False))
    left, right = old[first:], new[first:]
    last = _equal(zip(reversed(left), reversed(right), strict=False))
    left, right = left[: len(left) - last], right[: len(right) - last]
    before, after = [_identity(part) for part in left], [_identity(part) for part in right]
    there = {identity: number for number, identity in enumerate(after)}
    pairs = [(number, there[one]) for number, one in enumerate(before) if one in there]
    has_doubles = len(set(before)) < len(before) or len(there) < len(after)
    if has_doubles or pairs != sorted(pairs, key=lambda pair: pair[1]):
        yield Put(path, list(new))
        return
    was, becomes = 0, 0
    for n, m in [*pairs, (len(left), len(right))]:
        yield from _between(path, first + was, left[was:n], right[becomes:m], first + n < len(old))
        if n < len(left):
            yield from _differences((*path, first + n), left[n], right[m], ())
        was, becomes = n + 1, m + 1


def _between(
    path: Path, first: int, left: Sequence[Value], right: Sequence[Value], is_inner: bool
) -> Iterator[Edit]:
    """The edits of elements from the position `first` on, of which none is known in both lists.

    `is_inner` if another element follows.
    """
    end = first + len(left)
    if _are_alike(left, right):
        for number, (old, new) in enumerate(zip(left, right, strict=True), first):
            yield from _differences((*path, number), old, new, ())
        return
    yield from (Take((*path, number)) for number in range(first, end))
    yield from (Add(path, value, before=end if is_inner else None) for value in right)


def _are_alike(left: Sequence[Value], right: Sequence[Value]) -> bool:
    """Whether elements without names are as many mappings as before: each is what it was."""
    is_nameless = all(isinstance(one, dict) and not _identity(one)[0] for one in [*left, *right])
    return len(left) == len(right) and is_nameless


def _equal(pairs: Iterator[tuple[Value, Value]]) -> int:
    """How many pairs are equal, from the first on."""
    count = 0
    for left, right in pairs:
        if not same_json(left, right):
            break
        count += 1
    return count


def _identity(value: Value) -> tuple[str, str]:
    """What tells one element of a list from the others: its key or name, or all of it."""
    if isinstance(value, dict):
        for member in ("key", "name"):
            if isinstance(value.get(member), str):
                return member, value[member]
    return "", json.dumps(one_spelling(value), sort_keys=True)
