"""JSON Schemas of single fields, by their kind."""

from __future__ import annotations

from collections.abc import Callable

import yaml

from stemctl.schema.config_schema import Schema, closed
from stemctl.schema.fields import Field, Member
from stemctl.schema.models import Model
from stemctl.schema.patterns import (
    CLEARABLE,
    CLEARABLE_KEY,
    DATE,
    FORMATS,
    INSTANT,
    KEY,
    MEANT,
    NOT_BLANK,
    portable,
)
from stemctl.util.json_types import Value

_DUMPER: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_ONE_LINE = 2**30
"""Columns."""


def field_schema(field: Field, model: Model) -> Schema:
    example = "" if field.example is None else f" Example: {_example(field.example)}"
    schema = {
        "title": field.name.replace("_", " ").capitalize(),
        "description": f"{field.description}{example}",
        **_KINDS[field.kind](field),
    }
    if field.name == model.called and not model.embedded:
        schema |= formed(KEY if field.required else CLEARABLE_KEY)
    if field.enum:
        schema["enum"] = list(field.enum)
    if field.takes_null and "type" in schema:
        schema["type"] = (
            [*schema["type"], "null"]
            if isinstance(schema["type"], list)
            else [schema["type"], "null"]
        )
        if field.enum:
            schema["enum"].append(None)
    return schema


def _example(value: Value) -> str:
    """A value as it is written in a manifest, in one line."""
    if isinstance(value, str):
        return value
    flow = yaml.dump(
        value,
        Dumper=_DUMPER,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=_ONE_LINE,
    )
    return str(flow).removesuffix("\n").removesuffix("\n...")


def formed(pattern: str) -> Schema:
    return {"pattern": pattern, "patternErrorMessage": MEANT[pattern]}


def _text_like(field: Field | Member) -> Schema:
    schema: Schema = {"type": "string"}
    if field.required:
        schema |= {"minLength": 1, **formed(NOT_BLANK)}
    if field.max_length:
        schema["maxLength"] = field.max_length
    if field.format:
        schema |= {**formed(FORMATS[field.format]), "format": field.format}
    return schema


def _optional_text(field: Field) -> Schema:
    """Text of a record: where it has a format, the empty text that clears it is taken too."""
    schema = _text_like(field)
    if field.format and not field.required:
        schema |= formed(CLEARABLE[field.format])
        del schema["format"]
    return schema


def _named(field: Field) -> Schema:
    return {"pattern": portable(field.key_pattern or ""), "patternErrorMessage": field.description}


def _reference(field: Field) -> Schema:
    return {"type": ["string", "integer"] if field.numbered else "string", "minLength": 1}


def _list_of(items: Schema, field: Field) -> Schema:
    return {"type": "array", "items": items, **({"minItems": 1} if field.required else {})}


def _item(field: Field) -> Schema:
    members = {
        name: {"title": name, "description": m.description, **_member(m)}
        for name, m in field.members.items()
    }
    required = [name for name, m in field.members.items() if m.required or name == field.by]
    return {**closed(**members), "required": required}


def _rights(field: Field) -> Schema:
    """The rights of one member, or `{remove: true}`."""
    rights = {
        name: {"title": name, "description": m.description, **_member(m)}
        for name, m in field.members.items()
    }
    remove = {"enum": [True], "title": "remove", "description": "Take out this member."}
    return closed(**rights, remove=remove)


def _member(member: Member) -> Schema:
    schema = _text_like(member) if member.kind == "text" else {"type": member.kind}
    return {**schema, **({"enum": list(member.enum)} if member.enum else {})}


_KINDS: dict[str, Callable[[Field], Schema]] = {
    "text": _optional_text,
    "number": lambda field: {"type": "number"},
    "integer": lambda field: {"type": "integer"},
    "boolean": lambda field: {"type": "boolean"},
    "date": lambda field: {"type": "string", **formed(DATE), "format": "date"},
    "instant": lambda field: {"type": "string", **formed(INSTANT)},
    "reference": lambda field: _reference(field),
    "references": lambda field: _list_of(_reference(field), field),
    "list": lambda field: _list_of({"type": "string", "minLength": 1}, field),
    "items": lambda field: _list_of(_item(field), field),
    "map": lambda field: {
        "type": "object",
        **({"propertyNames": _named(field)} if field.key_pattern else {}),
        "additionalProperties": {"type": ["string", "number"]},
    },
    "json": lambda field: {"type": ["object", "array", "string", "number", "boolean"]},
    "details": lambda field: {
        "type": "array" if field.details and field.details.rows else "object"
    },
    "members": lambda field: {"type": "object", "additionalProperties": _rights(field)},
    "quantity": lambda field: {"type": ["object", "string"]},
    "rows": lambda field: _list_of({"type": "object"}, field),
    "numbers": lambda field: _list_of({"type": "number"}, field),
}
