"""A whole manifest with a record of a model, from the examples of its fields in the tables."""

from __future__ import annotations

from collections.abc import Iterator

from stemctl.manifests.written import scalar_text
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


def example_manifest(model: Model, catalog: Catalog) -> str:
    """A manifest that can be applied once what it refers to by name is on the server.

    The record has every field that has an example, the records around it only what they need.
    What it refers to and no name finds on the server is declared along with it.
    """
    if not model.writable:
        return ""
    record = _record(model, whole=True)
    sections: dict[str, list[Fields]] = {}
    for field in model.references:
        found = record.get(field.name)
        target = catalog.models[field.to or ""]
        if found is not None and target.nameless and target.parent:
            name = found[0] if isinstance(found, list) else found
            needed = {"key": str(name).rpartition("/")[2], **_record(target)}
            _add(sections, target, needed, catalog)
    _add(sections, model, record, catalog)
    lines = [line for key in sections for line in _section(key, sections[key], "")]
    return "\n".join(lines) + "\n"


def _record(model: Model, *, whole: bool = False) -> Fields:
    needs_key = model.called is None and model.parent is None
    return {
        **({"key": f"my-{model.name}"} if needs_key else {}),
        **_values(model, whole),
    }


def _values(model: Model, whole: bool) -> Fields:
    return {
        field.name: field.example
        for field in model.managed
        if field.name != model.parent and _is_shown(field, whole)
    }


def _is_shown(field: Field, whole: bool) -> bool:
    return field.example is not None and field.shown and (whole or field.required)


def _add(sections: dict[str, list[Fields]], model: Model, record: Fields, catalog: Catalog) -> None:
    """Add a record to a manifest, inside the records that it may be nested in."""
    parent = catalog.parent_of(model)
    if parent is None:
        sections.setdefault(model.section, []).append(record)
        return
    _add(sections, parent, {**_record(parent), model.section: [record]}, catalog)


def _section(key: str, records: list[Fields], indent: str) -> Iterator[str]:
    """A list of records, and lists of mappings inside them likewise, an element below the other."""
    yield f"{key}:"
    for record in records:
        first = f"{indent}  - "
        for name, value in record.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                head, *rest = _section(name, value, f"{indent}    ")
                yield f"{first}{head}"
                yield from rest
            else:
                yield f"{first}{name}: {scalar_text(value)}"
            first = f"{indent}    "
