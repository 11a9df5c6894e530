"""What a record needs so that it has a key, at the top of a manifest and inside another record, and
what an editor fills in for a new one.
"""

from __future__ import annotations

from collections.abc import Iterable

from stemctl.schema.catalog import Catalog
from stemctl.schema.config_schema import Schema
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value


def nested_lists(model: Model, catalog: Catalog) -> dict[str, Schema]:
    """The lists of records that may be inside a record."""
    return {
        child.section: {
            "type": "array",
            "title": child.title,
            "description": f"{child.description} Those listed here belong to this {model.words}.",
            "items": _def(child),
        }
        for child in catalog.children(model)
    }


def listed_at_top(model: Model) -> Schema:
    """A record in a list at the top of a manifest. One that may also be inside another record has
    no parent there that gives it a key.
    """
    if model.parent is None:
        return _def(model)
    return {**_def(model), **_named_at_top(model), **_snippet(model, inside=False)}


def named(model: Model) -> Schema:
    """What a record needs to have a key, and what a new one begins with."""
    return {**_required_to_name(model), **_snippet(model, inside=model.parent is not None)}


def _def(model: Model) -> Schema:
    return {"$ref": f"#/$defs/{model.name}"}


def _required_to_name(model: Model) -> Schema:
    if model.embedded:
        return {"anyOf": [{"required": [name]} for name in model.embedded.by]}
    if model.parent is None:
        return _named_at_top(model)
    # Inside its parent, a record without a name may have the key of that.
    return _called(model) if model.together_unique else {}


def _named_at_top(model: Model) -> Schema:
    if model.called is None:
        return {"required": ["key"]}
    return {} if model.parent and model.together_unique else _called(model)


def _called(model: Model) -> Schema:
    """Without a key, what the record is called is its key."""
    name = model.called or ""
    filled = {} if model.fields[name].required else {"properties": {name: {"minLength": 1}}}
    return {"if": {"not": {"required": ["key"]}}, "then": {"required": [name], **filled}}


def _snippet(model: Model, inside: bool) -> Schema:
    """A record with what creating it requires, to be filled in."""
    needed = [f for f in model.managed if f.required and not (inside and f.name == model.parent)]
    label = model.fields.get(model.called or "")
    if not inside and label and label not in needed:
        needed.insert(0, label)
    body: dict[str, Value] = {} if inside or model.called else {"key": "$1"}
    for number, field in enumerate(_with_moment(model, needed), len(body) + 1):
        body[field.name] = [f"${number}"] if field.kind in ("references", "list") else f"${number}"
    return {
        "defaultSnippets": [
            {"label": model.words, "description": f"A new {model.words}.", "body": body}
        ]
    }


def _with_moment(model: Model, needed: Iterable[Field]) -> list[Field]:
    """The fields, and the first that tells embedded records apart."""
    moments = [model.fields[name] for name in (model.embedded.by if model.embedded else ())[:1]]
    return [*moments, *(field for field in needed if field not in moments)]
