"""Which record a row means: by its unique name, or by what tells records without one apart."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct, field

from stemctl.core.records import Address, Repository
from stemctl.manifests.declared_names import DeclaredNames
from stemctl.planning.values import canonical
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.takeover.own_keys import type_fields
from stemctl.util.json_types import Fields, Value


class SheetIdentity(Struct):
    """Tells records apart by those of the fields that a sheet has: `written`, by model."""

    catalog: Catalog
    names: DeclaredNames
    written: dict[str, Collection[str]]
    _by: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, model: Model, fields: Fields) -> tuple[Value, ...]:
        """The values that tell a record apart, in one spelling."""
        if model.embedded:
            moments = [name for name in model.embedded.by if fields.get(name) is not None]
            return tuple(self._plain(model.fields[name], fields[name]) for name in moments[:1])
        return tuple(self._plain(model.fields[name], fields.get(name)) for name in self.by(model))

    def missing(self, model: Model, fields: Fields) -> str:
        """A field without which a row means no certain record."""
        if model.embedded:
            has_moment = any(fields.get(name) is not None for name in model.embedded.by)
            return "" if has_moment else model.embedded.by[0]
        needed = [model.parent] if model.nameless and not model.label else self.by(model)
        return next((name for name in needed if name and fields.get(name) is None), "")

    def by(self, model: Model) -> tuple[str, ...]:
        """The fields that tell the records of a model apart."""
        if model.name not in self._by:
            self._by[model.name] = self._fields(model)
        return self._by[model.name]

    def _fields(self, model: Model) -> tuple[str, ...]:
        written = self.written.get(model.name, ())
        if model.identity:
            return (model.identity,)
        if model.together_unique:
            groups = model.together_unique
            return next((one for one in groups if set(one) <= set(written)), groups[0])
        parent = [model.parent] if model.parent else []
        if model.label:
            return (*(name for name in parent if name in written), model.label)
        moments = [row.name for row in model.moments[:1]]
        own = [*type_fields(self.catalog, model)[:1], *moments]
        needed = [row.name for row in model.references if row.kind == "reference" and row.required]
        own = own or [name for name in needed if name != model.parent]
        return (*parent, *(name for name in own if name in written))

    def _plain(self, row: Field, value: Value) -> Value:
        """A value in one spelling, in which a reference is the address of its record."""
        if value is None:
            return None
        if row.kind == "reference":
            meant = self.names.meant(row.to or "", str(value).strip())
            return str(meant or value).strip()
        return canonical(row, value)


class DeclaredRecords:
    """Finds the declared records that rows mean."""

    def __init__(self, model: Model, repository: Repository, identity: SheetIdentity) -> None:
        self.model = model
        self.repository = repository
        self._found: dict[tuple[Value, ...], list[Address]] = {}
        self._entries: dict[tuple[Value, ...], Address] = {}
        self._inside: dict[Address, list[Address]] = {}
        for address, record in repository.records.items():
            row = identity.catalog.models[address.model]
            if row is model:
                self._found.setdefault(identity(model, record.fields), []).append(address)
                if record.parent:
                    self._inside.setdefault(record.parent, []).append(address)
            elif row.embedded and record.parent and record.parent.model == model.name:
                self._entries[record.parent, *identity(row, record.fields)] = address

    def find(self, own: tuple[Value, ...]) -> list[Address]:
        """The records with this identity."""
        return self._found.get(own, [])

    def with_key(self, key: str, parent: Address | None) -> Address | None:
        """The record with a key, inside its parent or not."""
        keys = [key, f"{parent.key}/{key}"] if parent else [key]
        addresses = [Address(self.model.name, one) for one in reversed(keys)]
        return next((one for one in addresses if one in self.repository.records), None)

    def inside(self, parent: Address) -> list[Address]:
        """The records of the model inside another one."""
        return self._inside.get(parent, [])

    def entry(self, parent: Address, own: tuple[Value, ...]) -> Address | None:
        """The entry of a record with this identity."""
        return self._entries.get((parent, *own))
