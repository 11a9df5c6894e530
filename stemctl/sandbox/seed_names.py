"""The targets of references in a seed: records of the database and of the seed, in any order."""

from __future__ import annotations

from collections.abc import Iterable, Set

from stemctl.errors import ConfigError
from stemctl.sandbox.seed_records import SeedRecord
from stemctl.sandbox.storage import Storage
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value, is_uuid


class SeedNames:
    """Finds the records that references of a seed mean. Also the `Lookups` of its checks."""

    def __init__(self, storage: Storage, records: Iterable[SeedRecord]) -> None:
        self._storage = storage
        self._by_name: dict[tuple[str, str], SeedRecord] = {}
        self._by_other: dict[tuple[str, str], list[SeedRecord]] = {}
        self._records = list(records)
        self._ids: set[tuple[str, str | None]] = set()
        for record in self._records:
            if isinstance(record.name, str):
                self._by_name.setdefault((record.model.name, record.name), record)
            for name in record.names:
                self._by_other.setdefault((record.model.name, name), []).append(record)

    def fix_ids(self) -> None:
        """Note the ids, once each record has one."""
        self._ids = {(record.model.name, record.id) for record in self._records}

    def taken(self, model: Model, body: Fields, names: tuple[str, ...], but: str | None) -> bool:
        """Whether a record of the database has these values."""
        return bool(self._storage.holders(model, body, *names))

    def known(self, field: Field, ids: Set[str]) -> Set[str]:
        """The ids that exist. For a model that the edition lacks, every UUID does."""
        target = self._storage.catalog.models.get(field.to or "")
        if target is None:
            return {id_ for id_ in ids if is_uuid(id_)}
        added = {id_ for id_ in ids if (target.name, id_) in self._ids}
        if added == ids:
            return added
        return added | self._storage.known(target, ids - added)

    def resolve(self, record: SeedRecord, field: Field, value: Value) -> Value:
        """The value of a field with names of records replaced by their ids.

        Raises:
            ConfigError: no record has the name, or several have.
        """
        if not field.to or value is None:
            return value
        if isinstance(value, list):
            return [self._id(record, field, item) for item in value]
        return self._id(record, field, value)

    def _id(self, record: SeedRecord, field: Field, value: Value) -> Value:
        if isinstance(value, SeedRecord):
            return value.id
        if not isinstance(value, str) or is_uuid(value):
            return value
        where = f"{record.label} of the seed, {field.name}"
        target = self._storage.catalog.models.get(field.to or "")
        if target is None:
            raise ConfigError(
                f"{where}: {value!r} is not a UUID.",
                f"This edition has no {field.to} records that a name could refer to.",
            )
        found = self.find(target, value)
        if not found:
            raise ConfigError(f"{where}: no {target.words} has the name {value!r}.")
        if len(found) > 1:
            raise ConfigError(
                f"{where}: {target.count(len(found))} have the name {value!r}.",
                "Give one of them a `key`, and refer to that.",
            )
        return found[0]

    def find_by_key(self, field: Field, key: str) -> list[str | None]:
        """The ids of the records that a key of a field with members means."""
        return self.find(self._storage.catalog.models[field.of or ""], key)

    def find(self, model: Model, name: str) -> list[str | None]:
        """The ids of the records that have a name. A unique name goes before all others."""
        if (model.name, name) in self._by_name:
            return [self._by_name[model.name, name].id]
        identity = model.identity
        if identity:
            live = self._storage.holders(model, {identity: name}, identity)
            return [row.id for row in live]
        ours = [record.id for record in self._by_other.get((model.name, name), ())]
        return list(dict.fromkeys([*ours, *self._live(model, name)]))

    def _live(self, model: Model, name: str) -> list[str]:
        """Records of the database by their label, or by values that are unique together."""
        rows = self._storage.holders(model, {model.label: name}, model.label) if model.label else []
        for group in model.together_unique:
            parts = name.split("/", len(group) - 1)
            if len(parts) != len(group):
                continue
            body: dict[str, Value] = {}
            for part, text in zip(group, parts, strict=True):
                target = self._storage.catalog.models.get(model.fields[part].to or "")
                ids = self.find(target, text) if target else [text]
                body[part] = ids[0] if len(ids) == 1 else None
            rows += self._storage.holders(model, body, *group)
        return [row.id for row in rows]
