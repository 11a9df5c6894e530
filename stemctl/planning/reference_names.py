"""The names under which references find declared records, before anything was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from stemctl.core.records import Address, Record, Repository
from stemctl.planning.identity import identity_of, splits
from stemctl.planning.values import canonical
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model

Names = dict[tuple[str, str], list[Address]]
"""(model, text) to the declared records that it may mean."""


class ReferenceNames:
    """Names of two kinds: `strong` ones decide (a key, what is unique), `weak` ones mean a record
    only if no other has them, here or on the server (a label, the last of several unique values).
    """

    def __init__(self, repository: Repository, catalog: Catalog) -> None:
        self._catalog = catalog
        self._records = repository.records
        self._named: Names = {}
        """The records whose unique name is not their key: most have their name as key."""
        self._weak: Names = {}
        self._parts: dict[tuple[str, ...], list[Address]] = {}
        records = repository.records
        for address, record in records.items():
            model = catalog.models[address.model]
            name = identity_of(model, record.fields)
            if name is not None and name != address.key:
                self._named.setdefault((address.model, name), []).append(address)
        for address, record in records.items():
            model = catalog.models[address.model]
            if model.identity is None and model.embedded is None:
                self._add(model, record)

    def _add(self, model: Model, record: Record) -> None:
        for text in weak_names(model, record.fields):
            found = self._weak.setdefault((model.name, text), [])
            if record.address not in found:
                found.append(record.address)
        for group in model.together_unique:
            written = [record.fields.get(name) for name in group]
            texts = [text for text in written if isinstance(text, str)]
            if len(texts) == len(group):
                self._parts.setdefault(self._meant(model, group, texts), []).append(record.address)

    def _meant(self, model: Model, group: tuple[str, ...], texts: list[str]) -> tuple[str, ...]:
        """The values of a group, with the address of a declared record in place of its name."""
        found = [model.name, *group]
        for name, text in zip(group, texts, strict=True):
            row = model.fields[name]
            meant = self.strong(row.to, text) if row.to else []
            found.append(str(meant[0]) if len(meant) == 1 else str(canonical(row, text)))
        return tuple(found)

    def strong(self, model: str, text: str) -> list[Address]:
        """The records with this key, unique name, or unique values joined by slashes."""
        found = self._by_key_or_name(Address(model, text))
        if found or not self._parts:
            return found
        table = self._catalog.models.get(model)
        if table is None:
            return []
        for group in table.together_unique:
            for parts in splits(text, len(group)):
                together = self._parts.get(self._meant(table, group, list(parts)))
                if together:
                    return together
        return []

    def _by_key_or_name(self, address: Address) -> list[Address]:
        named = self._named.get(address)
        if address not in self._records:
            return named or []
        return self._strong[address] if named else [address]

    @cached_property
    def _strong(self) -> Names:
        """All keys and unique names, in the order of the files."""
        found: Names = {}
        names = {address: name for (_, name), those in self._named.items() for address in those}
        for address in self._records:
            found.setdefault(address, []).append(address)
            if address in names:
                found.setdefault((address.model, names[address]), []).append(address)
        return found

    def weak(self, model: str, text: str) -> list[Address]:
        """The records that are called so, if no other record is."""
        return self._weak.get((model, text), [])

    def known(self, model: str) -> list[str]:
        """All texts that may mean a record of a model, for proposals."""
        return [text for names in (self._strong, self._weak) for of, text in names if of == model]

    def items(self) -> Iterator[tuple[tuple[str, str], Address]]:
        """Each text that means one record, with the record."""
        for names in (self._weak, self._strong):
            for key, addresses in names.items():
                yield key, addresses[0]


def weak_names(model: Model, fields: Mapping[str, object]) -> Iterator[str]:
    """What people call a record, where that need not be unique."""
    if model.identity is not None:
        return
    names = [group[-1] for group in model.together_unique] or [model.label or ""]
    for name in dict.fromkeys(names):
        row, value = model.fields.get(name), fields.get(name)
        if row is not None and not row.to and isinstance(value, str):
            yield str(canonical(row, value))
