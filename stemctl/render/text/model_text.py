"""What a model or a field takes, in words, from its table."""

from __future__ import annotations

import json
from typing import Any

from stemctl.errors import ConfigError
from stemctl.render.terminal import TerminalStyle
from stemctl.render.width import columns_of, padded
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.plural import counted, joined
from stemctl.util.suggest import nearest

_KINDS = {
    "id": "an id",
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "date": "a day, like 2024-03-12",
    "instant": (
        "a day, or a date and time with its offset: "
        "2024-03-12T14:00:00+01:00, or ...T13:00:00Z (UTC)"
    ),
    "reference": "the name, key or id of a {to}",
    "references": "names, keys or ids of {to} records",
    "list": "a list of texts",
    "map": "a mapping of names to text or numbers",
    "items": "a list of mappings with {members}",
    "json": "any value",
}


def field_of(model: Model, name: str) -> Field:
    """The field of a name.

    Raises:
        ConfigError: the model has no such field.
    """
    if name in model.fields:
        return model.fields[name]
    near = nearest(name, model.fields)
    raise ConfigError(
        f"{model.name} has no field {name!r}.",
        f"Did you mean {joined(near, 'or')}?" if near else f"It has {joined(list(model.fields))}.",
    )


def models_text(catalog: Catalog, style: TerminalStyle) -> str:
    """All models of an edition: name, number of fields, and what a record of it is."""
    rows = []
    for model in catalog.models.values():
        fields = counted(len(model.fields), "field")
        rows.append((model.name, fields if model.writable else f"{fields}, read-only"))
    texts = [model.description for model in catalog.models.values()]
    cells = style.columns(rows, indent=0)
    width = max(map(columns_of, cells), default=0)
    table = [(padded(cell, width), text) for cell, text in zip(cells, texts, strict=True)]
    number = counted(len(catalog.models), "model")
    title = f"Edition {catalog.edition} has {number}:"
    return style.finish([title, "", *style.wrapped(table, indent=2)])


def models_document(catalog: Catalog) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [
        {
            "model": model.name,
            "description": model.description,
            "fields": len(model.fields),
            "writable": model.writable,
        }
        for model in catalog.models.values()
    ]


def explain_model(model: Model) -> tuple[str, dict[str, Any]]:
    """A model: what it is, and a line for each field."""
    width = max(map(len, model.fields)) + 2
    written, read = [], []
    for field in model.fields.values():
        if field.read_only:
            read.append(f"  {field.name:<{width}}{field.description}")
        else:
            written.append(f"  {field.name:<{width}}{_short(field)}")
    lines = [f"{model.name}: {model.description}", ""]
    if model.writable:
        lines += [
            f"In manifests under {model.many}:",
            "",
            *written,
            "",
            "Set by the server:",
            *read,
        ]
    else:
        lines += [
            "Read-only in this edition; other records refer to it.",
            "",
            *written,
            *read,
        ]
    return "\n".join(lines), {
        "model": model.name,
        "fields": [_document(field) for field in model.fields.values()],
    }


def explain_field(
    model: Model, field: Field, time_zone: str | None = None
) -> tuple[str, dict[str, Any]]:
    """A field: what it takes, an example, and the source of this; times may be written without an
    offset if there is a `time_zone`.
    """
    lines = [f"{model.name}.{field.name}: {field.description}", "", f"  takes     {_takes(field)}"]
    if field.kind == "instant" and not field.read_only:
        lines.append(f"  offset    {_offset_rule(time_zone)}")
    if field.read_only:
        lines[-1] = "  takes     nothing: the server sets it"
    elif field.required:
        lines.append("  required  to create a record")
    if not field.read_only:
        lines.append(f"  cleared   by {json.dumps(field.empty)}")
        lines.append(f"  left out  {_left_out(field)}")
    if field.example is not None:
        lines.append(f"  example   {field.name}: {json.dumps(field.example, ensure_ascii=False)}")
    lines.append(f"  source    {field.source}")
    return "\n".join(lines), _document(field)


def _offset_rule(time_zone: str | None) -> str:
    """What a time without an offset means."""
    if time_zone is None:
        return "required for a time, unless stemctl.yaml has a time_zone, such as Europe/Berlin"
    return f"if a time has none, it is read in {time_zone} (time_zone in stemctl.yaml)"


def _left_out(field: Field) -> str:
    """What happens if a line leaves the file."""
    if not field.merges:
        return "the server keeps its value"
    return "the server keeps its value; but an element that you take out is removed there"


def _short(field: Field) -> str:
    limit = f", at most {field.max_length} characters" if field.max_length else ""
    required = "required; " if field.required else ""
    return f"{required}{field.description}{limit}".replace(".,", ",")


def _takes(field: Field) -> str:
    members = ", ".join(field.members)
    text = _KINDS[field.kind].format(to=field.to, members=members)
    if field.max_length:
        text += f", at most {field.max_length} characters"
    if field.enum:
        text += f": one of {', '.join(map(str, field.enum))}"
    if field.unique:
        text += "; must be unique"
    if field.merges:
        text += "; merged with what others added, element by element"
    return text


def _document(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "kind": field.kind,
        "description": field.description,
        "required": field.required,
        "read_only": field.read_only,
        "max_length": field.max_length,
        "example": field.example,
        "takes": _takes(field),
        "source": field.source,
    }
