"""What fields take, in words from their table: for `explain`, and for the pages of the models."""

from __future__ import annotations

from stemctl.schema.catalog import Catalog
from stemctl.schema.detail_values import in_words
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.schema.quantities import text_of
from stemctl.util.json_types import Value

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
    "quantity": "a number and its unit, as in `20 kHz`: {units}",
    "details": "a mapping whose fields depend on {selector}",
    "members": "a mapping of members to their rights: {members}",
    "rows": "a list of mappings",
    "numbers": "a list of numbers",
}


def takes(field: Field) -> str:
    """What a field takes, with all rules."""
    text = kind_words(field, field.to or "")
    if field.enum:
        text += f": one of {', '.join(map(str, field.enum))}"
    if field.unique:
        text += "; must be unique"
    if field.merges:
        text += "; merged with what others added, element by element"
    return text


def kind_words(field: Field, to: str) -> str:
    """What kind of value a field takes; `to` is how the model is called that it refers to."""
    members = ", ".join(field.members)
    selector = field.details.selector if field.details else ""
    units = ", ".join(field.units)
    text = _KINDS[field.kind].format(to=to, members=members, selector=selector, units=units)
    if field.details and field.details.rows:
        text = text.replace("a mapping", "a list of mappings", 1)
    if field.max_length:
        text += f", at most {field.max_length} characters"
    return text


def part_takes(part: Field) -> str:
    """What a field of details takes, and what it is if it is left out."""
    text = in_words(part)
    if part.default is None:
        return text
    return f"{text}; {set_to(text_of(part.default) if part.units else part.default)}"


def set_to(default: Value) -> str:
    """What the server does with a field that is left out."""
    word = str(default).lower() if isinstance(default, bool) else default
    return f"the server sets {word} if it is left out"


def where_written(model: Model, catalog: Catalog) -> str:
    """Where manifests have records of a model: in a list at the top, or inside a parent."""
    parent = catalog.parent_of(model)
    if parent is None:
        return f"In manifests under {model.section}"
    if model.embedded:
        return f"In manifests under {model.section}, inside {parent.one_of_them}"
    return f"In manifests under {model.section}, inside {parent.one_of_them} or at the top"
