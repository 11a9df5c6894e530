"""A creation whose answer was lost, and of which the server does not say clearly what became:
shown, and not sent.
"""

from __future__ import annotations

import shlex
from dataclasses import replace

from stemctl.core.plan import Action, Change, FieldChange, Held
from stemctl.core.records import Record
from stemctl.core.state import PendingRequest
from stemctl.planning.declared import base_of, written_rows
from stemctl.planning.doubts import clock, in_doubt, sent_at
from stemctl.planning.matching import Ambiguous
from stemctl.planning.references import Resolver
from stemctl.planning.values import same
from stemctl.schema.catalog import Field, Model
from stemctl.util.json_types import Fields


def import_line(record: Record, id_: str) -> str:
    """The command that binds a record to an id."""
    return f"stemctl import {shlex.quote(str(record.address))} {id_}"


def undecided(record: Record, binding: Ambiguous, model: Model, resolver: Resolver) -> Change:
    """The change that stands for it: blocked while it may still arrive, a conflict where somebody
    has to decide.
    """
    doubt, lives = binding.doubt, binding.lives
    change = Change(
        record.address,
        Action.CREATE,
        "conflict" if lives else "new",
        Held.CONFLICT if lives else Held.BLOCKED,
        approval=model.approval is not None,
        location=record.location,
        previous_address=binding.previous_address,
        pending_since=doubt.at,
        detail=_words(record, binding, model),
    )
    if len(lives) != 1:
        return change
    ((id_, live),) = lives.items()
    rows = (_against(record, row, live, doubt, resolver) for row in written_rows(model, record))
    return replace(
        change,
        id=id_,
        fields=tuple(f for f in rows if f is not None),
        declared=base_of(model, record),
    )


def _words(record: Record, binding: Ambiguous, model: Model) -> tuple[str, ...]:
    lines = tuple(import_line(record, id_) for id_ in binding.lives)
    if not lines:
        return in_doubt(binding.doubt)
    if len(lines) > 1:
        return (
            f"{len(lines)} records on the server have what was sent; one of these binds it:",
            *lines,
        )
    return (
        f"sent at {clock(sent_at(binding.doubt))} without an answer; one of this {model.identity} is there now, "
        "with other content,",
        f"perhaps somebody else's. If it is not yours, choose another {model.identity}. If it is yours:",
        *lines,
    )


def _against(
    record: Record, row: Field, live: Fields, doubt: PendingRequest, resolver: Resolver
) -> FieldChange | None:
    """A field as it was sent, as the files say, and as the server has it; None where these two agree."""
    written, there = record.fields[row.name], live.get(row.name)
    if row.name not in live or same(row, resolver.resolve(row, written, record), there):
        return None
    return FieldChange(
        row.name,
        resolver.written(row, there),
        written,
        "conflict",
        Held.CONFLICT,
        record.location_of(row.name),
        doubt.declared.get(row.name),
        row.shown,
    )
