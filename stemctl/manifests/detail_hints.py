"""What to type where details do not have the fields of their type."""

from __future__ import annotations

from stemctl.manifests import name_hints, quantity_hints
from stemctl.manifests.document import Node, code_span
from stemctl.manifests.field_context import FieldContext, Message
from stemctl.manifests.schema_errors import SchemaError
from stemctl.schema.fields import Details, DetailType, Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value
from stemctl.util.plural import first_few


def unknown_field(context: FieldContext, name: str) -> Message:
    """A field that the type does not have: its own one that was meant, or the type that has it."""
    type_, rule = context.detail_type, context.field
    if context.detail is not None:
        return _unknown_part(context, context.detail, name)
    if type_ is None or rule is None or rule.details is None:
        message = f"{code_span(context.label)} has no field {code_span(name)}"
        return "unknown-field", message, "remove the line"
    message = f"{type_.name} has no field {code_span(name)}"
    owners = owners_of(rule.details, name)
    explain = (
        f"`stemctl explain {context.model.name}.{rule.name}.{type_.name}`" if context.model else ""
    )
    near = name_hints.meant(name, tuple(type_.fields))
    if owners and near != name:
        also = f", or write `{near}`" if near else ""
        belongs = f"{code_span(name)} is a field of {first_few(owners)}"
        return (
            "unknown-field",
            f"{message}: {belongs}",
            f"change the type, or remove the line{also}",
        )
    if not type_.fields:
        return "unknown-field", f"{message}: this type has no fields", "remove the line"
    otherwise = f"{explain} lists its fields"
    if len(type_.fields) <= name_hints.MANY:
        otherwise = name_hints.one_of(type_.fields)
    return name_hints.unknown("unknown-field", message, name, type_.fields, otherwise)


def home_of(model: Model, name: str) -> str | None:
    """The details that a field of a type was written beside, if types of one alone have it."""
    homes = [
        field.name for field in model.detailed if field.details and owners_of(field.details, name)
    ]
    return homes[0] if len(homes) == 1 else None


def _unknown_part(context: FieldContext, field: Field, name: str) -> Message:
    message = f"{code_span(context.label)} has no {code_span(name)}"
    if field.kind == "quantity":
        return name_hints.unknown("unknown-field", message, name, ("value", "unit"))
    return "unknown-field", message, "remove the line"


def owners_of(details: Details, name: str) -> list[str]:
    """The types of a group that have a field."""
    return [type_.name for type_ in details.types.values() if name in type_.fields]


def missing_part(context: FieldContext, error: SchemaError, name: str) -> Message:
    """A row without a field that its type requires, or a quantity without value or unit."""
    detail = context.detail
    if detail is not None and detail.kind == "quantity":
        choices = ", ".join(detail.units)
        remedy = f"add `unit: ...`, one of {choices}" if name == "unit" else "add `value: ...`"
        if name == "unit" and len(detail.units) == 1:
            remedy = f"add `unit: {detail.units[0]}`"
        return "missing-field", f"{code_span(context.label)} has no {code_span(name)}", remedy
    type_ = context.detail_type.name if context.detail_type else "type"
    return (
        "missing-field",
        f"this row of {type_} has no {code_span(name)}",
        f"add `{name}: ...` here",
    )


def message(context: FieldContext, error: SchemaError, node: Node) -> Message | None:
    """What is said about a value inside of details; None if nothing is special about it."""
    detail = context.detail
    if detail is None:
        return None
    if detail.kind == "quantity":
        return _about_quantity(context, detail, error)
    limit = _LIMITS.get(error.keyword)
    if limit is not None:
        found = code_span(str(error.found))
        message = f"`{context.label}` cannot be {found}: {limit} {error.expected} is allowed"
        return "out-of-range", message, f"write a number that is {limit} {error.expected}"
    if error.keyword == "uniqueItems":
        return "duplicate-item", f"`{context.label}` names one thing twice", "keep one of them"
    return None


_LIMITS = {"minimum": "at least", "maximum": "at most"}


def _about_quantity(context: FieldContext, detail: Field, error: SchemaError) -> Message | None:
    part = context.path[-1]
    if part == "unit" and error.keyword == "enum":
        near = quantity_hints.units_meant(str(error.found), detail.units)
        remedy = f"write `{near[0]}`" if near else name_hints.one_of(detail.units)
        return "not-in-list", f"`{context.label}` cannot be {code_span(str(error.found))}", remedy
    if part in ("value", "unit"):
        return None
    return quantity_hints.message(context.label, detail, error.found)


def how_to_add(field: Field, type_: DetailType) -> str:
    """The line that gives a missing field."""
    value: Value = "..."
    if field.units:
        value = f"... {field.units[0]}"
    elif field.kind in ("list", "rows", "numbers"):
        value = "[...]"
    return f"`{field.name}: {value}`"
