"""The database of a sandbox: its storage, and its seed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from stemctl.errors import ConfigError
from stemctl.sandbox.body_checks import check_fields, check_others, defaults, is_stored, missing
from stemctl.sandbox.storage import Storage
from stemctl.sandbox.users import are_members, lab_members
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.json_types import Fields, Value, is_uuid


class Database(Storage):
    """Storage that can be seeded.

    Raises:
        ConfigError: on creation, if the file is not a database of this version.
    """

    def seed(self, data: Mapping[str, list[Fields]]) -> int:
        """Add records in the shape of a manifest, and return how many were added.

        References are names or UUIDs. Fields that only the server sets are allowed. Existing
        records (with the same id, or the same value of the identity) do not change. Either all
        records are added or none.

        Raises:
            ConfigError: an unknown list key or field, an invalid value, or a reference to no
            record.
        """
        with self.transaction():
            entries = _new(self, _entries(self.catalog, data))
            names = _Names(self, entries)
            for entry in entries:
                self.add(entry.model, _body(entry, names), entry.id)
        return len(entries)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A record of the seed. It has an id before it is stored, so that others can refer to it."""

    model: Model
    fields: Fields
    label: str
    id: str

    @property
    def name(self) -> Value:
        """The value of the identity as stored."""
        identity = self.model.fields[self.model.identity] if self.model.identity else None
        value = self.fields.get(identity.name) if identity else None
        return value.strip() if identity and identity.trimmed and isinstance(value, str) else value


def _entries(catalog: Catalog, data: Mapping[str, list[Fields]]) -> Iterator[_Entry]:
    by_key = {model.many: model for model in catalog.models.values()}
    for key, records in data.items():
        if key not in by_key:
            raise ConfigError(
                f"The seed has an unknown list key: {key!r}.",
                f"Known list keys: {', '.join(sorted(by_key))}.",
            )
        if not isinstance(records, list):
            raise ConfigError(f"The seed must have a list under {key!r}.")
        for number, record in enumerate(records, 1):
            yield _entry(by_key[key], record, f"{key}[{number}]")


def _entry(model: Model, record: Value, label: str) -> _Entry:
    if not isinstance(record, Mapping):
        raise ConfigError(
            f"{label} of the seed is not a record.", "A record is a mapping of fields to values."
        )
    name = record.get(model.identity) if model.identity else None
    label = f"{label} ({name})" if name else label
    known = {f.name for f in model.fields.values() if is_stored(f) or not f.read_only}
    unknown = [name for name in record if name not in known and name != "id"]
    if unknown:
        raise ConfigError(
            f"{label} of the seed has unknown fields: {', '.join(map(repr, unknown))}.",
            f"Known fields: id, {', '.join(sorted(known))}.",
        )
    id_ = record.get("id") or str(uuid.uuid4())
    if not is_uuid(id_):
        raise ConfigError(f"{label} of the seed has an id that is not a UUID: {id_!r}.")
    return _Entry(model, {k: v for k, v in record.items() if k != "id"}, label, id_.lower())


def _new(storage: Storage, entries: Iterable[_Entry]) -> list[_Entry]:
    """The entries that are new: neither in the database nor earlier in the seed."""
    found: list[_Entry] = []
    seen: set[tuple[str, Value]] = set()
    for entry in entries:
        model, name = entry.model, entry.name
        keys = {(model.name, key) for key in (entry.id, name) if isinstance(key, str)}
        holder = (
            storage.holder(model, model.fields[model.identity], name)
            if model.identity and name
            else None
        )
        if not (holder or storage.find(model, entry.id) or keys & seen):
            found.append(entry)
        seen |= keys
    return found


def _body(entry: _Entry, names: _Names) -> dict[str, Value]:
    model = entry.model
    resolved = {
        name: names.resolve(entry, model.fields[name], value)
        for name, value in entry.fields.items()
    }
    found, problems = check_fields(model, resolved, seeding=True)
    problems = {**missing(model, found), **problems, **check_others(model, found, names)}
    if problems:
        details = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in problems.items())
        raise ConfigError(f"{entry.label} of the seed cannot be added.", details)
    body = {**defaults(model), **found}
    if model.access and model.access.members:
        body[model.access.members] = _members(
            entry, body.get(model.access.members) or lab_members()
        )
    return body


def _members(entry: _Entry, value: Value) -> Value:
    if not are_members(value):
        raise ConfigError(
            f"{entry.label} of the seed must write its members as EMAIL: {{can_change: true}}."
        )
    return value


class _Names:
    """The targets of references: records of the database and of the seed, in any order."""

    def __init__(self, storage: Storage, entries: Iterable[_Entry]) -> None:
        self._storage = storage
        self._by_name = {(e.model.name, e.name): e.id for e in entries if isinstance(e.name, str)}
        self._ids = {(e.model.name, e.id) for e in entries}

    def taken(self, model: Model, field: Field, value: Value, but: str | None) -> bool:
        """Whether a record of the database has this value. Entries differ in their identity."""
        return self._storage.holder(model, field, value) is not None

    def known(self, field: Field, ids: Set[str]) -> Set[str]:
        """The ids that exist. For a model that the edition lacks, every UUID does."""
        target = self._storage.catalog.models.get(field.to or "")
        if target is None:
            return {id_ for id_ in ids if is_uuid(id_)}
        added = {id_ for id_ in ids if (target.name, id_) in self._ids}
        if added == ids:
            return added
        return added | self._storage.known(target, ids - added)

    def resolve(self, entry: _Entry, field: Field, value: Value) -> Value:
        """The value of a field with names of records replaced by their ids.

        Raises:
            ConfigError: no record has the name.
        """
        if not field.to or value is None:
            return value
        if isinstance(value, list):
            return [self._id(entry, field, item) for item in value]
        return self._id(entry, field, value)

    def _id(self, entry: _Entry, field: Field, value: Value) -> Value:
        if not isinstance(value, str) or is_uuid(value):
            return value
        target = self._storage.catalog.models.get(field.to or "")
        if target is None:
            raise ConfigError(
                f"{entry.label} of the seed, {field.name}: {value!r} is not a UUID.",
                f"This edition has no {field.to} records that a name could refer to.",
            )
        if (target.name, value) in self._by_name:
            return self._by_name[target.name, value]
        live = (
            self._storage.holder(target, target.fields[target.identity], value)
            if target.identity
            else None
        )
        if live is None:
            where = f"{entry.label} of the seed, {field.name}"
            raise ConfigError(f"{where}: no {target.words} has the name {value!r}.")
        return live.id
