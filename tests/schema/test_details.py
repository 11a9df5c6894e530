"""The details of every type: the schemas, their compiled form and the checks agree."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests.schema_errors import validator_of
from stemctl.schema.catalog import load_catalog, schemas_dir
from stemctl.schema.detail_schemas import type_schema
from stemctl.schema.detail_values import as_stored, as_written, problems_of
from stemctl.schema.fields import DetailType, Field
from stemctl.schema.models import Model

CATALOG = load_catalog("2026")
OURS = validator_of(CATALOG)
SCHEMA = json.loads((schemas_dir() / "2026" / "manifest.schema.json").read_text(encoding="utf-8"))
OTHERS = jsonschema.Draft202012Validator(SCHEMA)
EVERY = [
    (model, field, type_)
    for model in CATALOG.writable
    for field in model.detailed
    if field.details and not field.details.of_parent
    for type_ in field.details.types.values()
]
GROUPS = {f.details.group for m in CATALOG.writable for f in m.detailed if f.details}


def example(field: Field) -> Any:
    """A value that the field takes."""
    if field.enum:
        return list(field.enum[:1]) if field.kind == "list" else field.enum[0]
    if field.units:
        return f"1.5 {field.units[-1]}"
    return {"text": "x", "number": 5, "integer": 5, "boolean": True}.get(field.kind) or {
        "list": ["x"],
        "numbers": [1, 2.5],
        "rows": [{"a": 1}],
    }.get(field.kind)


def whole(type_: DetailType) -> Any:
    details = {name: example(field) for name, field in type_.fields.items()}
    return [details] if type_.rows else details


def manifest(model: Model, field: Field, type_: DetailType, details: Any) -> dict[str, Any]:
    assert field.details is not None
    return {model.section: [{"key": "k", field.details.selector: type_.name, field.name: details}]}


def test_there_are_179_types() -> None:
    assert sum(len(CATALOG.details(group).types) for group in GROUPS) == 179


@pytest.mark.parametrize("model, field, type_", EVERY, ids=lambda one: one.name)
def test_every_field_of_a_type_is_taken_and_no_other(
    model: Model, field: Field, type_: DetailType
) -> None:
    right = manifest(model, field, type_, whole(type_))
    assert list(OURS.errors(right)) == []
    assert OTHERS.is_valid(right)
    assert problems_of(type_, as_stored(type_, whole(type_))) == {}
    assert as_written(type_, as_stored(type_, whole(type_))) == whole(type_)
    more = {"noSuchField": 1}
    wrong = manifest(model, field, type_, [more] if type_.rows else more)
    assert list(OURS.errors(wrong))
    assert not OTHERS.is_valid(wrong)


WORDS = st.sampled_from(["x", "", "1.5 kHz", "1 g", "20", "5 ms", "EEG", "Other"])
LEAVES = WORDS | st.none() | st.booleans() | st.integers(-1, 5) | st.sampled_from([0.5, 1.0])
VALUES = (
    LEAVES
    | st.lists(LEAVES, max_size=2)
    | st.fixed_dictionaries(
        {}, optional={"value": LEAVES, "unit": LEAVES | st.just("kHz"), "x": LEAVES}
    )
)


@given(st.sampled_from(EVERY), st.data())
def test_any_details_get_the_same_verdict(
    one: tuple[Model, Field, DetailType], data: st.DataObject
) -> None:
    model, field, type_ = one
    details = whole(type_)
    target = details[0] if type_.rows else details
    for _ in range(data.draw(st.integers(0, 2))):
        name = data.draw(st.sampled_from([*type_.fields, "other"]))
        if data.draw(st.booleans()):
            target[name] = data.draw(VALUES)
        else:
            target.pop(name, None)
    document = manifest(model, field, type_, details)
    assert (not list(OURS.errors(document))) == OTHERS.is_valid(document)
    strict = jsonschema.Draft202012Validator(type_schema(type_, whole=True))
    assert (problems_of(type_, as_stored(type_, details)) == {}) == strict.is_valid(details)
