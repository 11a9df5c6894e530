"""The records of a seed, as they are written: by list key, with children inside their parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from stemctl.errors import ConfigError
from stemctl.sandbox.body_checks import is_stored
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value, is_uuid

_OWN = ("id", "key")


class SeedRecord(Struct):
    """A record of the seed. `label` says where it is, `id` is known once it has one.

    `key` is a name that only the seed knows; `parent` is the record that it is written in.
    """

    model: Model
    fields: dict[str, Value]
    label: str
    id: str | None = None
    key: str | None = None
    parent: SeedRecord | None = None
    exists: bool = False
    entries: list[Fields] = field(default_factory=list)

    @property
    def name(self) -> Value:
        """The value of the identity as stored."""
        identity = self.model.fields[self.model.identity] if self.model.identity else None
        value = self.fields.get(identity.name) if identity else None
        return value.strip() if identity and identity.trimmed and isinstance(value, str) else value

    @property
    def names(self) -> list[str]:
        """What references may call it, besides its identity."""
        found = [self.key, self.fields.get(self.model.label or "")]
        for group in self.model.together_unique:
            values = [self.fields.get(name) for name in group]
            found.append("/".join(map(str, values)))
            found.append(None if self.model.fields[group[-1]].to else values[-1])
        if self.parent and self.parent.called:
            within = [f"{self.parent.called}/{name}" for name in found[:2] if name]
            found += within or [self.parent.called]
        return [name for name in dict.fromkeys(found) if isinstance(name, str)]

    @property
    def called(self) -> str | None:
        """What its children call it."""
        if isinstance(self.name, str):
            return self.name
        names = self.names
        return names[-1] if self.parent and names else next(iter(names), None)


def read(catalog: Catalog, data: Mapping[str, Sequence[Value]]) -> list[SeedRecord]:
    """All records of a seed, parents before their children.

    Raises:
        ConfigError: an unknown list key or field, or an id that is none.
    """
    by_key = {
        key: model
        for model in catalog.models.values()
        for key in (model.many, model.section)
        if not model.embedded
    }
    found: list[SeedRecord] = []
    for key, records in data.items():
        if key not in by_key:
            raise ConfigError(
                f"The seed has an unknown list key: {key!r}.",
                f"Known list keys: {', '.join(sorted(by_key))}.",
            )
        found += _list(catalog, by_key[key], records, key, None)
    return found


def _list(
    catalog: Catalog, model: Model, records: Value, label: str, parent: SeedRecord | None
) -> Iterator[SeedRecord]:
    if not isinstance(records, list):
        raise ConfigError(f"The seed must have a list under {label!r}.")
    for number, record in enumerate(records, 1):
        yield from _record(catalog, model, record, f"{label}[{number}]", parent)


def _record(
    catalog: Catalog, model: Model, written: Value, label: str, parent: SeedRecord | None
) -> Iterator[SeedRecord]:
    if not isinstance(written, Mapping):
        raise ConfigError(
            f"{label} of the seed is not a record.", "A record is a mapping of fields to values."
        )
    name = written.get(model.identity) if model.identity else None
    found = SeedRecord(model, {}, f"{label} ({name})" if name else label, parent=parent)
    nested: list[tuple[Model, Value, str]] = []
    for key, value in written.items():
        child = catalog.child(model, key)
        if child is not None and child.embedded:
            found.entries = _entries(child, value, f"{label}.{key}")
        elif child is not None:
            nested.append((child, value, f"{label}.{key}"))
        elif key not in _OWN:
            found.fields[key] = value
    if parent and model.parent:
        found.fields.setdefault(model.parent, parent)
    _check_fields(catalog, found)
    found.id = _id(found, written.get("id"))
    found.key = written.get("key")
    yield found
    for child, value, where in nested:
        yield from _list(catalog, child, value, where, found)


def _entries(model: Model, written: Value, label: str) -> list[Fields]:
    if not isinstance(written, list):
        raise ConfigError(f"The seed must have a list under {label!r}.")
    for number, entry in enumerate(written, 1):
        if not isinstance(entry, Mapping):
            raise ConfigError(f"{label}[{number}] of the seed is not an entry.")
        unknown = [name for name in entry if name not in model.fields or name == model.parent]
        if unknown:
            names = ", ".join(map(repr, unknown))
            raise ConfigError(f"{label}[{number}] of the seed has unknown fields: {names}.")
    return written


def _check_fields(catalog: Catalog, record: SeedRecord) -> None:
    model = record.model
    known = {f.name for f in model.fields.values() if is_stored(f) or not f.read_only}
    if model.access:
        known |= {name for name in (model.access.members, model.access.groups) if name}
    unknown = [name for name in record.fields if name not in known]
    if unknown:
        known |= {child.section for child in catalog.children(model)}
        raise ConfigError(
            f"{record.label} of the seed has unknown fields: {', '.join(map(repr, unknown))}.",
            f"Known fields: id, {', '.join(sorted(known))}.",
        )


def _id(record: SeedRecord, written: Value) -> str | None:
    if not written:
        return None
    if record.model.integer_ids:
        if isinstance(written, int) and not isinstance(written, bool):
            return str(written)
        raise ConfigError(
            f"{record.label} of the seed has an id that is not a number: {written!r}."
        )
    if not is_uuid(written):
        raise ConfigError(f"{record.label} of the seed has an id that is not a UUID: {written!r}.")
    return str(written).lower()
