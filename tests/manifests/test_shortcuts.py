"""What is decided quickly is decided as it would be the long way round."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stemctl.core.records import Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import State
from stemctl.manifests.reader import parse
from stemctl.planning import merge, values
from stemctl.planning.bindings import Identities
from stemctl.planning.merge import UNSET, FieldVersions, merge_field
from stemctl.planning.references import Resolver
from stemctl.planning.values import identical, same
from stemctl.schema.catalog import load_catalog
from stemctl.schema.fields import Field
from stemctl.util.canonical_json import canonical_pieces, hash_of, hash_of_pieces
from tests.support.effort import examples

ROWS = [row for model in load_catalog("2024").models.values() for row in model.fields.values()]


def differ(left: Any, right: Any) -> bool:
    """No shortcut."""
    return False


PLAIN = st.sampled_from(
    [None, True, False, 0, 1, 1.0, -0.0, "", "1", " a ", "a", "2024-03-12", "2024-03-12T00:00:00Z"]
)
ANY = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "value", "URL", "url", "id", "k"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def like(row: Field, value: Any) -> Any:
    """A value of the right shape, so that the file is not refused before the comparison."""
    match row.kind:
        case "list" | "references":
            return [str(one) for one in value] if isinstance(value, list) else []
        case "items":
            return (
                [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
            )
        case "map":
            return value if isinstance(value, dict) else {}
    return value


@st.composite
def sides(draw: st.DrawFn) -> tuple[Field, FieldVersions]:
    """Four values of a field, of which many are the same."""
    row = draw(st.sampled_from(ROWS))
    pool = draw(st.lists(ANY.map(lambda value: like(row, value)), min_size=1, max_size=3))
    maybe = st.one_of(st.sampled_from(pool), st.just(UNSET))
    declared, applied, live = draw(st.sampled_from(pool)), draw(maybe), draw(maybe)
    observed = draw(st.sampled_from(pool)) if applied is not UNSET else UNSET
    return row, FieldVersions(declared, applied, observed, live)


@given(sides(), st.sampled_from([frozenset(), frozenset({"revert"}), frozenset({"replace"})]))
@examples(200)
def test_a_field_that_is_as_the_files_say_is_merged_as_any_other(
    case: tuple[Field, FieldVersions], allowed: Any
) -> None:
    row, four = case
    quick = merge_field(row, four, allowed)
    with patch.object(merge, "identical", differ), patch.object(values, "identical", differ):
        assert merge_field(row, four, allowed) == quick


@given(st.sampled_from(ROWS), ANY, ANY)
@examples(200)
def test_what_is_identical_means_the_same(row: Field, left: Any, right: Any) -> None:
    left, right = like(row, left), like(row, right)
    quick = same(row, left, right)
    with patch.object(values, "identical", lambda left, right: False):
        assert same(row, left, right) == quick


def plainly_identical(left: Any, right: Any) -> bool:
    if type(left) is not type(right) or left != right:
        return False
    if type(left) is list:
        return all(map(plainly_identical, left, right))
    return type(left) is not dict or all(plainly_identical(left[key], right[key]) for key in left)


@given(ANY, ANY)
@examples(200)
def test_the_quick_way_to_see_what_is_identical_is_the_plain_way(left: Any, right: Any) -> None:
    assert identical(left, right) == plainly_identical(left, right)
    assert identical(left, json.loads(json.dumps(left)))


def test_identical_is_not_equal() -> None:
    assert identical({"a": [1, {"b": True}]}, {"a": [1, {"b": True}]})
    for left, right in [
        (1, True),
        (0, False),
        (1, 1.0),
        ([1], [True]),
        ({"a": 0}, {"a": False}),
        ([], {}),
        ("", None),
    ]:
        assert not identical(left, right)


@given(st.dictionaries(st.text(max_size=3), ANY, max_size=4))
def test_canonical_json_in_pieces_is_canonical_json(body: dict[str, Any]) -> None:
    whole = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert "".join(canonical_pieces(body)) == whole
    lazy = {key: iter(value) if isinstance(value, list) else value for key, value in body.items()}
    assert [*canonical_pieces(lazy)][-1] == whole[-1] if body else "{}"
    assert hash_of_pieces(canonical_pieces(body)) == hash_of(body)


def test_a_key_that_readers_dispute_is_told_each_time() -> None:
    for text in (b"sessions:\n  - {012: x}\n", b"sessions:\n  - {name: a, 012: x}\n"):
        assert [problem.code for problem in parse(text, "a.yaml").problems] == ["ambiguous-value"]


def test_a_name_means_another_record_in_another_model() -> None:
    catalog = load_catalog("2024")
    rows = {
        model: {f"id-of-{model}": {"id": f"id-of-{model}", "name": "Both"}}
        for model in ("project", "session")
    }
    readings = {
        model: Reading(model, Completeness.COMPLETE, records) for model, records in rows.items()
    }
    nothing = (
        Repository({}),
        Snapshot(readings),
        State("http://x/", "private", "2024"),
        Identities({}, {}),
    )
    resolver = Resolver(catalog, *nothing)
    row = catalog.models["session"].fields["projects"]
    for model in ("project", "session", "project"):
        assert resolver.known(replace(row, to=model), ["Both"]) == [f"id-of-{model}"]
