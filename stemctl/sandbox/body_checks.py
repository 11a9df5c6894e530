"""Checks a request body against its model: the fields to store, or all problems with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Protocol

from stemctl.sandbox import field_values
from stemctl.sandbox.storage import targets
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

Problems = dict[str, list[str]]

NOT_A_FIELD = "non_field_errors"
"""The key of problems with several fields."""


class Lookups(Protocol):
    """What a check needs to know about other records."""

    def taken(self, model: Model, body: Fields, names: tuple[str, ...], but: str | None) -> bool:
        """Whether a record, except that with id `but`, has the values of `body` in these fields."""

    def known(self, field: Field, ids: Set[str]) -> Set[str]:
        """Those of the ids that a field may refer to."""


def check_fields(
    catalog: Catalog, model: Model, body: Fields, *, seeding: bool = False
) -> tuple[dict[str, Value], Problems]:
    """The fields of a body, each checked on its own, without other records.

    Fields that are unknown or set by the server are ignored silently, and so is a null that a field
    does not accept: this kind of server answers 200 and changes nothing. With `seeding`, fields of
    the server may be set.
    """
    found: dict[str, Value] = {}
    problems: Problems = {}
    for name, value in body.items():
        field = model.fields.get(name)
        if field is None or not (is_stored(field) if seeding else is_written(field)):
            continue
        try:
            if value is not None:
                found[name] = field_values.clean(field, _as_keys(catalog, field, value))
            elif field.takes_null and field.required:
                problems[name] = ["This field may not be null."]
            elif field.takes_null or field.kind in {"map", "json"}:
                found[name] = None
        except field_values.Invalid as invalid:
            problems[name] = invalid.messages
    return found, problems


def _as_keys(catalog: Catalog, field: Field, value: Value) -> Value:
    """References as they are stored, which is text, also to models whose ids are integers."""
    target = catalog.models.get(field.to or "")
    if target is None or not target.integer_ids:
        return value
    if isinstance(value, list):
        return [_as_keys(catalog, field, item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def is_stored(field: Field) -> bool:
    """Whether a record stores the field, and neither computes it nor leaves it to proposals."""
    if field.proposal or field.kind == "id" or field.reverse or is_links(field):
        return False
    return field.shown or is_written(field)


def is_written(field: Field) -> bool:
    """Whether a request may set the field, in a record or in a proposal."""
    return not field.read_only


def is_links(field: Field) -> bool:
    """Whether it is the object with the related lists of a record."""
    return field.name == "links" and field.read_only and field.kind == "json"


def missing(model: Model, found: Mapping[str, Value]) -> Problems:
    """The required fields that a new record lacks."""
    wanted = (f.name for f in model.managed if f.required)
    return {name: ["This field is required."] for name in wanted if name not in found}


def check_others(
    model: Model,
    found: Mapping[str, Value],
    lookups: Lookups,
    *,
    live: tuple[str, Mapping[str, Value]] | None = None,
) -> Problems:
    """Problems with other records: values that are taken, references to no record.

    `live` are the id and the fields of the record itself if it exists.
    """
    problems: Problems = {}
    id_, before = live or (None, {})
    whole = {**before, **found}
    for names in unique_groups(model):
        if found.keys() & set(names) and lookups.taken(model, whole, names, id_):
            problems |= _not_unique(model, names)
    for name, value in found.items():
        field = model.fields[name]
        if field.immutable and live and value != before.get(name):
            problems[name] = ["This field cannot be changed."]
        if field.to:
            ids = targets(field, dict(found))
            lost = sorted(set(ids) - lookups.known(field, set(ids)), key=ids.index)
            if lost:
                problems[name] = [f'Invalid pk "{id_}" - object does not exist.' for id_ in lost]
    return problems


def unique_groups(model: Model) -> Iterator[tuple[str, ...]]:
    """The groups of fields that are unique together; most have one field."""
    yield from ((field.name,) for field in model.fields.values() if field.unique)
    yield from model.together_unique


def _not_unique(model: Model, names: tuple[str, ...]) -> Problems:
    if len(names) > 1:
        return {NOT_A_FIELD: [f"The fields {', '.join(names)} must make a unique set."]}
    words = names[0].replace("_", " ")
    return {names[0]: [f"{model.words} with this {words} already exists."]}


def defaults(model: Model) -> dict[str, Value]:
    """The default values of all stored fields."""
    fields = (f for f in model.fields.values() if is_stored(f))
    return {f.name: f.empty if f.default is None else f.default for f in fields}
