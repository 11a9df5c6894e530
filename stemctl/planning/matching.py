"""Which live record a declared one is: by the state's id, its written id, or its unique name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry, PendingRequest, State
from stemctl.planning.bindings import (
    Absent,
    Ambiguous,
    Binding,
    Bound,
    Identities,
    Unknown,
    identity_of,
    live_names,
)
from stemctl.planning.in_doubt import creations, deletion_sent, find_creation
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.json_types import Fields


def identify(
    repository: Repository, state: State, snapshot: Snapshot, catalog: Catalog
) -> Identities:
    """Bind every declared record of the repository."""
    entries, moved = after_moves(repository, state)
    owners = {entry.id: address for address, entry in entries.items() if entry.id}
    bindings: dict[Address, Binding] = {}
    problems: list[Diagnostic] = []
    finders = {
        name: _Finder(
            repository,
            entries,
            owners,
            model=catalog.models[name],
            reading=reading,
            snapshot=snapshot,
        )
        for name, reading in _readings(repository, snapshot, catalog).items()
    }
    for address, record in repository.records.items():
        try:
            binding = finders[address.model].bind(record)
        except _Contradiction as error:
            problems.append(error.diagnostic)
            binding = Unknown()
        if address in moved and not isinstance(binding, Unknown):
            binding = replace(binding, previous_address=moved[address])
        bindings[address] = binding
    for address, entry in entries.items():
        if address not in repository.records and entry.id is None and address.model in finders:
            sent = finders[address.model].by_sending(entry, None)
            if isinstance(sent, Bound):  # its file was removed before the answer arrived
                entries[address] = replace(entry, id=sent.id)
    problems += _claimed_twice(repository, bindings)
    renamed = {
        binding.previous_address for binding in bindings.values() if isinstance(binding, Bound)
    }
    declared_or_renamed = repository.records.keys() | renamed
    leftovers = {
        address: entry for address, entry in entries.items() if address not in declared_or_renamed
    }
    return Identities(bindings, leftovers, entries, moved, tuple(problems))


def _readings(repository: Repository, snapshot: Snapshot, catalog: Catalog) -> dict[str, Reading]:
    """What was read of each model; nothing for a model that is declared but was not read."""
    declared = {address.model for address in repository.records}
    unread = {name: Reading(name, Completeness.PARTIAL, {}, reason="not read") for name in declared}
    readings = {**unread, **snapshot.readings}
    return {name: reading for name, reading in readings.items() if name in catalog.models}


def after_moves(
    repository: Repository, state: State
) -> tuple[dict[Address, Entry], dict[Address, Address]]:
    """The state's entries under the keys that `moved` gives them, and new key to old key."""
    entries = dict(state.records)
    moved: dict[Address, Address] = {}
    for directive in repository.moved:
        old = Address.parse(directive.subject)
        if directive.to is not None and old in entries and directive.to not in entries:
            entries[directive.to] = entries.pop(old)
            moved[directive.to] = moved.pop(old, old)
    return entries, moved


class _Contradiction(Exception):
    def __init__(self, record: Record, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        location = record.locations.get(("id",), record.location)
        self.diagnostic = Diagnostic(
            Severity.ERROR, code, message, location, remedy, str(record.address), "id", record.id
        )


@dataclass
class _Finder:
    """Finds the live records of one model."""

    repository: Repository
    entries: Mapping[Address, Entry]
    owners: Mapping[str, Address]
    model: Model
    reading: Reading
    snapshot: Snapshot
    taken: set[str] = field(default_factory=set)
    """Ids that were found by their content; each belongs to one record."""

    def bind(self, record: Record) -> Binding:
        entry = self.entries.get(record.address)
        if entry is not None and entry.id is not None:
            return self._by_state(record, entry, entry.id)
        if record.id is not None:
            return self._by_id(record, entry, record.id)
        sent = self.by_sending(entry, identity_of(self.model, record.fields))
        return sent if sent is not None else self._by_name(record, entry)

    def by_sending(self, entry: Entry | None, name: str | None) -> Binding | None:
        """The record of a creation whose answer was lost.

        None: nothing was sent, or the record is known not to be there, so `name` decides as for any
        other record. Proposals are looked for among the approvals instead.
        """
        doubts = creations(entry)
        if not doubts or self.model.approval is not None:
            return None
        if not self.reading.sound:
            return Unknown()
        if self.snapshot.remembered:
            return Ambiguous({}, doubts[-1])
        found = find_creation(
            self.model,
            entry or Entry(),
            name,
            candidates=self._candidates,
            began=self.snapshot.began,
        )
        if isinstance(found, Bound):
            self.taken.add(found.id)
        return found

    def _candidates(self, doubt: PendingRequest) -> dict[str, Fields]:
        """The live records that a creation may have made: those of its name, or all without a name.

        Records that are bound already are left out.
        """
        ids: Iterable[str] = self.reading.records
        if self.model.identity is not None:
            ids = self.names.get(identity_of(self.model, doubt.body) or "", ())
        return {id_: self.reading.records[id_] for id_ in ids if not self._is_bound(id_)}

    def _is_bound(self, id_: str) -> bool:
        return id_ in self.owners or id_ in self.taken or id_ in self.declared_ids

    @cached_property
    def names(self) -> Mapping[str, list[str]]:
        """The unique names that were read, each with its ids."""
        return live_names(self.model, self.reading)

    @cached_property
    def declared_ids(self) -> frozenset[str]:
        """The ids that the files write."""
        records = self.repository.records.values()
        return frozenset(record.id for record in records if record.id is not None)

    def _by_state(self, record: Record, entry: Entry, id_: str) -> Binding:
        if record.id is not None and record.id != id_:
            raise _Contradiction(
                record,
                "other-id",
                f"{record.address} is bound to another id in the state: {id_}",
                "remove this line, or give the record another key",
            )
        if id_ in self.reading.records:
            return Bound(id_, self.reading.records[id_], "state", entry)
        if id_ not in self.reading.missing:
            return Unknown()
        other = self._by_name(record, None)
        if deletion_sent(entry):  # we deleted it, though the answer was lost
            return other
        if isinstance(other, Bound) and other.previous_address is None:
            return Bound(other.id, other.live, "elsewhere")
        return Absent(entry, gone=True) if isinstance(other, Absent) else other

    def _by_id(self, record: Record, entry: Entry | None, id_: str) -> Binding:
        owner = self.owners.get(id_)
        if owner is not None and owner in self.repository.records:
            raise _Contradiction(
                record,
                "duplicate-id",
                f"this id belongs to {owner}",
                f"see {self.repository.records[owner].location}; an id has one address",
            )
        if id_ in self.reading.records:
            memory = self.entries[owner] if owner else entry
            return Bound(
                id_,
                self.reading.records[id_],
                "state" if owner else "id",
                memory,
                previous_address=owner,
            )
        if id_ in self.reading.missing:
            raise _Contradiction(
                record,
                "unknown-id",
                f"no {self.model.words} has this id, or it is hidden from you",
                "remove this line to find the record by its name",
            )
        return Unknown()

    def _by_name(self, record: Record, entry: Entry | None) -> Binding:
        name = identity_of(self.model, record.fields)
        if self.model.identity is None and self.reading.completeness is not Completeness.COMPLETE:
            return Unknown()
        if name is None or self.model.identity is None:
            return Absent(entry)
        for id_ in self.names.get(name, ()):
            owner = self.owners.get(id_)
            if owner is None or owner == record.address:
                return Bound(id_, self.reading.records[id_], "name", entry)
            if owner not in self.repository.records:
                return Bound(
                    id_,
                    self.reading.records[id_],
                    "state",
                    self.entries[owner],
                    previous_address=owner,
                )
            # The record that has the name is declared under another one: this plan renames it.
            return Absent(entry)
        return Absent(entry) if self.reading.lacks(name) else Unknown()


def _claimed_twice(
    repository: Repository, bindings: Mapping[Address, Binding]
) -> Iterator[Diagnostic]:
    """A finding for each record that another address is bound to as well."""
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
                location=repository.records[address].location,
                remedy=f"see {repository.records[other].location}; keep one of them, "
                "or list the new key under moved:",
                address=str(address),
            )
