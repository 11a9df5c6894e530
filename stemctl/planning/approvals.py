"""What the server's approvals say about a change that can only be proposed."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.plan import Change, FieldChange, Held, StateChange
from stemctl.core.snapshot import Completeness, Reading
from stemctl.core.state import Entry, Proposed
from stemctl.planning.identity import identity_of
from stemctl.planning.in_doubt import may_arrive, not_settled
from stemctl.planning.record_change import hold
from stemctl.planning.values import same
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

DECIDED = ("Accepted", "Rejected")


class ApprovalStatus(Struct, frozen=True):
    """Why a proposal is not sent (None: it may be), the approval that says so, and the detail.

    `other` is true where the pending proposal has different content from the files.
    """

    held: Held | None
    id: str | None = None
    other: bool = False
    content: Fields | None = None
    detail: tuple[str, ...] = ()


def hold_proposal(
    change: Change,
    model: Model,
    approvals: Reading,
    *,
    content: Fields,
    written: Callable[[Field, Value], Value],
    entry: Entry,
    live_id: str | None,
    resubmit: bool,
    began: datetime.datetime | None,
) -> tuple[Change, StateChange | None]:
    """The change as a proposal, held where the approvals say so.

    It is also held while an earlier proposal whose answer was lost may still arrive. If that one
    has arrived, the second value remembers it in the state. `content` is what the files declare,
    with ids, and `written` gives a value with names in their place. `began` is when the reading
    began.
    """
    change = replace(change, approval=True)
    status = approval_status(
        model, content, approvals, live_id=live_id, ours=entry.approval, resubmit=resubmit
    )
    if status.held is None:
        still_open = not_settled(entry.pending, began)
        if not still_open:
            return change, None
        latest = still_open[-1]
        waiting = replace(change, pending_since=latest.at, detail=may_arrive(latest))
        return hold(waiting, Held.BLOCKED), None
    proposed = None
    if entry.pending and status.id and not status.other:
        proposed = StateChange(change.address, live_id, change.declared, approval=status.id)
    fields = change.fields
    if status.other:
        fields = tuple(_against_pending(model, change, status.content or {}, content, written))
    return hold(replace(change, fields=fields, detail=status.detail), status.held), proposed


def _against_pending(
    model: Model,
    change: Change,
    proposed: Fields,
    content: Fields,
    written: Callable[[Field, Value], Value],
) -> Iterator[FieldChange]:
    """The fields that differ from the pending proposal; `before` is what was proposed."""
    for field in change.fields:
        row = model.fields.get(field.path)
        if row is None or row.name not in proposed:
            continue
        if not same(row, proposed[row.name], content.get(row.name)):
            yield replace(field, before=written(row, proposed[row.name]))


def approval_status(
    model: Model,
    content: Fields,
    approvals: Reading,
    *,
    live_id: str | None,
    ours: Proposed | None,
    resubmit: bool,
) -> ApprovalStatus:
    """Whether `content` may be proposed now.

    The same content is never proposed while it is pending. Unless `resubmit` is given, pending
    proposals with different content hold it too, since a proposal cannot be withdrawn, and so does
    a rejection of the same content.
    """
    if approvals.completeness is not Completeness.COMPLETE and ours is None:
        detail = (
            f"it may already be proposed, but the approvals could not be read: {approvals.reason}"
        )
        return ApprovalStatus(Held.PENDING, detail=(detail,))
    found = dict(_about(model, content, approvals, live_id=live_id, ours=ours))
    if ours is not None and ours.id not in found:
        detail = f"approval {ours.id[:8]}, which this account cannot read"
        return ApprovalStatus(Held.PENDING, ours.id, detail=(detail,))
    pending = {id_: fields for id_, fields in found.items() if fields.get("status") not in DECIDED}
    twin = _same_content(model, content, pending)
    if twin is not None:
        return _held(Held.PENDING, twin, pending)
    if resubmit:
        return ApprovalStatus(None)
    if pending:
        return _held(Held.PENDING, next(iter(pending)), pending, other=True)
    rejected = {id_: fields for id_, fields in found.items() if fields.get("status") == "Rejected"}
    twin = _same_content(model, content, rejected)
    if twin is not None:
        return _held(Held.REJECTED, twin, rejected)
    return ApprovalStatus(None)


def accepted(ours: Proposed | None, approvals: Reading) -> bool:
    """Whether our latest proposal was accepted."""
    return ours is not None and approvals.records.get(ours.id, {}).get("status") == "Accepted"


def _about(
    model: Model,
    content: Fields,
    approvals: Reading,
    *,
    live_id: str | None,
    ours: Proposed | None,
) -> Iterator[tuple[str, Fields]]:
    """The approvals of this record: changes of its id, additions of its name, and always ours."""
    name = identity_of(model, content)
    for id_, fields in approvals.records.items():
        if live_id is not None:
            about = fields.get("action") == "Change" and fields.get("instance_id") == live_id
        else:
            adds = fields.get("action") == "Add"
            about = adds and name is not None and identity_of(model, fields) == name
        if about or (ours is not None and id_ == ours.id):
            yield id_, fields


def _same_content(model: Model, content: Fields, proposals: Mapping[str, Fields]) -> str | None:
    """The id of the first proposal that has this content."""
    for id_, fields in proposals.items():
        comparable = [
            name for name in content if name in fields and not model.fields[name].proposal
        ]
        if all(same(model.fields[name], content[name], fields[name]) for name in comparable):
            return id_
    return None


def _held(
    held: Held, id_: str, proposals: Mapping[str, Fields], other: bool = False
) -> ApprovalStatus:
    fields = proposals[id_]
    return ApprovalStatus(held, id_, other, content=fields, detail=_detail(id_, fields))


def _detail(id_: str, fields: Fields) -> tuple[str, ...]:
    status = fields.get("status")
    approval = f"approval {id_[:8]}"
    if status not in (*DECIDED, "Pending"):
        return (f'{approval}, status "{status}"',)
    if status == "Rejected" and fields.get("comments"):
        return approval, f"comments: {fields['comments']}"
    return (approval,)
