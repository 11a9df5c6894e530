"""Finds the live record of a declared one: by the state's id, its written id, or what is unique."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry, PendingRequest
from stemctl.planning.bindings import Absent, Ambiguous, Binding, Bound, Unknown
from stemctl.planning.content import ContentIndex
from stemctl.planning.identity import Key, Resolve, keys_of, live_keys, lookups_of
from stemctl.planning.in_doubt import creations, deletion_sent, find_creation
from stemctl.planning.moves import Entries
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


class Contradiction(Exception):
    """Two statements about which record it is that exclude each other."""

    def __init__(self, record: Record, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        location = record.locations.get(("id",), record.location)
        self.diagnostic = Diagnostic(
            Severity.ERROR, code, message, location, remedy, str(record.address), "id", record.id
        )


class Finder(Struct, dict=True):
    """Finds the live records of one model. `resolve` turns references into ids, those of the models
    that this one is bound after.
    """

    repository: Repository
    memory: Entries
    model: Model
    reading: Reading
    snapshot: Snapshot
    resolve: Resolve
    taken: set[str] = field(default_factory=set)
    """Ids that were found by their content; each belongs to one record."""

    def bind(self, record: Record) -> Binding:
        """The binding of a declared record.

        Raises:
            Contradiction: the files and the state, or two records, exclude each other.
        """
        entry = self.memory.by_address.get(record.address)
        if entry is not None and entry.id is not None:
            return self._by_state(record, entry, entry.id)
        if record.id is not None:
            return self._by_id(record, entry, record.id)
        sent = self.by_sending(entry, record)
        return sent if sent is not None else self._by_key(record, entry)

    def by_sending(self, entry: Entry | None, record: Record | None) -> Binding | None:
        """The record of a creation whose answer was lost.

        None: nothing was sent, or the record is known not to be there, so what is unique decides as
        for any other record. Proposals are looked for among the approvals instead.
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
            self.keys_of(record) if record else (),
            candidates=self._candidates,
            began=self.snapshot.began,
        )
        if isinstance(found, Bound):
            self.taken.add(found.id)
        return found

    def keys_of(self, record: Record) -> tuple[Key, ...]:
        """What tells a declared record apart."""
        return keys_of(self.model, record.fields, self.resolve)

    def _candidates(self, doubt: PendingRequest) -> dict[str, Fields]:
        """The live records that a creation may have made: those with its name, or its content.

        Records that are bound already are left out.
        """
        ids: Iterable[str]
        if self.model.nameless:
            ids = self._by_content.like(doubt.body)
        else:
            ids = [id_ for key in keys_of(self.model, doubt.body) for id_ in self._ids_of(key)]
        return {id_: self.reading.records[id_] for id_ in ids if not self._is_bound(id_)}

    def _is_bound(self, id_: str) -> bool:
        return id_ in self.memory.owners or id_ in self.taken or id_ in self.declared_ids

    def _ids_of(self, key: Key) -> Iterable[str]:
        return self._live_keys.get(key, ())

    @cached_property
    def _live_keys(self) -> Mapping[Key, list[str]]:
        return live_keys(self.model, self.reading.records)

    @cached_property
    def _by_content(self) -> ContentIndex:
        return ContentIndex(self.model, self.reading.records)

    @cached_property
    def declared_ids(self) -> frozenset[str]:
        """The ids that the files write."""
        records = self.repository.records.values()
        return frozenset(record.id for record in records if record.id is not None)

    def _by_state(self, record: Record, entry: Entry, id_: str) -> Binding:
        if record.id is not None and record.id != id_:
            raise Contradiction(
                record,
                "other-id",
                f"{record.address} is bound to another id in the state: {id_}",
                "remove this line, or give the record another key",
            )
        if id_ in self.reading.records:
            return Bound(id_, self.reading.records, "state", entry)
        if id_ not in self.reading.missing:
            return Unknown()
        other = self._by_key(record, None)
        if deletion_sent(entry):  # we deleted it, though the answer was lost
            return other
        if isinstance(other, Bound) and other.previous_address is None:
            return Bound(other.id, other.records, "elsewhere")
        return Absent(entry, gone=True) if isinstance(other, Absent) else other

    def _by_id(self, record: Record, entry: Entry | None, id_: str) -> Binding:
        owner = self.memory.owners.get(id_)
        if owner is not None and owner in self.repository.records:
            raise Contradiction(
                record,
                "duplicate-id",
                f"this id belongs to {owner}",
                f"see {self.repository.records[owner].location}; an id has one address",
            )
        if id_ in self.reading.records:
            memory = self.memory.by_address[owner] if owner else entry
            return Bound(
                id_,
                self.reading.records,
                "state" if owner else "id",
                memory,
                previous_address=owner,
            )
        if id_ in self.reading.missing:
            raise Contradiction(
                record,
                "unknown-id",
                f"no {self.model.words} has this id, or it is hidden from you",
                "remove this line to find the record by its name",
            )
        return Unknown()

    def _by_key(self, record: Record, entry: Entry | None) -> Binding:
        if self.model.nameless:
            is_complete = self.reading.completeness is Completeness.COMPLETE
            return Absent(entry) if is_complete else Unknown()
        keys = self.keys_of(record)
        for key in keys:
            for id_ in self._ids_of(key):
                return self._with_key(record, entry, id_)
        if not keys or self._lacks(record, keys):
            return Absent(entry)
        return Unknown()

    def _with_key(self, record: Record, entry: Entry | None, id_: str) -> Binding:
        """The binding where a live record has what has to be unique."""
        owner = self.memory.owners.get(id_)
        if owner is None or owner == record.address:
            return Bound(id_, self.reading.records, "name", entry)
        if owner not in self.repository.records:
            memory = self.memory.by_address[owner]
            return Bound(id_, self.reading.records, "state", memory, previous_address=owner)
        # The record that has the name is declared under another one: this plan renames it.
        return Absent(entry)

    def _lacks(self, record: Record, keys: tuple[Key, ...]) -> bool:
        """Whether no record with these keys can be seen; none of those that were read has them."""
        if self.model.identity is not None:
            return all(isinstance(key, str) and self.reading.lacks(key) for key in keys)
        return self.reading.has_all(lookups_of(self.model, record.fields))
