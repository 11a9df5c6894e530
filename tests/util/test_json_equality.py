"""Equality of JSON values: true is not 1, and 1.0 is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.planning.values import canonical, same
from stemctl.schema.catalog import load_catalog
from stemctl.util.canonical_json import hash_of
from stemctl.util.json_equality import one_spelling, same_json

ROWS = [row for model in load_catalog("2024").models.values() for row in model.fields.values()]
NUMBERS = st.sampled_from(
    [0, 0.0, -0.0, 1, 1.0, -1, 2**53, 2.0**53, 2**53 + 1, 1e22, 10**22, 0.5, 1e-9]
)
ANY = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "1", "true", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "1"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def text(value: Any) -> str:
    return json.dumps(one_spelling(value), sort_keys=True)


@given(ANY, ANY)
def test_two_values_are_the_same_if_their_canonical_text_is(left: Any, right: Any) -> None:
    assert same_json(left, right) == (text(left) == text(right))


@given(ANY, ANY, ANY)
def test_it_is_an_equivalence(one: Any, two: Any, three: Any) -> None:
    assert same_json(one, one)
    assert same_json(one, json.loads(json.dumps(one)))
    assert same_json(one, two) == same_json(two, one)
    assert not (same_json(one, two) and same_json(two, three)) or same_json(one, three)


@pytest.mark.parametrize(
    "wrap", [lambda v: v, lambda v: [v], lambda v: {"a": v}, lambda v: {"a": [{"b": [v]}]}]
)
@pytest.mark.parametrize(
    "left, right", [(1, True), (0, False), (1.0, True), (0, ""), (0, None), ("1", 1), ("", None)]
)
def test_what_python_or_people_confuse(wrap: Any, left: Any, right: Any) -> None:
    assert not same_json(wrap(left), wrap(right))
    assert same_json(wrap(1), wrap(1.0))


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.kind in ("json", "map", "list", "number")], ids=str
)
@pytest.mark.parametrize(
    "wrap", [lambda v: {"a": v}, lambda v: {"a": {"b": [v]}}, lambda v: [v], lambda v: [[v]]]
)
def test_no_field_confuses_them_nor_does_the_hash_of_what_was_read(row: Any, wrap: Any) -> None:
    if row.kind == "map" and isinstance(wrap(1), list):
        return
    assert not same(row, wrap(1), wrap(True))
    assert same(row, wrap(1), wrap(1.0))
    assert hash_of(canonical_text(row, wrap(1))) == hash_of(canonical_text(row, wrap(1.0)))
    assert hash_of(canonical_text(row, wrap(1))) != hash_of(canonical_text(row, wrap(True)))


def canonical_text(row: Any, value: Any) -> Any:
    found = canonical(row, value)
    return (
        {str(key): element for key, element in found.items()} if isinstance(found, dict) else found
    )
