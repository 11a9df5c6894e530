"""JSON Schemas of details: values whose fields depend on the type that is written beside them.

A record has one rule for each of its types: if the type is this one, then the details are those of
it. In manifests, no field of an object is required, since the rest may come from defaults or from
the server. Rows are written whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from stemctl.schema.catalog import Catalog
from stemctl.schema.config_schema import Schema, closed
from stemctl.schema.fields import Details, DetailType, Field
from stemctl.schema.models import Model
from stemctl.schema.quantities import LONGEST, spellings, text_of, text_pattern
from stemctl.util.json_types import Value

Builders = dict[str, Callable[[], Schema]]


class _Place(NamedTuple):
    """A field with details, and where a record has it: in itself, or in the items of `section`."""

    name: str
    field: Field
    details: Details
    selector: str
    section: str = ""


def rules_of(model: Model, catalog: Catalog, *, whole: bool = False) -> Schema:
    """What a record's types say of its details, and unless it is `whole`, of those of the records
    nested in it: references to the definitions of `builders`.
    """
    places = [place for place in _places(model, catalog) if not (whole and place.section)]
    names = [f"#/$defs/{place.name}" for place in places]
    return {"allOf": [{"$ref": name} for name in names]} if names else {}


def builders(models: Iterable[Model], catalog: Catalog) -> Builders:
    """The definitions that the rules of these models need, by name.

    A group of types is read when a definition of it is built.
    """
    found: Builders = {}
    for model in models:
        for place in _places(model, catalog):
            found[place.name] = partial(_rules, place, catalog)
            for name in model.fields[place.selector].enum:
                build = partial(_type_schema, catalog, place.details.group, str(name))
                found[f"{place.details.group}_{name}"] = build
    return found


def definitions(
    models: Iterable[Model], catalog: Catalog, *, whole: bool = False
) -> dict[str, Schema]:
    """The same, built. With `whole`, the fields that a type requires are required."""
    found: dict[str, Schema] = {}
    for model in models:
        for place in _places(model, catalog):
            if whole and place.section:
                continue
            found[place.name] = _rules(place, catalog)
            group = place.details.group
            for type_ in catalog.details(group).types.values():
                if type_.fields:
                    found[f"{group}_{type_.name}"] = type_schema(type_, whole=whole)
    return found


def _places(model: Model, catalog: Catalog) -> Iterator[_Place]:
    for field in model.managed:
        if field.details and "." not in field.details.selector:
            name = f"{model.name}_{field.name}"
            yield _Place(name, field, field.details, field.details.selector)
    for child in catalog.children(model):
        for field in child.managed:
            if field.details and "." in field.details.selector:
                name, selector = f"{child.name}_{field.name}", field.details.selector
                yield _Place(name, field, field.details, selector.split(".")[1], child.section)


def _rules(place: _Place, catalog: Catalog) -> Schema:
    """One rule for each type with fields, and one for all types without."""
    group = place.details.group
    types = catalog.details(group).types.values()
    rules = [
        _rule(place, {"const": one.name}, {"$ref": f"#/$defs/{group}_{one.name}"})
        for one in types
        if one.fields
    ]
    bare = [one.name for one in types if not one.fields]
    if bare:
        rules.append(_rule(place, {"enum": bare}, closed()))
    return {"allOf": rules}


def _rule(place: _Place, condition: Schema, details: Schema) -> Schema:
    then = {"properties": {place.field.name: details}}
    if place.section:
        then = {"properties": {place.section: {"items": then}}}
    return {
        "if": {"properties": {place.selector: condition}, "required": [place.selector]},
        "then": then,
    }


def _type_schema(catalog: Catalog, group: str, type_name: str) -> Schema:
    return type_schema(catalog.details(group).types[type_name])


def type_schema(type_: DetailType, *, whole: bool = False) -> Schema:
    """The details of one type; with `whole`, all fields that it requires."""
    fields = closed(**{name: field_schema(field) for name, field in type_.fields.items()})
    required = [name for name, field in type_.fields.items() if field.required]
    if required and (whole or type_.rows):
        fields["required"] = required
    if type_.rows:
        return {"title": type_.title, "type": "array", "items": fields}
    return {"title": type_.title, **fields}


def field_schema(field: Field) -> Schema:
    """One field of details."""
    return {"title": field.name, "description": _description(field), **_KINDS[field.kind](field)}


def _description(field: Field) -> str:
    notes = [field.description]
    if field.required:
        notes.append("Required.")
    if field.units:
        notes.append(f"Unit: {', '.join(field.units)}.")
    if field.default is not None:
        default = text_of(field.default) if field.units else field.default
        notes.append(f"If left out, the server sets {default}.")
    return " ".join(notes)


def _limited(field: Field, **schema: Value) -> Schema:
    """A schema with the limits of a field."""
    if field.enum:
        return {**schema, "enum": list(field.enum)}
    limits = {"minimum": field.minimum, "maximum": field.maximum, "maxLength": field.max_length}
    return {**schema, **{name: limit for name, limit in limits.items() if limit is not None}}


def _list(field: Field, **items: Value) -> Schema:
    schema: Schema = {"type": "array", "items": _limited(field, **items)}
    if field.min_items:
        schema["minItems"] = field.min_items
    return {**schema, "uniqueItems": True} if field.enum else schema


def _quantity(field: Field) -> Schema:
    """A text, or an object: each rule is about one of them."""
    units = [spelling for unit in field.units for spelling in spellings(unit)]
    return {
        **closed(value={"type": "number"}, unit={"enum": units}),
        "type": ["string", "object"],
        "required": ["value", "unit"],
        "maxLength": LONGEST,
        "pattern": text_pattern(field.units),
        "patternErrorMessage": f"Write a number and its unit: {', '.join(field.units)}.",
    }


_KINDS: dict[str, Callable[[Field], Schema]] = {
    "text": lambda field: _limited(field, type="string"),
    "number": lambda field: _limited(field, type="number"),
    "integer": lambda field: _limited(field, type="integer"),
    "boolean": lambda field: {"type": "boolean"},
    "quantity": _quantity,
    "list": lambda field: _list(field, type="string"),
    "numbers": lambda field: _list(field, type="number"),
    "rows": lambda field: _list(field, type="object"),
}
