"""What a model or a field takes, in words, from its table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from stemctl.errors import ConfigError
from stemctl.render.field_words import takes, where_written
from stemctl.render.terminal import TerminalStyle
from stemctl.render.width import broken, columns_of, padded
from stemctl.schema.catalog import Catalog, by_app
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.plural import counted, joined
from stemctl.util.suggest import nearest


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
    """All models of an edition, and what a record of each is; in groups if there are many."""
    number = counted(len(catalog.models), "model")
    lines = [f"Edition {catalog.edition} has {number}:"]
    if len(catalog.models) <= _MOST_UNGROUPED:
        models = list(catalog.models.values())
        rows = [(model.name, _fields_of(model), model.description) for model in models]
        return style.finish([*lines, "", *_model_lines(rows, style)])
    for title, group in by_app(catalog).items():
        models = sorted(group, key=lambda model: not model.writable)
        rows = [(m.name, _done_with(m), _first_sentence(m.description)) for m in models]
        lines += ["", style.paint("bold", title), *_model_lines(rows, style)]
    return style.finish([*lines, *style.sentences([_WORDS_MEAN])])


_WORDS_MEAN = (
    "You declare records in your files. Those that you propose are accepted or rejected by an "
    "administrator of BrainSTEM. Read-only records are shown by get."
)


_MOST_UNGROUPED = 10


def _model_lines(rows: Sequence[tuple[str, str, str]], style: TerminalStyle) -> list[str]:
    """A line for each model: its name, a remark, and what it is."""
    cells = style.columns([row[:2] for row in rows], indent=0)
    width = max(map(columns_of, cells), default=0)
    table = [(padded(cell, width), row[2]) for cell, row in zip(cells, rows, strict=True)]
    return style.wrapped(table, indent=2)


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."


def _fields_of(model: Model) -> str:
    fields = counted(len(model.fields), "field")
    return fields if model.writable else f"{fields}, read-only"


def _done_with(model: Model) -> str:
    """What a lab does with records of a model, in a word."""
    if not model.writable:
        return "read-only"
    if model.write_by:
        return model.write_by
    return "propose" if model.approval is not None else "declare"


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


def explain_model(
    model: Model, style: TerminalStyle, catalog: Catalog
) -> tuple[str, dict[str, Any]]:
    """A model: what it is, a line for each field, and the records that may be inside it."""
    children = catalog.children(model)
    inside = {child.section: child for child in children}
    mirrored = {child.name for child in children}
    width = max(map(len, [*model.fields, *inside]))
    written: list[tuple[str, str]] = []
    read: list[tuple[str, str]] = []
    for field in model.fields.values():
        text = field.description if field.read_only else _short(field)
        if field.to in mirrored and field.read_only and field.name in inside:
            continue  # what the server lists under this name is what manifests write there
        (read if field.read_only else written).append((padded(field.name, width), text))
    head = broken(f"{model.name}: {model.description}", style.width)
    lines, set_by_server = style.wrapped(written, indent=2), style.wrapped(read, indent=2)
    if model.writable:
        lines = [*broken(f"{where_written(model, catalog)}:", style.width), "", *lines]
        if inside:
            rows = [(padded(name, width), child.description) for name, child in inside.items()]
            lines += ["", "Lists of records inside it:", "", *style.wrapped(rows, indent=2)]
        lines += ["", "Set by the server:", ""]
    else:
        lines = ["Read-only in this edition; other records refer to it.", "", *lines]
    lines += set_by_server
    return style.finish([*head, "", *lines]), {
        "model": model.name,
        "fields": [_document(field) for field in model.fields.values()],
        "parent": model.parent,
        "children": [child.name for child in children],
    }


def explain_field(
    model: Model, field: Field, style: TerminalStyle, time_zone: str | None = None
) -> tuple[str, dict[str, Any]]:
    """A field: what it takes, an example, and the source of this; times may be written without an
    offset if there is a `time_zone`.
    """
    rows = [("takes", "nothing: the server sets it" if field.read_only else takes(field))]
    if field.kind == "instant" and not field.read_only:
        rows.append(("offset", _offset_rule(time_zone)))
    if field.required and not field.read_only:
        rows.append(("required", "to create a record"))
    if not field.read_only:
        rows.append(("cleared", f"by {json.dumps(field.empty)}"))
        rows.append(("left out", _left_out(field)))
    if field.example is not None:
        example = json.dumps(field.example, ensure_ascii=False)
        rows.append(("example", f"{field.name}: {example}"))
    rows.append(("source", field.source))
    head = broken(f"{model.name}.{field.name}: {field.description}", style.width)
    return style.finish([*head, "", *style.wrapped(rows, indent=2)]), _document(field)


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


def _document(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "kind": field.kind,
        "description": field.description,
        "required": field.required,
        "read_only": field.read_only,
        "max_length": field.max_length,
        "example": field.example,
        "takes": takes(field),
        "source": field.source,
    }
