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


HeldBecause = Annotated[Held | None, described("Why the change is not sent; null if it is sent.")]


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
        bool | UnsetType, described("False if the server does not return this field.", enum=[False])
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
    expects: Annotated[Hash | None, described("Hash of the managed fields as they were read.")]
    waits: Annotated[
        tuple[str, ...], described("Addresses of the changes that must be applied first.")
    ]
    managed: Annotated[
        tuple[str, ...], described("The fields covered by the hash in `expects`; empty means all.")
    ]
    declared: Annotated[
        Fields,
        described(
            "Fields as written in the files; they become the new base once this change is done."
        ),
    ]
    observed: Annotated[
        Fields, described("The server's values of these fields, if they are already known.")
    ]
    released: tuple[str, ...]
    prevent_delete: bool | None
    was: Annotated[str | None, described("The previous address of the record.")]
    detail: tuple[str, ...]
    doubt: Annotated[
        str | None, described("When an earlier request was sent whose outcome is unknown.")
    ]
    explained: Annotated[
        bool | None,
        described("Whether the change comes from files changed since --base; null without a base."),
    ] = None
    then: Annotated[
        tuple[Request, ...] | UnsetType,
        described(
            "Further requests, sent in this order after the first; absent if there are none."
        ),
    ] = UNSET


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
    approval: Annotated[str | None, described("A proposal sent by stemctl whose answer was lost.")]


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
    stemctl: Annotated[str, described("The version of stemctl that made the plan.")]
    offline: Annotated[
        bool, described("Compared with the state only; such a plan cannot be applied.")
    ] = False
    base: Annotated[
        Base | None,
        described(
            "The commit of --base, which tells which changes come from the files changed since."
        ),
    ] = None
    server: Target
    state: StateRef
    commit: Annotated[str | None, described("The commit that the plan was made from.")]
    uncommitted: Annotated[
        tuple[str, ...] | UnsetType,
        described("Files that differ from that commit; absent if there are none."),
    ] = UNSET
    digest: Annotated[
        Hash,
        described(
            "Digest of what is sent to which server; the same plan made again has the same one."
        ),
    ]
    summary: Summary
    changes: tuple[ChangeWire, ...]
    bookkeeping: tuple[StateChangeWire, ...]
    unchanged: Number
    ignored_fields: Number
    names: Annotated[
        Mapping[str, Mapping[str, str]],
        described("The ids of resolved references, by model and name."),
    ]
    subset: Subset
    notes: tuple[NoteWire, ...]
    settled: Annotated[
        tuple[SettledWire, ...],
        described("Requests whose answer was lost: what stemctl found, and what it does now."),
    ]
    diagnostics: Annotated[
        tuple[FindingWire, ...], described("", type="array", items={"type": "object"})
    ]
    checksum: Annotated[
        Hash, described("Checksum of the whole document; an edited plan is refused.")
    ]


def plan_schema() -> Schema:
    """JSON Schema of the plan document: the contract with CI jobs and with `apply PLAN`."""
    return {
        "$schema": DIALECT,
        "$id": "urn:stemctl:schema:plan",
        "title": "Plan of stemctl",
        "description": "Everything that apply would send. To apply it, only the token is needed.",
        **json_schema(PlanWire),
    }
