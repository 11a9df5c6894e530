"""Profiles: the shape of answers, with no value of a record, wherever it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.answer_shapes import Received, approvals_of, detail_of, listing_of
from stemctl.core.profile import (
    BadProfile,
    ModelProfile,
    Profile,
    is_profile,
    profile_text,
    read_profile,
)
from stemctl.schema.catalog import Catalog, editions, load_catalog
from stemctl.schema.models import Model
from tests.support.effort import examples

WORDS = ["quokka", "zanzibar", "xylophone_quartz"]
"""Secrets that look like names of the API. They may be values, and keys of maps."""

SECRETS = [
    "alice@institute.example",
    "Dr. Alice Quokka",
    "bst_4f9a0c77deadbeef0123456789abcdef",
    "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "rat12_2024-03-12_maze",
    "https://data.institute.example/q?token=hunter2",
    "2031-07-19",
    "2031-07-19T03:14:15Z",
    "Wert mit Ümlauten 🐀",
    "line\nbreak\x1b[31m",
]
NUMBERS = [987654321012, 31415926.5358, -27182818284]
"""None of them can be a count or a length."""

_scalars = st.sampled_from([*WORDS, *SECRETS, *NUMBERS, None, True, ""])
_anything = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*WORDS, *SECRETS]), inner, max_size=3),
    ),
    max_leaves=8,
)


def inside(model: Model, name: str) -> st.SearchStrategy[Any]:
    """Values of a field, some of them with the keys that its table knows."""
    members = list(model.fields[name].members) if name in model.fields else []
    known = st.dictionaries(st.sampled_from([*members, "value", "unit", *WORDS]), _anything)
    return st.one_of(_anything, known, st.lists(known, max_size=2))


@st.composite
def answers(draw: st.DrawFn, model: Model) -> dict[str, Any]:
    """A list with hostile records, and with secrets beside them."""
    names = draw(st.lists(st.sampled_from(list(model.fields)), unique=True, max_size=6))
    record = st.fixed_dictionaries(
        {name: inside(model, name) for name in names},
        optional={"field_of_tomorrow": _anything, **dict.fromkeys(SECRETS[:4], _anything)},
    )
    totals = (
        {"count": 3, "meta": {"total_results": 3, SECRETS[0]: 5}} if draw(st.booleans()) else {}
    )
    key = draw(st.sampled_from([model.many, "others", SECRETS[1]]))
    beside = st.dictionaries(st.sampled_from(["meta", "next", "links", *SECRETS]), _anything)
    return {**draw(beside), **totals, key: draw(st.lists(record, max_size=3))}


def _models() -> list[tuple[Catalog, Model]]:
    catalogs = [load_catalog(edition) for edition in editions()]
    return [(catalog, model) for catalog in catalogs for model in catalog.models.values()]


def leaves(value: Any) -> Iterator[Any]:
    """All keys and plain values of a document."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


@given(st.data())
@examples(400)
def test_no_value_of_a_record_is_in_a_profile(data: st.DataObject) -> None:
    catalog, model = data.draw(st.sampled_from(_models()))
    content = data.draw(answers(model))
    headers = ("content-type", data.draw(st.sampled_from(SECRETS)), "x-request-id")
    received = Received(200, "json", 0.25, headers, content)
    approvals = approvals_of(received, model, catalog) if model.approval else None
    single = Received(200, "json", 0.1, headers, {model.one: content, SECRETS[1]: {}})
    found = ModelProfile(
        list=listing_of(received, model, catalog),
        detail=detail_of(single, model),
        approvals=approvals,
    )
    text = profile_text(_profile({model.name: found}))
    for leaf in leaves(json.loads(text)):
        if isinstance(leaf, str):
            assert not any(secret in leaf for secret in [*SECRETS, *WORDS]), leaf
        elif leaf is not None:
            assert leaf not in NUMBERS
    assert read_profile(text, "p.json").models[model.name] == found


def _profile(models: dict[str, ModelProfile]) -> Profile:
    return Profile(
        format=1,
        kind="stemctl profile",
        stemctl="0.1.0",
        made="2026-11-26",
        edition="2026",
        portal="private",
        models=models,
    )


def test_names_of_unknown_fields_are_kept_if_most_records_have_them() -> None:
    catalog = load_catalog("2024")
    model = catalog.models["session"]
    records = [
        {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "weight": 1, "Alice": 2},
        {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae8", "weight": "x", "alice": 3},
        {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae9", "weight": None, "rat12": 3},
    ]
    listing = listing_of(Received(200, "json", 0, (), {"sessions": records}), model, catalog)
    assert sorted(listing.fields) == ["id", "weight"]
    assert listing.fields["weight"].kinds == {"integer": 1, "null": 1, "text": 1}
    assert listing.other_fields == 3


def test_keys_of_maps_are_counted_and_not_named() -> None:
    catalog = load_catalog("2024")
    model = catalog.models["session"]
    record = {"id": "x", "extra_fields": {"alice": 1, "bob": "text"}, "tags": ["a", "bcd"]}
    listing = listing_of(Received(200, "json", 0, (), {"sessions": [record]}), model, catalog)
    shape = listing.fields["extra_fields"]
    assert (shape.kinds, shape.sizes, shape.keys) == ({"object": 1}, (2, 2), {})
    assert shape.each is not None
    assert shape.each.kinds == {"integer": 1, "text": 1}
    assert listing.fields["tags"].each is not None
    assert listing.fields["tags"].each.lengths == (1, 3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "format 2"),
        ({"format": "x" * 400}, "has format"),
        ({"kind": "other"}, "is not a profile"),
        ({"models": []}, "was edited, or is damaged"),
        ({"more": 1}, "was edited, or is damaged"),
        ({"models": {"session": {"list": {"status": 20}}}}, "was edited"),
        (
            {"models": {"session": {"list": {"status": 200, "envelope": {"../x": "list"}}}}},
            "edited",
        ),
        ({"models": {"../x": {"list": {"status": 200}}}}, "was edited"),
    ],
)
def test_a_file_of_others_is_checked(change: dict[str, Any], says: str) -> None:
    document = {**json.loads(profile_text(_profile({}))), **change}
    with pytest.raises(BadProfile) as error:
        read_profile(json.dumps(document), "p.json")
    assert says in error.value.what


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "replace")))
@examples(100)
def test_any_text_is_read_or_refused(text: str) -> None:
    assert not is_profile(text)
    with pytest.raises(BadProfile):
        read_profile(text, "p.json")
