"""The comparison of one record: the results of its fields, folded into one change."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.plan import (
    Action,
    Change,
    FieldChange,
    Held,
    Note,
    StateChange,
)
from stemctl.core.request_paths import request_of
from stemctl.planning.compare_fields import BoundRecord, FieldComparison
from stemctl.planning.in_doubt import is_settled
from stemctl.planning.merge import UNSET
from stemctl.planning.values import expects
from stemctl.util.json_types import Fields


class Comparison(Struct, frozen=True):
    """The result for one record.

    At most one change, at most one state entry that changes without a request, notes and findings.
    `ignored` counts the differences under `ignore_changes`.
    """

    change: Change | None = None
    state_change: StateChange | None = None
    notes: tuple[Note, ...] = ()
    ignored: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()


class _Result(Struct, frozen=True):
    """All fields of a record: what is shown, what is sent, and what the base becomes."""

    changes: tuple[FieldChange, ...]
    body: Fields
    declared: Fields
    observed: Fields
    released: tuple[str, ...]
    detail: tuple[str, ...]


def combine(
    bound: BoundRecord, fields: Mapping[str, FieldComparison], began: datetime.datetime | None
) -> Comparison:
    """Fold the comparisons of all fields of a live record; `began` is when the reading began."""
    result = _Result(
        changes=tuple(change for field in fields.values() for change in field.changes),
        body={name: field.send for name, field in fields.items() if field.send is not UNSET},
        declared={
            name: field.declared for name, field in fields.items() if field.declared is not UNSET
        },
        observed={
            name: field.observed for name, field in fields.items() if field.observed is not UNSET
        },
        released=tuple(sorted(set(bound.base.applied) - set(bound.record.fields))),
        detail=tuple(field.detail for field in fields.values() if field.detail),
    )
    notes = [note for field in fields.values() for note in field.notes]
    notes += _released_notes(bound, result.released)
    if result.changes or bound.adopts:
        change = _change(bound, result)
        state_change = _beside_held(bound, change)
    else:
        change = None
        state_change = _without_change(bound, result, began)
        notes += _renamed_note(bound)
    return Comparison(
        change,
        state_change,
        tuple(notes),
        ignored=sum(field.ignored for field in fields.values()),
        diagnostics=tuple(found for field in fields.values() for found in field.diagnostics),
    )


def _released_notes(bound: BoundRecord, released: Iterable[str]) -> list[Note]:
    record = bound.record
    return [
        Note(
            record.address,
            f"{name} was removed from the file; the server keeps its value",
            record.location,
        )
        for name in released
    ]


def _renamed_note(bound: BoundRecord) -> list[Note]:
    previous = bound.binding.previous_address
    if previous is None:
        return []
    return [Note(bound.record.address, f"was {previous}", bound.record.location)]


def _change(bound: BoundRecord, result: _Result) -> Change:
    record, model, binding = bound.record, bound.model, bound.binding
    fields = result.changes
    conflict = any(field.held is Held.CONFLICT for field in fields)
    if conflict:  # nothing of the record is sent; the fields in conflict come first
        by_conflict = sorted(fields, key=lambda field: field.reason != "conflict")
        fields = tuple(replace(field, held=Held.CONFLICT) for field in by_conflict)
    request = None
    if result.body and not conflict:
        request = request_of(
            model,
            Action.UPDATE,
            record.address,
            id_=binding.id,
            body=result.body,
            live=bound.live,
        )
    takes_over = bound.adopts or any(field.reason == "accepted" for field in fields)
    only_adopts = takes_over and request is None
    held = None
    if conflict:
        held = Held.CONFLICT
    elif request is None and not takes_over:
        held = fields[0].held
    managed = tuple(dict.fromkeys((*record.fields, *result.body)))
    return Change(
        record.address,
        Action.ADOPT if bound.adopts or only_adopts else Action.UPDATE,
        _reason(bound, fields),
        held=held,
        approval=model.approval is not None and request is not None,
        id=binding.id,
        location=record.location,
        request=request,
        fields=fields,
        expects=expects(model, bound.live, managed),
        managed=managed,
        declared={} if conflict else result.declared,
        observed=result.observed,
        released=result.released,
        prevent_delete=record.lifecycle.prevent_delete,
        previous_address=binding.previous_address,
        detail=(*_found(bound), *result.detail),
    )


def _reason(bound: BoundRecord, fields: Iterable[FieldChange]) -> str:
    """The first reason that applies, in the order of the plan document."""
    reasons = {field.reason for field in fields}
    facts = {
        "conflict": "conflict" in reasons,
        "gone_from_server": bound.binding.found == "elsewhere",
        "drift": "drift" in reasons,
        "accepted": bound.accepted,
        "renamed": bound.binding.previous_address is not None,
        "adopted": bound.adopts,
    }
    return next((reason for reason, applies in facts.items() if applies), "edited")


def _found(bound: BoundRecord) -> tuple[str, ...]:
    binding = bound.binding
    if binding.found == "name":
        return (f"found by its name, id {binding.id}",)
    if binding.found == "elsewhere":
        return (f"its old id is gone; found by its name, id {binding.id}",)
    return ()


def _new_protection(bound: BoundRecord) -> bool | None:
    """The new protection against deletion; None if it stays as it is."""
    protects = bound.record.lifecycle.prevent_delete
    return None if protects == bound.entry.prevent_delete else protects


def _beside_held(bound: BoundRecord, change: Change) -> StateChange | None:
    """A held change does not keep a protection or a new key from being remembered."""
    if change.held is None or bound.adopts or bound.entry.approval:
        return None
    protection, previous = _new_protection(bound), bound.binding.previous_address
    if protection is None and previous is None:
        return None
    return StateChange(
        bound.record.address, bound.binding.id, prevent_delete=protection, previous_address=previous
    )


def _without_change(
    bound: BoundRecord, result: _Result, began: datetime.datetime | None
) -> StateChange | None:
    """The state entry of a record for which nothing is sent; None if it stays as it is."""
    binding, entry, protection = bound.binding, bound.entry, _new_protection(bound)
    doubt_decided = binding.found == "sent" or any(
        is_settled(doubt, began) for doubt in entry.pending
    )
    moves = result.declared or result.released or binding.previous_address or entry.approval
    if not (moves or doubt_decided) and protection is None:
        return None
    return StateChange(
        bound.record.address,
        binding.id,
        result.declared,
        observed=result.observed,
        released=result.released,
        prevent_delete=protection,
        previous_address=binding.previous_address,
    )


def block_immutable(bound: BoundRecord, comparison: Comparison) -> Comparison:
    """The comparison; nothing is sent of a change that edits what cannot change."""
    change = comparison.change
    rows = bound.model.fields
    fixed = (
        [f for f in change.fields if f.path in rows and rows[f.path].immutable] if change else []
    )
    if change is None or not fixed:
        return comparison
    blocked = replace(hold(change, Held.BLOCKED), declared={}, observed={}, released=())
    return replace(comparison, change=replace(blocked, detail=tuple(map(_fixed, fixed))))


def _fixed(field: FieldChange) -> str:
    return (
        f"{field.path} cannot change after creation: write {field.before} again, or declare "
        "another record under another key and list this one under deleted:"
    )


def hold(change: Change, held: Held) -> Change:
    """The change, shown and not sent."""
    return replace(change, held=held, request=None, then=(), waits=())
