"""Which live record a declared one is: by the state's id, else its written id, else its unique name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from stemctl.catalog import Catalog, Model
from stemctl.diagnostics import Diagnostic, Severity
from stemctl.planning.values import canonical
from stemctl.records import Address, Completeness, Fields, Reading, Record, Repository, Snapshot, Value
from stemctl.state import Entry, State


@dataclass(frozen=True, slots=True)
class Bound:
    """The record is live. `found` says how: `state`, `id`, `name`, or `elsewhere` (its old id is gone).

    `entry` is its memory, taken over from the address `was` after a rename.
    """

    id: str
    live: Fields
    found: str
    entry: Entry | None = None
    was: Address | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """The record is not on the server, as far as this account may see; `gone` if it was there once."""

    entry: Entry | None = None
    gone: bool = False
    was: Address | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Whether the record is live is not known, because the reading was not complete."""


Binding = Bound | Absent | Unread


@dataclass(frozen=True, slots=True)
class Identities:
    """The binding of every declared record, the state entries left over, and what is wrong."""

    bindings: Mapping[Address, Binding]
    leftovers: Mapping[Address, Entry]
    moved: Mapping[Address, Address] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()

    def id_of(self, address: Address) -> str | None:
        """The id of a declared record that is live."""
        binding = self.bindings.get(address)
        return binding.id if isinstance(binding, Bound) else None


def identify(repository: Repository, state: State, snapshot: Snapshot, catalog: Catalog) -> Identities:
    """Bind every declared record of the repository."""
    entries, moved = _after_moves(repository, state)
    owners = {entry.id: address for address, entry in entries.items() if entry.id}
    bindings: dict[Address, Binding] = {}
    problems: list[Diagnostic] = []
    finders: dict[str, _Finder] = {}
    for address, record in repository.records.items():
        if address.model not in finders:
            model = catalog.models[address.model]
            reading = snapshot.readings.get(model.name, Reading(model.name, Completeness.PARTIAL, {}))
            finders[model.name] = _Finder(repository, entries, owners, model, reading, live_names(model, reading))
        try:
            bound = finders[address.model].bind(record)
            if address in moved and not isinstance(bound, Unread):
                bound = replace(bound, was=moved[address])
            bindings[address] = bound
        except _Contradiction as error:
            problems.append(error.diagnostic)
            bindings[address] = Unread()
    problems += _claimed_twice(repository, bindings)
    taken = {b.was for b in bindings.values() if isinstance(b, Bound) and b.was}
    leftovers = {a: e for a, e in entries.items() if a not in repository.records and a not in taken}
    return Identities(bindings, leftovers, moved, tuple(problems))


def _after_moves(repository: Repository, state: State) -> tuple[dict[Address, Entry], dict[Address, Address]]:
    """The state's entries under the keys that `moved` gives them, and new key to old key."""
    entries = dict(state.records)
    moved: dict[Address, Address] = {}
    for wish in repository.moved:
        old = Address.parse(wish.subject)
        if wish.to is not None and old in entries and wish.to not in entries:
            entries[wish.to] = entries.pop(old)
            moved[wish.to] = moved.pop(old, old)
    return entries, moved


class _Contradiction(Exception):
    def __init__(self, record: Record, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        place = record.places.get(("id",), record.place)
        self.diagnostic = Diagnostic(Severity.ERROR, code, message, place, remedy, str(record.address), "id", record.id)


@dataclass(frozen=True, slots=True)
class _Finder:
    repository: Repository
    entries: Mapping[Address, Entry]
    owners: Mapping[str, Address]
    model: Model
    reading: Reading
    names: Mapping[str, list[str]]

    def bind(self, record: Record) -> Binding:
        entry = self.entries.get(record.address)
        if entry is not None and entry.id is not None:
            return self._by_state(record, entry, entry.id)
        if record.id is not None:
            return self._by_id(record, entry, record.id)
        return self._by_name(record, entry)

    def _by_state(self, record: Record, entry: Entry, id_: str) -> Binding:
        if record.id is not None and record.id != id_:
            raise _Contradiction(
                record,
                "other-id",
                f"the state binds {record.address} to {id_}, not to this id",
                "take the line out, or give this record another key",
            )
        if id_ in self.reading.records:
            return Bound(id_, self.reading.records[id_], "state", entry)
        if id_ not in self.reading.missing:
            return Unread()
        other = self._by_name(record, None)
        if isinstance(other, Bound) and other.was is None:
            return Bound(other.id, other.live, "elsewhere")
        return Absent(entry, gone=True) if isinstance(other, Absent) else other

    def _by_id(self, record: Record, entry: Entry | None, id_: str) -> Binding:
        owner = self.owners.get(id_)
        if owner is not None and owner in self.repository.records:
            raise _Contradiction(
                record,
                "duplicate-id",
                f"this id belongs to {owner}",
                f"see {self.repository.records[owner].place}; an id has one address",
            )
        if id_ in self.reading.records:
            memory = self.entries[owner] if owner else entry
            return Bound(id_, self.reading.records[id_], "state" if owner else "id", memory, was=owner)
        if id_ in self.reading.missing:
            raise _Contradiction(
                record,
                "unknown-id",
                f"no {self.model.words} has this id, or it is hidden from you",
                "take the line out to find the record by its name",
            )
        return Unread()

    def _by_name(self, record: Record, entry: Entry | None) -> Binding:
        name = identity_of(self.model, record.fields)
        if name is None or self.model.identity is None:
            return Absent(entry)
        for id_ in self.names.get(name, ()):
            owner = self.owners.get(id_)
            if owner is None or owner == record.address:
                return Bound(id_, self.reading.records[id_], "name", entry)
            if owner not in self.repository.records:
                return Bound(id_, self.reading.records[id_], "state", self.entries[owner], was=owner)
            # The record that holds the name is declared under another one: it gives the name up in this plan.
            return Absent(entry)
        return Absent(entry) if self.reading.lacks(name) else Unread()


def identity_of(model: Model, fields: Fields) -> str | None:
    """The value of the unique field, as the server keeps it; None where there is none."""
    value: Value = fields.get(model.identity) if model.identity else None
    return canonical(model.fields[model.identity], value) if model.identity and isinstance(value, str) else None


def live_names(model: Model, reading: Reading) -> dict[str, list[str]]:
    """The unique names that were read, each with its ids (of which a sound server gives one)."""
    names: dict[str, list[str]] = {}
    for id_, fields in reading.records.items():
        name = identity_of(model, fields)
        if name is not None:
            names.setdefault(name, []).append(id_)
    return names


def _claimed_twice(repository: Repository, bindings: Mapping[Address, Binding]) -> Iterator[Diagnostic]:
    """One id is never under two addresses."""
    first: dict[str, Address] = {}
    for address, binding in bindings.items():
        if not isinstance(binding, Bound):
            continue
        other = first.setdefault(binding.id, address)
        if other != address:
            yield Diagnostic(
                Severity.ERROR,
                "duplicate-id",
                f"{address} and {other} are the same record on the server, id {binding.id}",
                repository.records[address].place,
                f"see {repository.records[other].place}; keep one, or say with moved which key it has now",
                str(address),
            )
