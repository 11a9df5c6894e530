"""What details take: the types of a field, and the fields of a type."""

from __future__ import annotations

from typing import Any

from stemctl.errors import ConfigError
from stemctl.render.field_words import part_takes
from stemctl.render.terminal import TerminalStyle
from stemctl.render.width import broken
from stemctl.schema.fields import DetailType, Field
from stemctl.schema.models import Model
from stemctl.util.plural import counted, joined
from stemctl.util.suggest import containing, nearest


def type_named(model: Model, field: Field, name: str) -> DetailType:
    """The type of a name, upper and lower case being the same.

    Raises:
        ConfigError: the field has no such type.
    """
    types = field.details.types if field.details else {}
    names = {type_.casefold(): type_ for type_ in types}
    if (own := names.get(name.casefold())) is not None:
        return types[own]
    near = nearest(name, types) or containing(name, types)
    raise ConfigError(
        f"{model.name}.{field.name} has no type {name!r}.",
        f"Did you mean {joined(near, 'or')}?" if near else "",
        [(f"stemctl explain {model.name}.{field.name}", "lists the types")],
    )


def explain_types(model: Model, field: Field, style: TerminalStyle) -> tuple[str, dict[str, Any]]:
    """The types that details may have, a line for each."""
    types = field.details.types.values() if field.details else ()
    selector = field.details.selector if field.details else ""
    head = broken(f"{model.name}.{field.name}: {field.description}", style.width)
    rows = [(one.name, f"{one.title}, {counted(len(one.fields), 'field')}") for one in types]
    says = f"Depends on `{selector}`. Its types:"
    tail = f"stemctl explain {model.name}.{field.name}.TYPE lists the fields of one."
    text = style.finish([*head, "", says, "", *style.wrapped(rows, indent=2), "", tail])
    return text, {
        "name": field.name,
        "kind": field.kind,
        "description": field.description,
        "selector": selector,
        "types": [{"name": one.name, "title": one.title} for one in types],
    }


def explain_type(
    model: Model, field: Field, type_: DetailType, style: TerminalStyle
) -> tuple[str, dict[str, Any]]:
    """The fields of one type: what each takes, and which are required."""
    head = broken(f"{model.name}.{field.name} of type {type_.name}: {type_.title}", style.width)
    rows = [(part.name, _about(part)) for part in type_.fields.values()]
    lines = style.wrapped(rows, indent=2) if rows else ["It has no fields."]
    shape = ["", "A list of mappings with these fields:"] if type_.rows else []
    return style.finish([*head, *shape, "", *lines]), {
        "type": type_.name,
        "title": type_.title,
        "rows": type_.rows,
        "fields": [
            {
                "name": part.name,
                "kind": part.kind,
                "description": part.description,
                "required": part.required,
                "units": list(part.units),
                "choices": list(part.enum),
                "default": part.default,
            }
            for part in type_.fields.values()
        ],
    }


def _about(part: Field) -> str:
    return f"{'required; ' if part.required else ''}{part.description} Takes {part_takes(part)}"
