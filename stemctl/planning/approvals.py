"""What the server's approvals say about a change that can only be proposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stemctl.core.plan import Held
from stemctl.core.snapshot import Completeness, Reading
from stemctl.core.state import Proposed
from stemctl.planning.matching import identity_of
from stemctl.planning.values import same
from stemctl.schema.catalog import Model
from stemctl.util.json_types import Fields

DECIDED = ("Accepted", "Rejected")


@dataclass(frozen=True, slots=True)
class ApprovalStatus:
    """Why a proposal is not sent (None: it may be), the approval that says so, and words about it.

    `other` is true where what is pending has another content than the files.
    """

    held: Held | None
    id: str | None = None
    other: bool = False
    content: Fields | None = None
    detail: tuple[str, ...] = ()


def standing(
    model: Model,
    content: Fields,
    live_id: str | None,
    ours: Proposed | None,
    approvals: Reading,
    resubmit: bool,
) -> ApprovalStatus:
    """Whether `content` may be proposed now.

    The same content is never proposed while it is pending. Other content that is pending holds it
    too, since a proposal cannot be withdrawn, and so does a rejection of the same content, both
    unless `resubmit`.
    """
    if approvals.completeness is not Completeness.COMPLETE and ours is None:
        return ApprovalStatus(
            Held.PENDING,
            detail=(f"whether it is proposed already is not known: {approvals.reason}",),
        )
    found = dict(_about(model, content, live_id, ours, approvals))
    if ours is not None and ours.id not in found:
        return ApprovalStatus(
            Held.PENDING,
            ours.id,
            detail=(f"approval {ours.id[:8]}, which this account cannot read",),
        )
    pending = {id_: fields for id_, fields in found.items() if fields.get("status") not in DECIDED}
    for id_, fields in pending.items():
        if _same_content(model, content, fields):
            return ApprovalStatus(Held.PENDING, id_, content=fields, detail=_words(id_, fields))
    if resubmit:
        return ApprovalStatus(None)
    for id_, fields in pending.items():
        return ApprovalStatus(
            Held.PENDING, id_, other=True, content=fields, detail=_words(id_, fields)
        )
    for id_, fields in found.items():
        if fields.get("status") == "Rejected" and _same_content(model, content, fields):
            return ApprovalStatus(Held.REJECTED, id_, content=fields, detail=_words(id_, fields))
    return ApprovalStatus(None)


def accepted(ours: Proposed | None, approvals: Reading) -> bool:
    """Whether our latest proposal was accepted."""
    return ours is not None and approvals.records.get(ours.id, {}).get("status") == "Accepted"


def _about(
    model: Model, content: Fields, live_id: str | None, ours: Proposed | None, approvals: Reading
) -> Iterator[tuple[str, Fields]]:
    """The approvals of this record: changes of its id, else additions of its name; ours in any case."""
    name = identity_of(model, content)
    for id_, fields in approvals.records.items():
        if live_id is not None:
            about = fields.get("action") == "Change" and fields.get("instance_id") == live_id
        else:
            about = (
                fields.get("action") == "Add"
                and name is not None
                and identity_of(model, fields) == name
            )
        if about or (ours is not None and id_ == ours.id):
            yield id_, fields


def _same_content(model: Model, content: Fields, fields: Fields) -> bool:
    return all(
        same(model.fields[name], value, fields[name])
        for name, value in content.items()
        if name in fields and not model.fields[name].proposal
    )


def _words(id_: str, fields: Fields) -> tuple[str, ...]:
    status = fields.get("status")
    known = f"approval {id_[:8]}"
    words = [known if status in (*DECIDED, "Pending") else f'{known}, status "{status}"']
    if status == "Rejected" and fields.get("comments"):
        words.append(f"comments: {fields['comments']}")
    return tuple(words)
