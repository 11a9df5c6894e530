"""Which declared records refer to others, by what words."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct

from stemctl.core.records import Address, Record
from stemctl.manifests.declared_names import DeclaredNames
from stemctl.manifests.sources import Sources
from stemctl.schema.fields import Field


class Reference(Struct, frozen=True):
    """One word of a field that means a declared record."""

    record: Record
    field: Field
    word: str
    target: Address


def references_to(files: Sources, targets: Collection[Address]) -> Iterator[Reference]:
    """All references to these records, except the places of records inside of others."""
    names = DeclaredNames(files.repository.records.values(), files.catalog)
    models = {address.model for address in targets}
    for record, field, word in _words(files, models):
        target = names.meant(field.to or "", word)
        if target is not None and target in targets:
            yield Reference(record, field, word, target)


def dangling(files: Sources, model: str) -> Iterator[Reference]:
    """References to records of a model that no file declares; `target` is what the key would be."""
    names = DeclaredNames(files.repository.records.values(), files.catalog)
    for record, field, word in _words(files, {model}):
        if not names.candidates(model, word):
            yield Reference(record, field, word, Address(model, word))


def _words(files: Sources, models: Collection[str]) -> Iterator[tuple[Record, Field, str]]:
    for record in files.repository.records.values():
        for field in files.catalog.models[record.address.model].references:
            is_place = record.parent is not None and field.name == (
                files.catalog.models[record.address.model].parent
            )
            if field.to not in models or is_place:
                continue
            value = record.fields.get(field.name)
            for word in value if isinstance(value, list) else [value]:
                if isinstance(word, str):
                    yield record, field, word
