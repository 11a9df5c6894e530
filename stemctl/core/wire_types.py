"""Documents as types: a class for each JSON object. It checks what is read, shapes what is written,
and describes itself as JSON Schema.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from stemctl.schema.config_schema import Schema, closed
from stemctl.schema.patterns import portable

Number = Annotated[int, msgspec.Meta(ge=0)]
Position = Annotated[int, msgspec.Meta(ge=1)]
"""A line or a column of a file."""

Hash = Annotated[str, msgspec.Meta(pattern=portable("^sha256:[0-9a-f]{64}$"))]


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A JSON object with these keys and no others. A field with a default may be missing.

    `gc=False`: none holds itself, and Python need not search thousands of them for cycles.
    """


def as_object(value: Wire) -> dict[str, Any]:
    """The JSON object of one level, for encoders, which ask again for those inside it."""
    fields = msgspec.structs.asdict(value)
    if msgspec.UNSET in fields.values():
        fields = msgspec.to_builtins(value)  # it copies, and leaves out what is unset
    return fields


def described(text: str, **schema: Any) -> msgspec.Meta:
    """The description of a field. `schema` replaces what follows from its type."""
    return msgspec.Meta(description=text or None, extra_json_schema=schema or None)


_SIMPLE: dict[Any, Schema] = {
    Any: {},
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
}


def json_schema(kind: Any) -> Schema:
    """The JSON Schema of a type."""
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin in (UnionType, Union):
        return _union(arguments)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": json_schema(arguments[0])}
    if origin in (dict, Mapping):
        return {"type": "object"}
    if issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    return _object(kind)


def _annotated(kind: Any, metas: tuple[msgspec.Meta, ...]) -> Schema:
    schema = json_schema(kind)
    for meta in metas:
        if meta.extra_json_schema is not None:
            schema = dict(meta.extra_json_schema)
        if meta.ge is not None:
            schema["minimum"] = meta.ge
        if meta.pattern is not None:
            schema["pattern"] = meta.pattern
        if meta.description is not None:
            schema["description"] = meta.description
    return schema


def _union(kinds: tuple[Any, ...]) -> Schema:
    """A type that may be null, or missing."""
    kind = next(kind for kind in kinds if kind not in (type(None), msgspec.UnsetType))
    schema = json_schema(kind)
    if type(None) not in kinds:
        return schema
    if "enum" in schema:
        return {"enum": [None, *schema["enum"]]}
    if schema.keys() <= {"type", "minimum"}:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _object(kind: type[Wire]) -> Schema:
    hints = get_type_hints(kind, include_extras=True)
    fields = msgspec.structs.fields(kind)
    return {
        **closed(**{field.encode_name: json_schema(hints[field.name]) for field in fields}),
        "required": [field.encode_name for field in fields if field.required],
    }
