"""Which declared records refer to others, by what words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from stemctl.core.records import Address, Record
from stemctl.manifests.declared_names import DeclaredNames
from stemctl.manifests.sources import Sources
from stemctl.schema.fields import Field


@dataclass(frozen=True, slots=True)
class Reference:
    """One word of a field that means a declared record."""

    record: Record
    field: Field
    word: str
    target: Address


def references_to(files: Sources, targets: Collection[Address]) -> Iterator[Reference]:
    """All references to these records, except the places of records inside of others."""
    catalog, records = files.catalog, files.repository.records
    names = DeclaredNames(records.values(), catalog)
    models = {address.model for address in targets}
    for record in records.values():
        model = catalog.models[record.address.model]
        for field in model.references:
            if field.to not in models or (record.parent and field.name == model.parent):
                continue
            value = record.fields.get(field.name)
            for word in value if isinstance(value, list) else [value]:
                target = names.meant(field.to, word) if isinstance(word, str) else None
                if target in targets and isinstance(word, str) and target is not None:
                    yield Reference(record, field, word, target)
