"""From two values to edits: they lead from one to the other, and touch only what differs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests.editor.differences import differences
from stemctl.manifests.editor.edits import Add, Put, Take, edited
from stemctl.util.json_equality import same_json

SCALARS = st.sampled_from(["a", "b", "c", "d", 1, 1.0, 0, True, False, None, ""])
NAMES = st.sampled_from(["name", "key", "x", "y"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=20,
)


@given(st.dictionaries(NAMES, VALUES), st.dictionaries(NAMES, VALUES))
def test_edits_lead_from_one_value_to_another(old: Any, new: Any) -> None:
    kept = copy.deepcopy(old)
    edits = differences((), old, new)
    assert same_json(edited(old, edits), new)
    assert old == kept
    assert bool(edits) != same_json(old, new)


@given(VALUES, VALUES)
def test_edits_below_a_path(old: Any, new: Any) -> None:
    found = edited({"s": [0, old]}, differences(("s", 1), old, new))
    assert same_json(found, {"s": [0, new]})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1, "b": 2}, {"a": 1}, [Take(("r", "b"))]),
        ({"a": 1}, {"a": 2, "c": 3}, [Put(("r", "a"), 2), Put(("r", "c"), 3, ("a", "c"))]),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3}}, [Put(("r", "a", "y"), 3)]),
        (["a", "b", "c"], ["a", "c"], [Take(("r", 1))]),
        (["a", "b"], ["a", "b", "c"], [Add(("r",), "c")]),
        (
            ["a", "b"],
            ["c", "a", "d", "b"],
            [Add(("r",), "c", before=0), Add(("r",), "d", before=1)],
        ),
        (["a", "b", "c"], ["a", "x", "c"], [Take(("r", 1)), Add(("r",), "x", before=2)]),
        (["a", "b", "c"], ["c", "a", "b"], [Put(("r",), ["c", "a", "b"])]),
        (["a", "b", "a", "c"], ["b", "a", "a", "b"], [Put(("r",), ["b", "a", "a", "b"])]),
        (["a", "b", "a"], ["c", "a", "a"], [Add(("r",), "c", before=0), Take(("r", 1))]),
        (["a", "a", "a"], ["a", "a"], [Take(("r", 2))]),
        ([], ["a"], [Put(("r",), ["a"])]),
        (["a"], [], [Take(("r", 0))]),
        (["a"], None, [Put(("r",), None)]),
        ([{"x": 1}, {"x": 2}], [{"x": 1}, {"x": 3}], [Put(("r", 1, "x"), 3)]),
        ([{"x": 1}, {"x": 2}], [{"x": 3}], [Take(("r", 0)), Take(("r", 1)), Add(("r",), {"x": 3})]),
        (
            [{"name": "a", "x": 1}, {"name": "b", "x": 1}],
            [{"name": "c"}, {"name": "b", "x": 2}],
            [
                Take(("r", 0)),
                Add(("r",), {"name": "c"}, before=1),
                Put(("r", 1, "x"), 2),
            ],
        ),
    ],
)
def test_only_what_differs(old: Any, new: Any, expected: Any) -> None:
    assert differences(("r",), old, new) == expected


def test_new_members_have_the_order_that_is_asked_for() -> None:
    order = ("name", "sex", "notes")
    assert differences(("r",), {"name": "a"}, {"name": "a", "sex": "M"}, order) == [
        Put(("r", "sex"), "M", order)
    ]
