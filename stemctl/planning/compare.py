"""One declared record against the server: the change it needs, or none."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.plan import Action, Change, FieldChange, Held, Request
from stemctl.core.records import Record
from stemctl.core.request_paths import request_of
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry
from stemctl.planning.approvals import accepted, hold_proposal
from stemctl.planning.bindings import Absent, Bound, import_command
from stemctl.planning.compare_fields import BoundRecord, compare_field
from stemctl.planning.content import ContentIndex
from stemctl.planning.declared import base_of, written_rows
from stemctl.planning.detail_pairs import paired, unpaired, with_live_type
from stemctl.planning.in_doubt import with_arrived
from stemctl.planning.invited import Invitations
from stemctl.planning.members import added
from stemctl.planning.record_change import Comparison, block_immutable, combine, hold
from stemctl.planning.references import Resolver
from stemctl.planning.values import assemble, elements, identical, is_empty, same_as_sent
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined


class Permissions(Struct, frozen=True):
    """What one record may do that could destroy other people's work."""

    granted: frozenset[str] = frozenset()
    resubmit: bool = False


class RecordComparer(Struct, frozen=True, dict=True):
    """Compares records one by one; holds what all of them need."""

    catalog: Catalog
    snapshot: Snapshot
    resolver: Resolver
    _indices: dict[str, ContentIndex] = field(default_factory=dict)

    def create(self, record: Record, binding: Absent, permissions: Permissions) -> Comparison:
        """The change that creates a record which is not on the server."""
        model = self.catalog.models[record.address.model]
        body, later, fields = self._new_content(record, model)
        change = Change(
            record.address,
            Action.CREATE,
            "gone_from_server" if binding.gone else "new",
            approval=model.approval is not None,
            location=record.location,
            request=request_of(model, Action.CREATE, record.address, id_=None, body=body),
            then=_follow_up(model, record, later),
            fields=fields,
            declared=_base_of_new(model, record),
            prevent_delete=record.lifecycle.prevent_delete,
            previous_address=binding.previous_address,
            detail=(*((_GONE,) if binding.gone else ()), *_said_of(later)),
        )
        if binding.gone and Held.REVERT not in permissions.granted:
            change = hold(change, Held.REVERT)
        twin = self._twin(model, body) if model.nameless else None
        if twin is not None:
            detail = (
                f"the server already has an identical record without an address, {twin}",
                f"to bind it: {import_command(record.address, twin)}",
            )
            change = replace(hold(change, Held.BLOCKED), detail=detail)
        return self._proposal(
            Comparison(change), record, permissions, entry=binding.entry, live_id=None
        )

    def _new_content(
        self, record: Record, model: Model
    ) -> tuple[dict[str, Value], dict[str, Value], tuple[FieldChange, ...]]:
        """The body that creates a record, what is sent after it, and the fields as shown."""
        body: dict[str, Value] = {}
        later: dict[str, Value] = {}
        fields = []
        for row in written_rows(model, record):
            written = _once(row, record.fields[row.name])
            if row.after_create and is_empty(row, written):
                continue
            sent = later if row.after_create else body
            sent[row.name] = _once(row, self.resolver.resolve(row, written, record))
            location = record.location_of(row.name)
            fields.append(
                FieldChange(row.name, None, written, "new", location=location, shown=row.shown)
            )
        empty = unpaired(model, body)
        for row in model.managed:
            if (row.always_sent or row.name in empty) and row.name not in body:
                body[row.name] = row.empty
                fields.append(
                    FieldChange(row.name, None, row.empty, "new", location=record.location)
                )
        return body, later, tuple(fields)

    def _twin(self, model: Model, body: Fields) -> str | None:
        """The id of a live record without an address that has the content of this one."""
        records = self.snapshot.readings[model.name].records
        for id_ in self._contents(model).like(body):
            if id_ not in self._bound_ids and _holds(model, records[id_], body):
                return id_
        return None

    def _contents(self, model: Model) -> ContentIndex:
        if model.name not in self._indices:
            records = self.snapshot.readings[model.name].records
            self._indices[model.name] = ContentIndex(model, records)
        return self._indices[model.name]

    @cached_property
    def _invitations(self) -> Invitations:
        return Invitations(self.catalog, self.snapshot)

    @cached_property
    def _bound_ids(self) -> frozenset[str]:
        """The ids that an address is bound to."""
        bindings = self.resolver.identities.bindings.values()
        entries = self.resolver.state.records.values()
        found = {binding.id for binding in bindings if isinstance(binding, Bound)}
        return frozenset(found | {entry.id for entry in entries if entry.id})

    def update(self, record: Record, binding: Bound, permissions: Permissions) -> Comparison:
        """The change that brings a live record to what the files declare."""
        if self._is_settled(record, binding):
            return _NOTHING
        model = self.catalog.models[record.address.model]
        if model.detailed:
            record, wrong = with_live_type(record, binding.live, model)
            if wrong:
                return Comparison(diagnostics=wrong)
        bound = self._bound_record(record, binding, model)
        fields = {
            row.name: compare_field(
                bound,
                row,
                self.resolver,
                granted=permissions.granted,
                invited=self._invitations.of(bound, row),
            )
            for row in written_rows(model, record)
            if not row.proposal
        }
        together = paired(bound, fields, self.resolver, permissions.granted)
        if together.diagnostics:
            return Comparison(diagnostics=tuple(together.diagnostics))
        combined = combine(bound, together.fields, self.snapshot.began)
        comparison = together.blocked(block_immutable(bound, combined))
        return self._proposal(
            comparison, record, permissions, entry=binding.entry, live_id=binding.id
        )

    def _bound_record(self, record: Record, binding: Bound, model: Model) -> BoundRecord:
        entry = binding.entry or Entry()
        approvals = self._approvals_of(model)
        is_accepted = model.approval is not None and accepted(entry.approval, approvals)
        base = _base(model, entry, binding.live, is_accepted)
        return BoundRecord(record, binding, model, entry=entry, base=base, accepted=is_accepted)

    def _is_settled(self, record: Record, binding: Bound) -> bool:
        """Whether files, base and server are identical, so that there is nothing to do or remember.

        This is a shortcut for most records of most plans. Comparing them field by field would give
        the same result.
        """
        entry, lifecycle = binding.entry, record.lifecycle
        if entry is None or binding.found != "state" or binding.previous_address is not None:
            return False
        if entry.observed or entry.approval or entry.pending:
            return False
        if lifecycle.prevent_delete != entry.prevent_delete:
            return False
        if not identical(record.fields, entry.applied):
            return False
        live, resolver = binding.live, self.resolver
        rows = self.catalog.models[record.address.model].references
        references = [row for row in rows if row.name in record.fields]
        ids = {row.name: resolver.known(row, record.fields[row.name]) for row in references}
        wanted = {**record.fields, **ids}
        there = {name: live[name] for name in wanted if name in live}
        if not identical(wanted, there):
            return False
        for row in references:  # the plan remembers what its names mean
            resolver.resolve(row, record.fields[row.name], record)
        return True

    def _proposal(
        self,
        comparison: Comparison,
        record: Record,
        permissions: Permissions,
        *,
        entry: Entry | None,
        live_id: str | None,
    ) -> Comparison:
        """The comparison, its change held where the approvals of the model say so."""
        model, change = self.catalog.models[record.address.model], comparison.change
        if model.approval is None or change is None or change.request is None:
            return comparison
        change, proposed = hold_proposal(
            change,
            model,
            self._approvals_of(model),
            content={
                name: self.resolver.known(model.fields[name], value)
                for name, value in record.fields.items()
            },
            written=self.resolver.written,
            entry=entry or Entry(),
            live_id=live_id,
            resubmit=permissions.resubmit,
            began=self.snapshot.began,
        )
        return replace(comparison, change=change, state_change=proposed or comparison.state_change)

    def _approvals_of(self, model: Model) -> Reading:
        """The approvals of a model, as read."""
        reading = self.snapshot.approvals.get(model.name)
        if reading is not None:
            return reading
        return Reading(model.name, Completeness.PARTIAL, {}, reason="its approvals were not read")


_NOTHING = Comparison()

_GONE = (
    "deleted on the server, or hidden from you; if you allow it, apply creates it again "
    "with a new id"
)


def _base(model: Model, entry: Entry, live: Fields, is_accepted: bool) -> Entry:
    """What counts as applied and observed.

    What was sent without an answer counts if it is on the server. An accepted proposal counts as
    applied.
    """
    if not is_accepted or entry.approval is None:
        return with_arrived(model, entry, live)
    sent = entry.approval.sent
    shown = {name: live[name] for name in sent if name in live}
    return replace(entry, applied={**entry.applied, **sent}, observed={**entry.observed, **shown})


def _holds(model: Model, live: Fields, body: Fields) -> bool:
    """Whether a record has all these values."""
    return all(name in live and same_as_sent(model.fields[name], body, live) for name in body)


def _base_of_new(model: Model, record: Record) -> Fields:
    """What becomes the base of a new record: no one is removed from it."""
    return {
        name: added(value) if model.fields[name].kind == "members" else value
        for name, value in base_of(model, record).items()
    }


def _follow_up(model: Model, record: Record, body: Fields) -> tuple[Request, ...]:
    """The request for the fields that the server ignores at creation."""
    if not body:
        return ()
    return (request_of(model, Action.UPDATE, record.address, id_=None, body=body),)


def _said_of(later: Fields) -> tuple[str, ...]:
    if not later:
        return ()
    return (f"{joined(list(later))}: sent in a second request, since a creation ignores it",)


def _once(row: Field, value: Value) -> Value:
    """A set holds each element once, however often it was written."""
    if row.kind == "members":
        return added(value)
    once = assemble(row, elements(row, value)) if row.merges else value
    return value if identical(once, value) else once  # mostly, so that it is in memory once
