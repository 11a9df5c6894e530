"""The declared records by what references call them."""

from __future__ import annotations

from collections.abc import Iterable

from stemctl.core.records import Address, Record
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.util.json_types import is_uuid


def normal(field: Field, record: Record) -> str:
    """A text of a record as the server stores it."""
    text: str = record.fields[field.name]
    return text.strip() if field.trimmed else text


class DeclaredNames:
    """The records by model and key, and by model and what people call them."""

    def __init__(self, records: Iterable[Record], catalog: Catalog) -> None:
        self.by_key: dict[Address, Record] = {}
        self.by_name: dict[tuple[str, str], list[Record]] = {}
        for record in records:
            self.by_key.setdefault(record.address, record)
            model = catalog.models[record.address.model]
            called = model.fields.get(model.called or "")
            if called is None or not isinstance(record.fields.get(called.name), str):
                continue
            name = normal(called, record)
            if name:
                self.by_name.setdefault((model.name, name), []).append(record)

    def candidates(self, model: str, word: str) -> list[Record]:
        """The records that a reference may mean, that with this key first. An id is no name."""
        if is_uuid(word):
            return []
        found = list(self.by_name.get((model, word), ()))
        by_key = self.by_key.get(Address(model, word))
        if by_key is None:
            return found
        return [by_key, *(record for record in found if record is not by_key)]

    def meant(self, model: str, word: str) -> Address | None:
        """The address of the one record that a reference means."""
        found = self.candidates(model, word)
        return found[0].address if len(found) == 1 else None
