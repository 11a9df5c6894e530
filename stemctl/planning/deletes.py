"""State entries that no file declares any more: deleted, forgotten, or gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from msgspec import Struct, field

from stemctl.core.address_patterns import matches
from stemctl.core.plan import (
    Action,
    Change,
    FieldChange,
    Held,
    Note,
    StateChange,
)
from stemctl.core.records import Address, Directive, Repository
from stemctl.core.request_paths import request_of
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import Entry
from stemctl.planning.entries import ids_listed
from stemctl.planning.in_doubt import creations, deletion_sent, not_settled
from stemctl.planning.moved_entries import moved_directives
from stemctl.planning.references import Resolver
from stemctl.planning.values import expects, ids_in
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

_KEPT = "it stays in the state until you list it under forget:"


class Departures(Struct):
    """Decides about all state entries that left the files.

    `chosen` are the addresses that the plan looks at, `entries` those that left, and `removed` maps
    the model and id of a record to the ids of those that a change of the plan takes off it.
    """

    repository: Repository
    snapshot: Snapshot
    catalog: Catalog
    resolver: Resolver
    chosen: Set[Address]
    entries: Mapping[Address, Entry]
    removed: Mapping[tuple[str, str], Set[str]]
    _by_id: dict[str, Address] = field(default_factory=dict)
    _names: Mapping[str, Directive] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id = {entry.id: address for address, entry in self.entries.items() if entry.id}
        moved = moved_directives(self.repository, self.catalog)
        named = (*moved, *self.repository.deleted)
        self._names = {directive.subject: directive for directive in named}

    def leave(
        self, address: Address, entry: Entry, granted: frozenset[str]
    ) -> Change | StateChange | Note | None:
        """What becomes of a state entry that left the files; None if the record may or may not be
        live.

        A record that is no longer visible stays in the state, with a note: only a DELETE of our own
        proves that it is gone, and not just hidden from this account.
        """
        forget = self._forgotten(address)
        if forget is not None:
            return Change(
                address, Action.FORGET, "forgotten", id=entry.id, location=forget.location
            )
        if entry.id is None:
            return _leave_unbound(address, entry, self.snapshot)
        reading = self.snapshot.readings.get(address.model)
        if reading is None or not reading.sound:
            return None
        live = reading.records.get(entry.id)
        if live is not None:
            return self._delete(address, entry, live, granted)
        if entry.id not in reading.missing:
            return None
        if deletion_sent(entry):
            return StateChange(address, entry.id, drop=True)
        return Note(address, f"not found: deleted on the server, or hidden from you; {_KEPT}")

    def _forgotten(self, address: Address) -> Directive | None:
        """The entry of `forget:` that names a record, or a parent that left the files with it."""
        for one in self._with_parents(address):
            if str(one) in self._names:
                return None
            for directive in self.repository.forget:
                if matches(directive.subject, one):
                    return directive
        return None

    def _deleted(self, address: Address) -> Directive | None:
        """The entry of `deleted:` that names a record, or a parent that left the files with it."""
        named = (self._names.get(str(one)) for one in self._with_parents(address))
        return next((directive for directive in named if directive is not None), None)

    def _with_parents(self, address: Address) -> Iterator[Address]:
        """A record that left the files, and its parents that left them too, the nearest first."""
        passed = set()
        while address not in passed:
            yield address
            passed.add(address)
            address = self._parent_of(address) or address

    def _parent_of(self, address: Address) -> Address | None:
        model = self.catalog.models[address.model]
        reading = self.snapshot.readings.get(address.model)
        if model.parent is None or reading is None:
            return None
        live = reading.records.get(self.entries[address].id or "", {})
        return self._by_id.get(next(ids_in(live.get(model.parent)), ""))

    def _delete(
        self, address: Address, entry: Entry, live: Fields, granted: frozenset[str]
    ) -> Change:
        model, directive = self.catalog.models[address.model], self._deleted(address)
        outside: list[Address] = []
        dependents = []
        for name in model.dependents:
            listed = ids_listed(self.catalog, model, live, name)
            remaining = list(self._remaining(model, entry, listed, outside))
            if remaining:
                dependents.append(f"{len(remaining):,} in {name}")
        held = None
        if entry.prevent_delete:
            held = Held.PROTECTED
        elif dependents:
            held = None if Held.CASCADE in granted else Held.CASCADE
        elif directive is None and Held.DELETE not in granted:
            held = Held.DELETE
        elif outside:
            held = Held.BLOCKED
        request = request_of(model, Action.DELETE, address, id_=entry.id, body=None, live=live)
        fields = tuple(
            FieldChange(row.name, self.resolver.written(row, live[row.name]), None, "left_files")
            for row in model.managed
            if live.get(row.name)
        )
        return Change(
            address,
            Action.DELETE,
            "left_files",
            held=held,
            id=entry.id,
            location=directive.location if directive else None,
            request=None if held else request,
            fields=fields,
            expects=expects(model, live),
            waits=tuple(sorted(outside)) if held is Held.BLOCKED else (),
            detail=tuple(_detail(address, entry, model, directive, dependents=dependents)),
        )

    def _remaining(
        self, model: Model, entry: Entry, listed: Value, outside: list[Address]
    ) -> Iterator[str]:
        """The records in a list of a record that are there until the server deletes it.

        Those that this plan deletes, or takes off it, are not. Those that it would have to delete
        first, but that are not `chosen`, are added to `outside`.
        """
        taken_off = self.removed.get((model.name, entry.id or ""), ())
        for dependent in filter(None, ids_in(listed)):
            address = self._by_id.get(dependent)
            if dependent in taken_off:
                continue
            if address is None or self._forgotten(address):
                yield dependent
            elif address not in self.chosen:
                outside.append(address)
            elif not self._is_live(address):
                yield dependent

    def _is_live(self, address: Address) -> bool:
        """Whether a record that left the files was read, so that the plan has its delete."""
        reading = self.snapshot.readings.get(address.model)
        id_ = self.entries[address].id
        return reading is not None and reading.sound and id_ in reading.records


def _leave_unbound(address: Address, entry: Entry, snapshot: Snapshot) -> StateChange | Note | None:
    """What becomes of an entry without an id: a record that was only proposed, or never created."""
    if not_settled(creations(entry), snapshot.began):
        return None  # it may still arrive
    if entry.approval is None:
        return StateChange(address, None, drop=True)
    proposal = f"left the files, but its proposal still exists: approval {entry.approval.id}"
    return Note(address, f"{proposal}; {_KEPT}")


def _detail(
    address: Address,
    entry: Entry,
    model: Model,
    directive: Directive | None,
    *,
    dependents: Sequence[str],
) -> Iterator[str]:
    if entry.prevent_delete:
        yield (
            f"prevent_delete is set in the state (run {entry.run}); removing the file does not "
            "clear it, and --allow cannot override it"
        )
    if directive is not None and directive.to is not None:
        yield f"moved: it is added as {directive.to} first"
    elif directive is not None:
        whose = "" if directive.subject == str(address) else f" of {directive.subject}"
        yield f"allowed by the deleted: entry{whose}; its id cannot be restored"
    if dependents:
        yield f"the server may also delete: {', '.join(dependents)}"
    if model.delete_by:
        yield f"only {model.delete_by} may delete it; to leave it there, list it under forget:"
