"""The plan document, as it lies in a file and as CI jobs read it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import UNSET, UnsetType

from stemctl.core.diagnostics import Severity
from stemctl.core.formats import Format
from stemctl.core.plan import Action, Base, Held, Request, Subset, Target
from stemctl.core.wire_types import Hash, Number, Position, Wire, described, json_schema
from stemctl.schema.config_schema import DIALECT, Schema
from stemctl.util.json_types import Fields


class Reason(enum.StrEnum):
    """Why a change is there: the first that applies."""

    CONFLICT = "conflict"
    GONE_FROM_SERVER = "gone_from_server"
    DRIFT = "drift"
    ACCEPTED = "accepted"
    RENAMED = "renamed"
    ADOPTED = "adopted"
    EDITED = "edited"
    NEW = "new"
    LEFT_FILES = "left_files"
    FORGOTTEN = "forgotten"


HeldBecause = Annotated[Held | None, described("Why nothing is sent; null if it is.")]


class FieldWire(Wire, frozen=True):
    """One difference; a conflict has all three sides."""

    path: str
    before: Any
    after: Any
    reason: Reason
    held: HeldBecause
    file: str | None
    line: Position | None
    column: Position | None
    base: Any | UnsetType = UNSET
    files: Any | UnsetType = UNSET
    server: Any | UnsetType = UNSET
    shown: Annotated[
        bool | UnsetType, described("The server does not show this field.", enum=[False])
    ] = UNSET


class ChangeWire(Wire, frozen=True):
    """One change, and everything that apply needs for it."""

    address: str
    model: str
    action: Action
    reason: Reason
    held: HeldBecause
    approval: Annotated[bool, described("The request is a proposal.")]
    id: str | None
    file: str | None
    line: Position | None
    column: Position | None
    request: Request | None
    fields: tuple[FieldWire, ...]
    expects: Annotated[Hash | None, described("Hash of the managed fields as read.")]
    waits: Annotated[tuple[str, ...], described("Addresses that must be done first.")]
    managed: Annotated[
        tuple[str, ...], described("The fields that expects hashes; none means all.")
    ]
    declared: Annotated[Fields, described("Fields as written, whose base moves once this is done.")]
    observed: Annotated[
        Fields, described("What the server holds of them, where that is known now.")
    ]
    released: tuple[str, ...]
    prevent_delete: bool | None
    was: Annotated[str | None, described("The address that the record had before.")]
    detail: tuple[str, ...]
    doubt: Annotated[
        str | None, described("When a request was sent of which nobody knows what became.")
    ]
    explained: Annotated[
        bool | None,
        described("Whether the difference to the base explains it; null without a base."),
    ] = None


class StateChangeWire(Wire, frozen=True):
    """A change of the state alone."""

    address: str
    id: str | None
    declared: Fields
    observed: Fields
    released: tuple[str, ...]
    prevent_delete: bool | None
    was: str | None
    drop: bool
    approval: Annotated[str | None, described("A proposal of ours whose answer was lost.")]


class NoteWire(Wire, frozen=True):
    """Something to know."""

    address: str | None
    text: str
    file: str | None
    line: Position | None
    column: Position | None


class SettledWire(Wire, frozen=True):
    """What was found out about a request whose answer was lost."""

    address: str
    found: str
    then: str


class FindingWire(Wire, frozen=True):
    """A finding about the files."""

    severity: Severity
    code: str
    message: str
    file: str | None
    line: Number | None
    column: Number | None
    address: str | None
    field: str | None
    value: Any
    rule: str | None
    remedy: str | None


class StateRef(Wire, frozen=True):
    """The state that a plan was made with."""

    lineage: str | None
    serial: Number


class Summary(Wire, frozen=True):
    """The numbers that every output shows."""

    create: Number
    update: Number
    delete: Number
    adopt: Number
    forget: Number
    proposals: Number
    held: Number
    held_fields: Number
    unchanged: Number


class PlanWire(Wire, frozen=True, kw_only=True):
    """The whole document."""

    format: Format
    stemctl: Annotated[str, described("The version that made it.")]
    offline: Annotated[bool, described("Compared with the state alone; no apply takes it.")] = False
    base: Annotated[
        Base | None,
        described("What the files were compared with, to tell what their difference explains."),
    ] = None
    server: Target
    state: StateRef
    commit: Annotated[str | None, described("The commit of the repository it was made from.")]
    uncommitted: Annotated[
        tuple[str, ...] | UnsetType,
        described("Files that were not read as that commit has them; only if there are."),
    ] = UNSET
    digest: Annotated[
        Hash, described("Of what is sent to whom; the same plan made again has the same one.")
    ]
    summary: Summary
    changes: tuple[ChangeWire, ...]
    bookkeeping: tuple[StateChangeWire, ...]
    unchanged: Number
    ignored_fields: Number
    names: Annotated[
        Mapping[str, Mapping[str, str]],
        described("Model to name to id, of the references that were resolved."),
    ]
    subset: Subset
    notes: tuple[NoteWire, ...]
    settled: Annotated[
        tuple[SettledWire, ...],
        described("Requests whose answer was lost: what was found, and what follows."),
    ]
    diagnostics: Annotated[
        tuple[FindingWire, ...], described("", type="array", items={"type": "object"})
    ]
    checksum: Annotated[Hash, described("Of the whole document; an edited plan is refused.")]


def plan_schema() -> Schema:
    """JSON Schema of the plan document: the contract with CI jobs and with `apply PLAN`."""
    return {
        "$schema": DIALECT,
        "$id": "urn:stemctl:schema:plan",
        "title": "Plan of stemctl",
        "description": "What apply would send. Complete: apply needs nothing else but the token.",
        **json_schema(PlanWire),
    }
