"""One field of a live record, compared: what is shown, what is sent, and what the base becomes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.plan import FieldChange, Held, Note
from stemctl.core.records import Record
from stemctl.core.state import Entry
from stemctl.planning.bindings import Bound
from stemctl.planning.merge import (
    UNSET,
    FieldDiff,
    FieldVersions,
    MergeCase,
    Merged,
    merge_field,
)
from stemctl.planning.merge_members import NOBODY_KNOWN, Invited, merge_members
from stemctl.planning.not_held import not_held, not_shown
from stemctl.planning.references import Resolver
from stemctl.planning.values import same
from stemctl.schema.detail_values import type_of
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value


class BoundRecord(Struct, frozen=True, dict=True):
    """A declared record, the live record that it is bound to, and what the state knows of it.

    `entry` is what the state holds, `base` what counts as applied and observed. `accepted` says
    that the record, or its last change, is our proposal, and that a reviewer accepted it.
    """

    record: Record
    binding: Bound
    model: Model
    entry: Entry
    base: Entry
    accepted: bool

    @cached_property
    def live(self) -> Fields:
        """The fields of the live record, made of their text once."""
        return self.binding.live

    @property
    def adopts(self) -> bool:
        """Whether the record is managed from now on."""
        return self.binding.found in ("id", "name", "elsewhere")


class FieldComparison(Struct, frozen=True):
    """The result for one field.

    `send` is the value to send; `declared` and `observed` are what the base of the field becomes
    once the change is done. Each is UNSET where there is nothing to send or to remember. `detail`
    explains what is held. `ignored` is true for a difference under `ignore_changes`.
    """

    changes: tuple[FieldChange, ...] = ()
    send: Value = UNSET
    declared: Value = UNSET
    observed: Value = UNSET
    notes: tuple[Note, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    detail: str = ""
    ignored: bool = False


def compare_field(
    bound: BoundRecord,
    row: Field,
    resolver: Resolver,
    *,
    granted: frozenset[str],
    invited: Invited = NOBODY_KNOWN,
) -> FieldComparison:
    """Compare one field that the record declares; `granted` are the permissions of the record."""
    versions = versions_of(bound, row, resolver)
    if row.name in bound.record.lifecycle.ignore_changes:
        shown = versions.live is not UNSET
        return FieldComparison(ignored=shown and not same(row, versions.declared, versions.live))
    if row.kind == "members" and versions.live is not UNSET:
        merged = merge_members(row, versions, granted, invited)
    else:
        merged = merge_field(row, versions, granted)
    declared, observed = _new_base(bound, row, resolver, versions=versions, merged=merged)
    comparison = FieldComparison(
        tuple(_change(bound, row, resolver, diff=diff) for diff in merged.diffs),
        merged.send,
        declared,
        observed,
        detail=merged.why,
        notes=tuple(_notes(bound, row, merged)),
    )
    if not merged.form:
        return comparison
    if bound.accepted:
        return _reviewed(bound, row, resolver, comparison=comparison, live=versions.live)
    return _held_otherwise(bound, row, resolver, comparison=comparison, live=versions.live)


def _notes(bound: BoundRecord, row: Field, merged: Merged) -> Iterator[Note]:
    location = bound.record.location_of(row.name)
    for text in merged.notes:
        yield Note(bound.record.address, f"{row.name}: {text}", location)


def versions_of(bound: BoundRecord, row: Field, resolver: Resolver) -> FieldVersions:
    """The four values of a field that the record declares."""
    base, name = bound.base, row.name
    applied = resolver.recall(row, base.applied[name]) if name in base.applied else UNSET
    if row.details and isinstance(applied, dict):
        applied = _without_required(bound, row, applied)
    return FieldVersions(
        declared=resolver.resolve(row, bound.record.fields[name], bound.record),
        applied=applied,
        observed=base.observed.get(name, applied),
        live=bound.live.get(name, UNSET),
    )


def _without_required(bound: BoundRecord, row: Field, applied: Fields) -> Fields:
    """Details as applied, but those that left the files and that their type requires: they cannot
    be taken out, so they are the server's from now on.
    """
    record, selector = bound.record, row.details.selector if row.details else ""
    type_ = type_of(row, record.fields.get(selector, bound.live.get(selector)))
    declared = record.fields[row.name] or {}
    required = {name for name, part in type_.fields.items() if part.required} if type_ else set()
    return {
        name: part for name, part in applied.items() if name in declared or name not in required
    }


def _change(bound: BoundRecord, row: Field, resolver: Resolver, *, diff: FieldDiff) -> FieldChange:
    """A difference as the plan shows it, with references as they are written."""
    reasons = {
        MergeCase.DRIFT: "drift",
        MergeCase.CONFLICT: "conflict",
        MergeCase.EDITED: "edited",
    }
    in_conflict = diff.held == Held.CONFLICT
    return FieldChange(
        ".".join(diff.path),
        resolver.written(row, diff.before),
        resolver.written(row, diff.after),
        reason=reasons.get(diff.case, "adopted" if bound.adopts else "edited"),
        held=Held(diff.held) if diff.held else None,
        location=bound.record.location_of(*diff.path),
        base=resolver.written(row, diff.base) if in_conflict else None,
        shown=row.shown,
    )


def _new_base(
    bound: BoundRecord,
    row: Field,
    resolver: Resolver,
    *,
    versions: FieldVersions,
    merged: Merged,
) -> tuple[Value, Value]:
    """What becomes applied and observed once the change is done; UNSET where the base stays."""
    written = bound.record.fields[row.name]
    if merged.settled and _base_moves(bound, row, versions=versions, merged=merged):
        answered = merged.send is UNSET and versions.live is not UNSET
        own_form = answered and not same(row, versions.declared, versions.live)
        return written, versions.live if own_form else UNSET
    if merged.applied is not UNSET and not same(row, merged.applied, versions.applied):
        return resolver.written(row, merged.applied), merged.observed
    return UNSET, UNSET


def _base_moves(bound: BoundRecord, row: Field, *, versions: FieldVersions, merged: Merged) -> bool:
    """Whether the base differs from what the files and the server say now."""
    if merged.send is not UNSET or versions.applied is UNSET:
        return True
    written = bound.record.fields[row.name]
    if not same_json(bound.entry.applied.get(row.name), written):
        return True
    return not same(row, versions.observed, versions.live)


def _reviewed(
    bound: BoundRecord,
    row: Field,
    resolver: Resolver,
    *,
    comparison: FieldComparison,
    live: Value,
) -> FieldComparison:
    """The reviewer changed what was proposed: shown once, then taken as the server's form."""
    written = bound.record.fields[row.name]
    if live is UNSET:  # the server does not show the field, so there is nothing to compare
        return replace(comparison, declared=written)
    change = FieldChange(
        row.name,
        written,
        resolver.written(row, live),
        reason="accepted",
        location=bound.record.location_of(row.name),
    )
    return replace(
        comparison, changes=(*comparison.changes, change), declared=written, observed=live
    )


def _held_otherwise(
    bound: BoundRecord,
    row: Field,
    resolver: Resolver,
    *,
    comparison: FieldComparison,
    live: Value,
) -> FieldComparison:
    """The comparison with the finding that the server does not hold what was applied."""
    address, location = bound.record.address, bound.record.location_of(row.name)
    written = bound.record.fields[row.name]
    if live is not UNSET:
        there = resolver.written(row, live)
        finding = not_held(address, row, written, live=there, location=location)
        return replace(comparison, diagnostics=(finding,))
    if row.shown:
        finding = not_shown(address, row, written, location=location)
        return replace(comparison, diagnostics=(finding,))
    note = Note(address, f"{row.name} was sent, but the server does not return it", location)
    return replace(comparison, notes=(note,))
