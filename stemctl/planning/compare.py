"""One declared record against the server: the change it needs, or none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.plan import (
    Action,
    Change,
    FieldChange,
    Held,
    Note,
    Request,
    StateChange,
    request_path,
)
from stemctl.core.records import Record
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry
from stemctl.planning.approvals import ApprovalStatus, accepted, standing
from stemctl.planning.declared import base_of, written_rows
from stemctl.planning.doubts import in_doubt, is_settled, with_arrived
from stemctl.planning.matching import Absent, Bound
from stemctl.planning.merge import UNSET, FieldDiff, FieldVersions, Merged, Verdict, merge_field
from stemctl.planning.not_held import not_held, not_shown
from stemctl.planning.references import Resolver
from stemctl.planning.undecided import import_line
from stemctl.planning.values import assemble, canonical, elements, identical, same
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.canonical_json import hash_of
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value


@dataclass(frozen=True, slots=True)
class Permissions:
    """What one record may do that could destroy somebody else's work."""

    granted: frozenset[str] = frozenset()
    resubmit: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing one record gave: at most one change, at most one state entry that needs no
    request, notes.
    """

    change: Change | None = None
    state_change: StateChange | None = None
    notes: tuple[Note, ...] = ()
    ignored: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class RecordComparer:
    """Compares records one by one; holds what all of them need."""

    catalog: Catalog
    snapshot: Snapshot
    resolver: Resolver

    def create(self, record: Record, binding: Absent, permissions: Permissions) -> Comparison:
        """The change that makes a record which is not on the server."""
        model = self.catalog.models[record.address.model]
        written = {
            row.name: (row, _once(row, record.fields[row.name]))
            for row in written_rows(model, record)
        }
        body = {
            name: _once(row, self.resolver.resolve(row, value, record))
            for name, (row, value) in written.items()
        }
        rows = [_new_field(record, row, value) for row, value in written.values()]
        for row in model.managed:
            if row.always_sent and row.name not in body:
                body[row.name] = row.empty
                rows.append(FieldChange(row.name, None, row.empty, "new", location=record.location))
        change = Change(
            record.address,
            Action.CREATE,
            "gone_from_server" if binding.gone else "new",
            approval=model.approval is not None,
            location=record.location,
            request=Request("POST", request_path(model.app, model.name, Action.CREATE, None), body),
            fields=tuple(rows),
            declared=base_of(model, record),
            prevent_delete=record.lifecycle.prevent_delete,
            previous_address=binding.previous_address,
            detail=(_GONE,) if binding.gone else (),
        )
        if binding.gone and Held.REVERT not in permissions.granted:
            change = _hold(change, Held.REVERT)
        twin = self._twin(model, body) if model.identity is None else None
        if twin is not None:
            detail = (
                f"{twin} on the server is the same, and no address has it",
                import_line(record, twin),
            )
            change = replace(_hold(change, Held.BLOCKED), detail=detail)
        return self._proposal(Comparison(change), record, binding.entry, None, permissions)

    def _twin(self, model: Model, body: Fields) -> str | None:
        """The id of a live record that no address has, and that is as this one would be."""
        reading = self.snapshot.readings[model.name]
        free = (id_ for id_ in reading.records if id_ not in self._bound)
        return next((id_ for id_ in free if _holds(model, reading.records[id_], body)), None)

    @cached_property
    def _bound(self) -> frozenset[str]:
        """The ids that some address has."""
        bindings = self.resolver.identities.bindings.values()
        entries = self.resolver.state.records.values()
        return frozenset(
            {b.id for b in bindings if isinstance(b, Bound)} | {e.id for e in entries if e.id}
        )

    def update(self, record: Record, binding: Bound, permissions: Permissions) -> Comparison:
        """The change that brings a live record to what the files say."""
        if self._is_settled(record, binding):
            return _NOTHING
        work = _Update(
            self, record, binding, self.catalog.models[record.address.model], permissions
        )
        verdicts = work.run()
        if verdicts.change and verdicts.change.request:
            return self._proposal(verdicts, record, binding.entry, binding.id, permissions)
        return verdicts

    def _is_settled(self, record: Record, binding: Bound) -> bool:
        """Whether files, base and server say the very same, so that there is nothing to do, to say
        or to remember.

        Most records of most plans are; any other is compared field by field, which would come to
        the same for these.
        """
        entry, lifecycle, live = binding.entry, record.lifecycle, binding.live
        if entry is None or binding.found != "state" or binding.previous_address is not None:
            return False
        if entry.observed or entry.approval or entry.pending:
            return False
        if lifecycle.prevent_delete != entry.prevent_delete or not identical(
            record.fields, entry.applied
        ):
            return False
        model, resolver = self.catalog.models[record.address.model], self.resolver
        for name, written in record.fields.items():
            row = model.fields[name]
            if name not in live or not identical(resolver.known(row, written), live[name]):
                return False
        for row in model.references:
            if row.name in record.fields:
                resolver.resolve(
                    row, record.fields[row.name], record
                )  # the plan keeps what its names mean
        return True

    def _proposal(
        self,
        verdicts: Comparison,
        record: Record,
        entry: Entry | None,
        live_id: str | None,
        permissions: Permissions,
    ) -> Comparison:
        """Hold a change that can only be proposed while the approvals say so, or do not say yet
        what became of one.
        """
        model, change = self.catalog.models[record.address.model], verdicts.change
        if model.approval is None or change is None or change.held or change.request is None:
            return verdicts
        ours, doubts = (entry.approval, entry.pending) if entry else (None, ())
        change = replace(change, approval=True)
        now = standing(
            model, record.fields, live_id, ours, self.approvals_of(model), permissions.resubmit
        )
        if now.held is None:
            open_ = [doubt for doubt in doubts if not is_settled(doubt, self.snapshot.began)]
            if open_:
                held = _hold(
                    replace(change, pending_since=open_[-1].at, detail=in_doubt(open_[-1])),
                    Held.BLOCKED,
                )
                return replace(verdicts, change=held)
            return replace(verdicts, change=change)
        beside = verdicts.state_change
        if doubts and now.id and not now.other:  # the answer was lost, and here it is
            beside = StateChange(record.address, live_id, change.declared, approval=now.id)
        fields = _against_pending(model, change, now) if now.other else change.fields
        held = _hold(replace(change, fields=fields, detail=now.detail), now.held)
        return replace(verdicts, change=held, state_change=beside)

    def approvals_of(self, model: Model) -> Reading:
        """The approvals of a model, as read."""
        nothing = Reading(
            model.name, Completeness.PARTIAL, {}, reason="its approvals were not read"
        )
        return self.snapshot.approvals.get(model.name, nothing)


_NOTHING = Comparison()


def _holds(model: Model, live: Fields, body: Fields) -> bool:
    """Whether a record has all these values."""
    return all(
        name in live and same(model.fields[name], value, live[name]) for name, value in body.items()
    )


_GONE = (
    "deleted on the server, or hidden from you; allowed, apply creates it again, with another id"
)


def _once(row: Field, value: Value) -> Value:
    """A set holds each element once, however often it was written."""
    return assemble(row, elements(row, value)) if row.merges else value


def _new_field(record: Record, row: Field, value: Value) -> FieldChange:
    return FieldChange(
        row.name, None, value, "new", location=record.location_of(row.name), shown=row.shown
    )


def _hold(change: Change, held: Held) -> Change:
    return replace(change, held=held, request=None, waits=())


def _against_pending(model: Model, change: Change, now: ApprovalStatus) -> tuple[FieldChange, ...]:
    """The fields in which the files differ from what is pending; `before` is what was proposed."""
    content = now.content or {}
    return tuple(
        replace(f, before=content[f.path])
        for f in change.fields
        if f.path in content and not same(model.fields[f.path], content[f.path], f.after)
    )


def expects(model: Model, live: Fields, names: tuple[str, ...] = ()) -> str:
    """The hash of what was read: of the fields in `names`, or of all, relations included, if there
    are none. What the server merely formats differently hashes alike.
    """
    rows = (
        row
        for row in model.fields.values()
        if row.name in live and (not names or row.name in names)
    )
    return hash_of({row.name: canonical(row, live[row.name]) for row in rows})


@dataclass
class _Update:
    """The comparison of one live record, field by field."""

    comparer: RecordComparer
    record: Record
    binding: Bound
    model: Model
    permissions: Permissions
    changes: list[FieldChange] = field(default_factory=list)
    body: dict[str, Value] = field(default_factory=dict)
    declared: dict[str, Value] = field(default_factory=dict)
    observed: dict[str, Value] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    ignored: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def run(self) -> Comparison:
        for row in written_rows(self.model, self.record):
            if not row.proposal:
                self._field(row)
        released = tuple(sorted(set(self.base.applied) - set(self.record.fields)))
        for name in released:
            text = f"{name} released, its line left the file; the server keeps its value"
            self.notes.append(Note(self.record.address, text, self.record.location))
        if self.changes or self.adopts:
            change = self._change(released)
            return self._verdicts(change, self._beside(change))
        if self.binding.previous_address is not None:
            self.notes.append(
                Note(
                    self.record.address,
                    f"was {self.binding.previous_address}",
                    self.record.location,
                )
            )
        return self._verdicts(None, self._state_change(released))

    def _verdicts(self, change: Change | None, state_change: StateChange | None) -> Comparison:
        return Comparison(
            change, state_change, tuple(self.notes), self.ignored, tuple(self.diagnostics)
        )

    @cached_property
    def entry(self) -> Entry:
        """What is remembered of the record; nothing if it is adopted."""
        return self.binding.entry or Entry()

    @cached_property
    def accepted(self) -> bool:
        """Whether the record, or its last change, is our proposal that a reviewer accepted."""
        return self.model.approval is not None and accepted(
            self.entry.approval, self.comparer.approvals_of(self.model)
        )

    @cached_property
    def base(self) -> Entry:
        """What was applied and observed. What was sent without an answer counts if it is there, and
        accepting our proposal makes what we proposed the base.
        """
        if not self.accepted or self.entry.approval is None:
            return with_arrived(self.model, self.entry, self.binding.live)
        sent, live = self.entry.approval.sent, self.binding.live
        return replace(
            self.entry,
            applied={**self.entry.applied, **sent},
            observed={**self.entry.observed, **{name: live[name] for name in sent if name in live}},
        )

    @property
    def adopts(self) -> bool:
        """Whether the record is managed from now on."""
        return self.binding.found in ("id", "name", "elsewhere")

    def _field(self, row: Field) -> None:
        resolver, base, name = self.comparer.resolver, self.base, row.name
        written = self.record.fields[name]
        applied = resolver.recall(row, base.applied[name]) if name in base.applied else UNSET
        sides = FieldVersions(
            resolver.resolve(row, written, self.record),
            applied,
            base.observed.get(name, applied),
            self.binding.live.get(name, UNSET),
        )
        if name in self.record.lifecycle.ignore_changes:
            if sides.live is not UNSET and not same(row, sides.declared, sides.live):
                self.ignored += 1
            return
        merged = merge_field(row, sides, self.permissions.granted)
        self.changes += [self._shown(row, part) for part in merged.parts]
        self.reasons += [merged.why] if merged.why else []
        if merged.send is not UNSET:
            self.body[name] = merged.send
        if self.accepted and merged.form:
            self._reviewed(row, written, sides)
        else:
            self._move_base(row, sides, written, merged)
        if merged.form and not self.accepted:
            self._held_otherwise(row, written, sides.live)

    def _held_otherwise(self, row: Field, written: Value, live: Value) -> None:
        """Say that the server does not hold what was applied."""
        address, location = self.record.address, self.record.location_of(row.name)
        if live is not UNSET:
            there = self.comparer.resolver.written(row, live)
            self.diagnostics.append(not_held(address, row, written, there, location))
        elif row.shown:
            self.diagnostics.append(not_shown(address, row, written, location))
        else:
            self.notes.append(
                Note(address, f"{row.name} was sent, and the server does not show it", location)
            )

    def _move_base(self, row: Field, sides: FieldVersions, written: Value, merged: Merged) -> None:
        """What the base becomes once this change is done, where it becomes anything else."""
        if merged.settled and self._moves(row, sides, written, merged):
            self.declared[row.name] = written
            if (
                merged.send is UNSET
                and sides.live is not UNSET
                and not same(row, sides.declared, sides.live)
            ):
                self.observed[row.name] = sides.live
        elif merged.applied is not UNSET and not same(row, merged.applied, sides.applied):
            self.declared[row.name] = self.comparer.resolver.written(row, merged.applied)
            self.observed[row.name] = merged.observed

    def _moves(self, row: Field, sides: FieldVersions, written: Value, merged: Merged) -> bool:
        """Whether the base says something else than the files and the server do now."""
        if merged.send is not UNSET or sides.applied is UNSET:
            return True
        unmoved = same_json(self.entry.applied.get(row.name), written) and same(
            row, sides.observed, sides.live
        )
        return not unmoved

    def _reviewed(self, row: Field, written: Value, sides: FieldVersions) -> None:
        """The reviewer wrote something else than was proposed: shown once, and taken as the server's form."""
        self.declared[row.name] = written
        self.observed[row.name] = sides.live
        live = self.comparer.resolver.written(row, sides.live)
        self.changes.append(
            FieldChange(
                row.name, written, live, "accepted", None, self.record.location_of(row.name)
            )
        )

    def _shown(self, row: Field, part: FieldDiff) -> FieldChange:
        written = self.comparer.resolver.written
        calm = "adopted" if self.adopts else "edited"
        reasons = {Verdict.DRIFT: "drift", Verdict.CONFLICT: "conflict", Verdict.EDITED: "edited"}
        return FieldChange(
            ".".join(part.path),
            written(row, part.before),
            written(row, part.after),
            reasons.get(part.verdict, calm),
            Held(part.held) if part.held else None,
            self.record.location_of(*part.path),
            written(row, part.base) if part.held == "conflict" else None,
            row.shown,
        )

    def _change(self, released: tuple[str, ...]) -> Change:
        conflict = any(f.held is Held.CONFLICT for f in self.changes)
        fields = tuple(self.changes)
        if conflict:  # nothing of the record is sent; what is in conflict stands first
            self.changes.sort(key=lambda f: f.reason != "conflict")
            fields = tuple(replace(f, held=Held.CONFLICT) for f in self.changes)
        request = None
        if self.body and not conflict:
            path = request_path(self.model.app, self.model.name, Action.UPDATE, self.binding.id)
            request = Request("PATCH", path, self.body)
        takes_over = self.adopts or any(f.reason == "accepted" for f in fields)
        held = Held.CONFLICT if conflict else (None if request or takes_over else fields[0].held)
        return Change(
            self.record.address,
            Action.ADOPT if self.adopts or (takes_over and request is None) else Action.UPDATE,
            self._reason(fields),
            held,
            approval=self.model.approval is not None and request is not None,
            id=self.binding.id,
            location=self.record.location,
            request=request,
            fields=fields,
            expects=expects(self.model, self.binding.live, tuple(self.record.fields)),
            managed=tuple(self.record.fields),
            declared={} if conflict else self.declared,
            observed=self.observed,
            released=released,
            prevent_delete=self.record.lifecycle.prevent_delete,
            previous_address=self.binding.previous_address,
            detail=(*self._found(), *self.reasons),
        )

    def _reason(self, fields: tuple[FieldChange, ...]) -> str:
        """The first that applies, in the order of the plan document."""
        reasons = {f.reason for f in fields}
        facts = {
            "conflict": "conflict" in reasons,
            "gone_from_server": self.binding.found == "elsewhere",
            "drift": "drift" in reasons,
            "accepted": self.accepted,
            "renamed": self.binding.previous_address is not None,
            "adopted": self.adopts,
        }
        return next((reason for reason, applies in facts.items() if applies), "edited")

    def _found(self) -> tuple[str, ...]:
        if self.binding.found == "name":
            return (f"found by its name, id {self.binding.id}",)
        if self.binding.found == "elsewhere":
            return (f"its old id is gone; found by its name, id {self.binding.id}",)
        return ()

    @property
    def protection(self) -> bool | None:
        """The new protection against deletion; None if it stays as it is."""
        protects = self.record.lifecycle.prevent_delete
        return protects if protects != self.entry.prevent_delete else None

    def _beside(self, change: Change) -> StateChange | None:
        """A held change keeps neither a protection nor a new key from being remembered."""
        new = self.protection is not None or self.binding.previous_address is not None
        if not (change.held and new) or self.adopts or self.entry.approval:
            return None
        return StateChange(
            self.record.address,
            self.binding.id,
            prevent_delete=self.protection,
            previous_address=self.binding.previous_address,
        )

    def _state_change(self, released: tuple[str, ...]) -> StateChange | None:
        was, began = self.binding.previous_address, self.comparer.snapshot.began
        settled = (
            any(is_settled(doubt, began) for doubt in self.entry.pending)
            or self.binding.found == "sent"
        )
        if (
            not (self.declared or released or was or self.entry.approval or settled)
            and self.protection is None
        ):
            return None
        return StateChange(
            self.record.address,
            self.binding.id,
            self.declared,
            self.observed,
            released,
            self.protection,
            was,
        )
