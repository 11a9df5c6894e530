"""The declared records by what references call them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from stemctl.core.records import Address, Record
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.util.json_types import is_uuid


def normal(row: Field, record: Record) -> str:
    """A text of a record as the server stores it."""
    text: str = record.fields[row.name]
    return text.strip() if row.trimmed else text


class DeclaredNames:
    """The records by model and key, and by model and what people call them.

    Both are made for the models that references lead to: the records that are most are hardly ever
    referred to.
    """

    def __init__(self, records: Iterable[Record], catalog: Catalog) -> None:
        self._catalog = catalog
        self._records: dict[str, list[Record]] = {}
        for record in records:
            self._records.setdefault(record.address.model, []).append(record)
        self._called: dict[str, _Called] = {}
        self._known: dict[tuple[str, str], list[Record]] = {}

    def candidates(self, model: str, word: str) -> Sequence[Record]:
        """The records that a reference may mean, that with this key first. An id is no name."""
        found = self._known.get((model, word))
        if found is None:
            if model not in self._called:
                self._called[model] = _called(self._records.get(model, ()), self._catalog)
            found = [] if is_uuid(word) else self._called[model].candidates(word)
            self._known[model, word] = found
        return found

    def meant(self, model: str, word: str) -> Address | None:
        """The address of the one record that a reference means."""
        found = self.candidates(model, word)
        return found[0].address if len(found) == 1 else None


class _Called(Struct):
    """The records of one model: by key, and by what people call them."""

    by_key: dict[str, Record] = field(default_factory=dict)
    by_name: dict[str, list[Record]] = field(default_factory=dict)

    def candidates(self, word: str) -> list[Record]:
        """The records that are called so, that with this key first."""
        found = list(self.by_name.get(word, ()))
        by_key = self.by_key.get(word)
        if by_key is None:
            return found
        return [by_key, *(record for record in found if record is not by_key)]


def _called(records: Iterable[Record], catalog: Catalog) -> _Called:
    found = _Called()
    for record in records:
        found.by_key.setdefault(record.address.key, record)
        model = catalog.models[record.address.model]
        called = model.fields.get(model.called or "")
        if called is None or not isinstance(record.fields.get(called.name), str):
            continue
        name = normal(called, record)
        if name:
            found.by_name.setdefault(name, []).append(record)
    return found
