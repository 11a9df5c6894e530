"""A JSON value that differs deep inside: its leaves that differ, instead of two whole values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from stemctl.util.json_equality import one_spelling
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import visible

_MOST_PARTS, _DEEPEST = 2_000, 50
"""Of larger or deeper values DeepDiff takes seconds to find the leaves."""

_NAME = late_pattern(r"[\w-]+")
"""A key that is clear without quotes."""

_BOOLEANS = {True: b"true", False: b"false"}
"""What true and false are compared as: for Python they equal 1 and 0. No JSON holds bytes."""

_Steps = Sequence[int | str]


class Leaf(Struct, frozen=True):
    """A place inside a JSON value that differs. `added` and `removed` tell a key that is missing
    from one that holds null.
    """

    path: str
    before: Value
    after: Value
    added: bool = False
    removed: bool = False


def differing_leaves(name: str, before: Value, after: Value) -> list[Leaf]:
    """The leaves of two objects or lists that differ, ordered by path; `name` begins their paths.

    Empty where whole values say more: those that are no objects or lists, or are too large.
    """
    if not _has_leaves(before) or not _has_leaves(after):
        return []
    from deepdiff import DeepDiff  # takes 100 ms to load, and few plans need it

    tree = DeepDiff(
        _marked(before),
        _marked(after),
        view="tree",
        ignore_private_variables=False,  # a key may begin with two underscores
        threshold_to_diff_deeper=0,  # compares what is inside, however much of it differs
    )
    found = [found for kind, levels in tree.items() for found in _of_kind(name, kind, levels)]
    return [leaf for _, leaf in sorted(found, key=lambda pair: _order(pair[0]))]


def _of_kind(name: str, kind: str, levels: Any) -> Iterator[tuple[_Steps, Leaf]]:
    """The leaves of one kind of difference, each with the steps that lead to it."""
    added, removed = kind.endswith("_added"), kind.endswith("_removed")
    for level in levels:
        steps = level.path(output_format="list", use_t2=added)
        before = None if added else _unmarked(level.t1)
        after = None if removed else _unmarked(level.t2)
        yield steps, Leaf(name + "".join(map(_step, steps)), before, after, added, removed)


def _has_leaves(value: Value) -> bool:
    """Whether a value is an object or a list that DeepDiff can compare at once."""
    parts, level = 0, [value]
    for _ in range(_DEEPEST):
        inner: list[Value] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        parts += len(inner)
        if not inner or parts > _MOST_PARTS:
            break
        level = inner
    else:
        return False
    return isinstance(value, dict | list) and parts <= _MOST_PARTS


def _marked(value: Value) -> Any:
    """The value as DeepDiff tells it apart: true is not 1, and 1 is 1.0."""
    if isinstance(value, bool):
        return _BOOLEANS[value]
    if isinstance(value, list):
        return [_marked(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    return one_spelling(value)


def _unmarked(value: Any) -> Value:
    if isinstance(value, bytes):
        return value == _BOOLEANS[True]
    if isinstance(value, list):
        return [_unmarked(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _unmarked(inner) for key, inner in value.items()}
    unmarked: Value = value
    return unmarked


def _order(steps: _Steps) -> list[tuple[int, str]]:
    """List indices by number, keys by name."""
    return [(step, "") if isinstance(step, int) else (0, step) for step in steps]


def _step(step: int | str) -> str:
    """`[1]` of a list, `.name` of an object, `["a.b"]` where the name would be unclear."""
    if isinstance(step, int):
        return f"[{step}]"
    if _NAME.fullmatch(step):
        return f".{step}"
    return f"[{visible(json.dumps(step, ensure_ascii=False))}]"
