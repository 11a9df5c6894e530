"""What to type where records are written inside the wrong record, or where they cannot be."""

from __future__ import annotations

from stemctl.manifests.document import code_span
from stemctl.manifests.field_context import FieldContext, Message
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import is_uuid
from stemctl.util.plural import joined


def no_record(context: FieldContext, text: str) -> Message | None:
    """A text in a list of records: an id, or a name where records have none."""
    model = context.model
    if model is None or (model.called and not is_uuid(text)):
        return None
    what = "an id" if is_uuid(text) else "text"
    section = f"{context.parent.name}.{model.section}" if context.parent else model.section
    message = f"`{section}` lists records to create and change, and {code_span(text)} is {what}"
    remedy = f"write `{{{_example(model)}}}`, or remove it: the server keeps its own list"
    return "wrong-type", message, remedy


def _example(model: Model) -> str:
    """What a new record needs inside its parent, without values."""
    names = [f.name for f in model.managed if f.required and f.name != model.parent]
    return ", ".join(f"{name}: ..." for name in names or [model.called or "key"])


def misplaced_list(
    context: FieldContext, model: Model, name: str, catalog: Catalog
) -> Message | None:
    """A list of records, by its key, inside a record or defaults that cannot have it."""
    inside = catalog.child(model, name)
    if context.in_defaults and inside:
        message = f"defaults cannot contain records such as {code_span(name)}"
        if inside.embedded:
            return "unknown-field", message, f"write them in each {model.words}"
        remedy = f"for defaults of all {inside.section}, write `{name}:` beside `{model.section}:`"
        return "unknown-field", message, remedy
    if name in model.fields:
        return None
    parents = _parents(name, catalog)
    if not parents:
        return None
    message = f"{model.one_of_them} cannot contain {code_span(name)}"
    return "unknown-field", message, f"write them inside their {_words(parents)}"


def no_handle(model: Model, name: str) -> Message | None:
    """A key or id for a record that only its moment tells from others."""
    if not model.embedded or name not in ("key", "id"):
        return None
    message = f"{model.one_of_them} has no {code_span(name)}"
    return "unknown-field", message, "remove it: the record is known by its time"


def no_list_at_top(name: str, catalog: Catalog) -> Message | None:
    """A list that there is only inside other records."""
    if catalog.by_list_key(name):
        return None
    parents = _parents(name, catalog)
    if not parents:
        return None
    message = f"{code_span(name)} cannot be at the top of a file"
    return "unknown-section", message, f"write them inside their {_words(parents)}"


def instead_of(model: Model, field: Field, catalog: Catalog) -> str:
    """What to do about a read-only list of records that have a list of their own."""
    names = [child.section for child in catalog.children(model) if child.name == field.to]
    return f"remove the line, or write records under `{names[0]}:`" if names else "remove the line"


def _parents(section: str, catalog: Catalog) -> list[Model]:
    """The models whose records may contain a list."""
    return [model for model in catalog.writable if catalog.child(model, section)]


def _words(models: list[Model]) -> str:
    return joined([model.words for model in models], "or")
