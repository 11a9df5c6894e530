"""Adds the records of a seed to a database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from stemctl.errors import ConfigError
from stemctl.sandbox import log_entries, membership
from stemctl.sandbox.body_checks import check_fields, check_others, defaults, missing
from stemctl.sandbox.replies import Refusal
from stemctl.sandbox.seed_names import SeedNames
from stemctl.sandbox.seed_records import SeedRecord, read
from stemctl.sandbox.storage import Storage
from stemctl.sandbox.users import are_members, lab_members, merged_members
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


def add(storage: Storage, data: Mapping[str, Sequence[Fields]]) -> int:
    """Add the records that are new, and return how many were.

    Raises:
        ConfigError: the seed does not fit the tables, or a reference names no record.
    """
    records = read(storage.catalog, data)
    _find_existing(storage, records)
    names = SeedNames(storage, records)
    _give_ids(storage, records)
    _find_together(storage, records, names)
    names.fix_ids()
    new = [record for record in records if not record.exists]
    for record in new:
        storage.add(record.model, _body(storage, record, names), record.id)
    return len(new)


def _find_existing(storage: Storage, records: list[SeedRecord]) -> None:
    """Mark the records that are in the database, or earlier in the seed, by id or identity."""
    seen: dict[tuple[str, Value], SeedRecord] = {}
    for record in records:
        model, identity = record.model, record.model.identity
        keys = [(model.name, key) for key in (record.id, record.name) if isinstance(key, str)]
        same = next((seen[key] for key in keys if key in seen), None)
        live = storage.find(model, record.id) if record.id else None
        if live is None and identity and record.name:
            live = next(iter(storage.holders(model, {identity: record.name}, identity)), None)
        if live is not None or same is not None:
            record.exists = True
            record.id = live.id if live else same.id if same else None
        for key in keys:
            seen.setdefault(key, record)


def _give_ids(storage: Storage, records: list[SeedRecord]) -> None:
    """Give each record an id before it is stored, so that others can refer to it."""
    numbers: dict[str, Iterator[int]] = {}
    for record in records:
        if record.id is not None:
            continue
        if not record.model.integer_ids:
            record.id = storage.new_id(record.model)
            continue
        given = numbers.setdefault(record.model.name, _numbers(storage, record, records))
        record.id = str(next(given))


def _numbers(storage: Storage, record: SeedRecord, records: Sequence[SeedRecord]) -> Iterator[int]:
    model = record.model
    written = [int(r.id) for r in records if r.model is model and r.id is not None]
    yield from itertools.count(max([int(storage.new_id(model)), *(n + 1 for n in written)]))


def _find_together(storage: Storage, records: list[SeedRecord], names: SeedNames) -> None:
    """Mark the records whose values, unique together, a record of the database has."""
    for record in records:
        model = record.model
        for group in model.together_unique if not record.exists else ():
            written = {name: record.fields.get(name) for name in group}
            body = {n: names.resolve(record, model.fields[n], v) for n, v in written.items()}
            found, _ = check_fields(storage.catalog, model, body, seeding=True)
            same = storage.holders(model, found, *group)
            if same:
                record.id, record.exists = same[0].id, True
                break


def _body(storage: Storage, record: SeedRecord, names: SeedNames) -> dict[str, Value]:
    model = record.model
    resolved = {
        name: names.resolve(record, model.fields[name], value)
        for name, value in record.fields.items()
        if name in model.fields
    }
    found, problems = check_fields(storage.catalog, model, resolved, seeding=True)
    problems = {**missing(model, found), **problems, **check_others(model, found, names)}
    if problems:
        raise _not_added(record, problems)
    body = {**defaults(model), **found}
    body |= {name: _members(record, names, name) for name in _member_fields(model)}
    return body | _entries(storage, record, body)


def _not_added(record: SeedRecord, problems: Mapping[str, list[str]]) -> ConfigError:
    details = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in problems.items())
    return ConfigError(f"{record.label} of the seed cannot be added.", details)


def _member_fields(model: Model) -> list[str]:
    """The fields with members, also those that the API does not show."""
    of_access = (model.access.members, model.access.groups) if model.access else ()
    return list(dict.fromkeys([*membership.fields(model), *filter(None, of_access)]))


def _members(record: SeedRecord, names: SeedNames, name: str) -> Value:
    """The members in one field. By default, the lab owns a record."""
    model, value = record.model, record.fields.get(name)
    field = model.fields.get(name)
    rights = membership.rights_of(field)
    if not value:
        is_owners = model.access is not None and name == model.access.members
        return lab_members(rights) if is_owners else {}
    if not are_members(value):
        raise ConfigError(
            f"{record.label} of the seed must write its members as EMAIL: {{can_change: true}}."
        )
    if field is None or not field.of:
        return value
    unknown = [key for key in value if not names.find_by_key(field, key)]
    if unknown:
        raise _not_added(record, {name: [f"There is no {field.of} {key!r}." for key in unknown]})
    return merged_members({}, value, rights)


def _entries(storage: Storage, record: SeedRecord, body: Fields) -> dict[str, Value]:
    """The entries of a record, newest first."""
    for model in storage.catalog.children(record.model):
        if model.embedded is None or not record.entries:
            continue
        done: list[dict[str, Value]] = []
        for written in record.entries:
            try:
                done.append(log_entries.new_entry(storage.catalog, model, body, written, done))
            except Refusal as refusal:
                problems = refusal.answer.body[model.embedded.within]
                raise _not_added(record, problems) from refusal
        return {model.embedded.within: log_entries.newest_first(model.embedded, done)}
    return {}
