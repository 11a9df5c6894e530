"""Details of records whose type comes from defaults, or from the record around them.

Where the type stands beside the details, the schema of the file has checked them already.
Quantities become what the server has: `{"value": 20, "unit": "kHz"}` for `20 kHz`.
"""

from __future__ import annotations

from collections.abc import Iterator

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Record
from stemctl.manifests.document import Document, Node
from stemctl.manifests.field_context import written_type
from stemctl.manifests.layers import Layer
from stemctl.manifests.schema_errors import details_errors
from stemctl.schema.catalog import Catalog
from stemctl.schema.detail_values import as_stored, type_of
from stemctl.schema.fields import DetailType, Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Path


def type_beside(field: Field, fields: Fields, parent: Record | None = None) -> DetailType | None:
    """The type of details by the fields of their record, or by the record around it."""
    if field.details is None:
        return None
    if field.details.of_parent:
        around = parent.fields if parent else {}
        return type_of(field, around.get(field.details.selector.partition(".")[2]))
    return type_of(field, fields.get(field.details.selector))


def stored(layer: Layer, model: Model, parent: Record | None = None) -> dict[str, object]:
    """The details of a record as the server has them, where their type is known."""
    found: dict[str, object] = {}
    for field in model.detailed:
        value = layer.fields.get(field.name)
        type_ = type_beside(field, layer.fields, parent) if value else None
        if type_ is not None:
            found[field.name] = as_stored(type_, value)
    return found


def check(
    document: Document,
    node: Node,
    path: Path,
    *,
    layer: Layer,
    model: Model,
    catalog: Catalog,
    parent: Record | None = None,
) -> Iterator[Diagnostic]:
    """What is wrong with the details that `node` writes without their type; `layer` is the record,
    or the defaults, that it is a part of.
    """
    yield from _wrong_moments(document, node, layer, model, parent)
    for field in model.detailed:
        written = node.members.get(field.name)
        if written is None or written_type(path, field, document):
            continue
        type_ = type_beside(field, layer.fields, parent)
        if type_ is None or field.details is None:
            continue
        errors = details_errors(field.details, type_.name, written.value, (*path, field.name))
        for error in errors:
            from stemctl.manifests.messages import Translator  # most details are valid

            yield from Translator(document, catalog, type_).findings(error)


def _wrong_moments(
    document: Document, node: Node, layer: Layer, model: Model, parent: Record | None
) -> Iterator[Diagnostic]:
    """Moments of an entry that its type does not have: what lasts has a start and an end."""
    types = [type_beside(field, layer.fields, parent) for field in model.detailed]
    type_ = types[0] if types else None
    if model.embedded is None or type_ is None or len(model.embedded.by) == 1:
        return
    moment, start = model.embedded.by
    for field in model.moments:
        if field.name not in node.keys or (field.name == moment) != type_.interval:
            continue
        right = f"`{start}`, and `{_end_of(model)}` once it has ended"
        yield document.finding(
            node.keys[field.name],
            "unknown-field",
            f"an entry of type {type_.name} has no `{field.name}`",
            f"write {right if type_.interval else f'`{moment}`'}",
            field=field.name,
        )


def _end_of(model: Model) -> str:
    """The moment that tells no entries apart: the end of what lasts."""
    by = model.embedded.by if model.embedded else ()
    return next(field.name for field in model.moments if field.name not in by)


def without_type(
    document: Document, node: Node, layer: Layer, model: Model
) -> Iterator[Diagnostic]:
    """The error about defaults that have details, and do not say of which type."""
    for field in model.detailed:
        rule = field.details
        if rule is None or rule.of_parent or field.name not in node.members:
            continue
        if rule.selector not in layer.fields:
            yield document.finding(
                node.keys[field.name],
                "missing-pair",
                f"defaults with `{field.name}` need the `{rule.selector}` that they are of",
                f"add `{rule.selector}: ...` beside it: only records of that type take them",
                field=field.name,
            )


def missing(record: Record, model: Model, parent: Record | None) -> Iterator[Diagnostic]:
    """The fields that the types of a new record require, and that it lacks."""
    for field in model.detailed:
        type_ = type_beside(field, record.fields, parent)
        details = record.fields.get(field.name)
        if type_ is None and details and field.details and field.details.of_parent:
            yield _no_type_around(record, model, field.name)
        if type_ is None or type_.rows or not isinstance(details or {}, dict):
            continue
        for part in type_.fields.values():
            if part.required and part.name not in (details or {}):
                from stemctl.manifests.detail_hints import how_to_add  # most lack nothing

                place = f"below `{field.name}:`" if details else f"below a line `{field.name}:`"
                yield Diagnostic(
                    Severity.ERROR,
                    "missing-field",
                    f"a new {model.words} of type {type_.name} needs `{field.name}.{part.name}`",
                    record.location_of(field.name),
                    f"add {how_to_add(part, type_)} {place}",
                    str(record.address),
                    f"{field.name}.{part.name}",
                    rule=f"required: {part.name}",
                )


def _no_type_around(record: Record, model: Model, name: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "missing-pair",
        f"the type of these `{name}` is not known: no file says it",
        record.location_of(name),
        f"add `type: ...` to the record around this {model.words}",
        str(record.address),
        name,
    )
