"""Details as values: from how files write them to how the server has them, and what is wrong with
them there.
"""

from __future__ import annotations

import functools

from msgspec import Struct

from stemctl.schema.compiled import Accepts, compiled
from stemctl.schema.detail_schemas import field_schema
from stemctl.schema.fields import DetailType, Field
from stemctl.schema.quantities import is_quantity, parse, text_of, usual_unit
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined


def type_of(field: Field, name: Value) -> DetailType | None:
    """The type of this name that the details of `field` may have."""
    if field.details is None or not isinstance(name, str):
        return None
    return field.details.types.get(name)


def as_stored(type_: DetailType, value: Value) -> Value:
    """Details as the server has them: each quantity a number and a unit of the table."""
    if isinstance(value, list):
        return [as_stored(type_, row) for row in value]
    if not isinstance(value, dict):
        return value
    return {name: _stored(type_.fields.get(name), part) for name, part in value.items()}


def _stored(field: Field | None, value: Value) -> Value:
    if field is None or field.kind != "quantity":
        return value
    if isinstance(value, str):
        return parse(value, field.units) or value
    if is_quantity(value):
        return {**value, "unit": usual_unit(value["unit"], field.units) or value["unit"]}
    return value


def as_written(type_: DetailType | None, value: Value) -> Value:
    """Details as files write them, `20 kHz` for a quantity; what a file could not say stays."""
    if type_ is None:
        return value
    if isinstance(value, list):
        return [as_written(type_, row) for row in value]
    if not isinstance(value, dict):
        return value
    return {name: _written(type_.fields.get(name), part) for name, part in value.items()}


def _written(field: Field | None, value: Value) -> Value:
    if field is None or field.kind != "quantity" or not is_quantity(value):
        return value
    text = text_of(value)
    return value if parse(text, field.units) is None else text


def problems_of(type_: DetailType, value: Value) -> dict[str, str]:
    """What the server refuses in details that are sent: what is wrong, by the name of a field.

    A field of a row has its number in front of it. Something about the whole is under "".
    """
    if not type_.rows:
        return _problems(type_, value) if isinstance(value, dict) else {"": "must be an object"}
    if not isinstance(value, list):
        return {"": "must be a list of objects"}
    found: dict[str, str] = {}
    for number, row in enumerate(value, 1):
        if not isinstance(row, dict):
            found[str(number)] = "must be an object"
            continue
        for name, problem in _problems(type_, row).items():
            found[f"{number}.{name}"] = problem
    return found


def _problems(type_: DetailType, details: Fields) -> dict[str, str]:
    found = {}
    for name, field in type_.fields.items():
        if name not in details:
            if field.required:
                found[name] = "is required"
        elif not _accepts(field, details[name]):
            found[name] = f"must be {in_words(field)}"
    for name in details.keys() - type_.fields.keys():
        found[name] = f"is not a field of {type_.name}"
    return found


def _accepts(field: Field, value: Value) -> bool:
    if field.kind == "quantity":
        return is_quantity(value) and value["unit"] in field.units
    return _compiled(_Same(field))(value)


class _Same(Struct, frozen=True):
    """A field that is the same only as itself, so that it can be a key."""

    field: Field

    def __hash__(self) -> int:
        return id(self.field)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.field is other.field


@functools.cache
def _compiled(key: _Same) -> Accepts:
    return compiled(field_schema(key.field), {})


def in_words(field: Field) -> str:
    """What a field of details takes: `a number with a unit (Hz, kHz)`."""
    text = _KINDS[field.kind]
    if field.units:
        return f"{text}: {', '.join(field.units)}"
    if field.enum:
        choices = joined([str(one) for one in field.enum], "or")
        return f"{text} of {choices}" if field.kind == "list" else f"one of {choices}"
    limits = []
    if field.minimum is not None:
        limits.append(f"at least {field.minimum:g}")
    if field.maximum is not None:
        limits.append(f"at most {field.maximum:g}")
    if field.min_items:
        limits.append("not empty")
    return ", ".join([text, *limits])


_KINDS = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "quantity": "a number with a unit",
    "list": "a list",
    "numbers": "a list of numbers",
    "rows": "a list of mappings",
}
