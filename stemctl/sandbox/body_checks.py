"""A body against its model: the fields to store, or every problem with them in one answer."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Protocol

from stemctl.sandbox import field_values
from stemctl.sandbox.storage import targets
from stemctl.schema.catalog import Field, Model
from stemctl.util.json_types import Fields, Value

Problems = dict[str, list[str]]


class Lookups(Protocol):
    """The questions that a check has about other records."""

    def taken(self, model: Model, field: Field, value: Value, but: str | None) -> bool:
        """Whether a record other than the one with id `but` holds this value of a unique field."""

    def known(self, field: Field, ids: Set[str]) -> Set[str]:
        """Those of the ids that a field may refer to."""


def check_fields(
    model: Model, body: Fields, *, seeding: bool = False
) -> tuple[dict[str, Value], Problems]:
    """What a body says, each field for itself, without a look at other records.

    Fields that are unknown or set by the server are dropped without a word, and so is a null where
    a field has none: this kind of server answers 200 and changes nothing. Seeding may set what the
    server sets.
    """
    found: dict[str, Value] = {}
    problems: Problems = {}
    for name, value in body.items():
        field = model.fields.get(name)
        if field is None or not (is_stored(field) if seeding else is_written(field)):
            continue
        try:
            if value is not None:
                found[name] = field_values.clean(field, value)
            elif field.takes_null and field.required:
                problems[name] = ["This field may not be null."]
            elif field.takes_null or field.kind in {"map", "json"}:
                found[name] = None
        except field_values.Invalid as invalid:
            problems[name] = invalid.messages
    return found, problems


def is_stored(field: Field) -> bool:
    """Whether a record keeps the field, rather than computing it or leaving it to proposals; shown
    or not.
    """
    return (
        (field.shown or is_written(field))
        and not field.proposal
        and field.kind != "id"
        and not field.reverse
        and not is_links(field)
    )


def is_written(field: Field) -> bool:
    """Whether a request may set the field, in a record or in a proposal."""
    return not field.read_only


def is_links(field: Field) -> bool:
    """Whether it is the object that tells which related lists a record has."""
    return field.name == "links" and field.read_only and field.kind == "json"


def missing(model: Model, found: Mapping[str, Value]) -> Problems:
    """The required fields that a new record does not bring."""
    wanted = (f.name for f in model.managed if f.required)
    return {name: ["This field is required."] for name in wanted if name not in found}


def check_others(
    model: Model, found: Mapping[str, Value], lookups: Lookups, *, but: str | None = None
) -> Problems:
    """What other records have against it: values that are taken, references that lead nowhere.

    `but` is the id of the record itself where it is live already.
    """
    problems: Problems = {}
    for name, value in found.items():
        field = model.fields[name]
        if field.unique and value not in (None, "") and lookups.taken(model, field, value, but):
            problems[name] = [f"{model.words} with this {name.replace('_', ' ')} already exists."]
        if field.to:
            ids = targets(field, dict(found))
            lost = sorted(set(ids) - lookups.known(field, set(ids)), key=ids.index)
            if lost:
                problems[name] = [f'Invalid pk "{id_}" - object does not exist.' for id_ in lost]
    return problems


def defaults(model: Model) -> dict[str, Value]:
    """The fields of a record about which nothing was said."""
    fields = (f for f in model.fields.values() if is_stored(f))
    return {f.name: f.empty if f.default is None else f.default for f in fields}
