"""The plan and the report: values that say what will be done and what was done, with everything
needed to do it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Address, Location
from stemctl.core.wire_types import Number, Wire
from stemctl.util.canonical_json import canonical_pieces, hash_of_pieces
from stemctl.util.json_types import Fields, Value

FORMAT = 1

NOT_HELD = "not-held"
"""The code of the finding that the server holds another value than was applied: no apply ends with
0 beside it.
"""


class Action(enum.StrEnum):
    """The verb of a change."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADOPT = "adopt"
    FORGET = "forget"


class Held(enum.StrEnum):
    """Why a change, or a field of one, is shown and not sent."""

    PENDING = "pending"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    CONFLICT = "conflict"
    DELETE = "delete"
    REVERT = "revert"
    REPLACE = "replace"
    CASCADE = "cascade"
    PROTECTED = "protected"
    RENAME = "rename"


WAITING = frozenset({Held.PENDING, Held.REJECTED, Held.BLOCKED})
"""Held until another person acts; none of these changes the exit code."""

PERMISSIONS = (Held.DELETE, Held.REVERT, Held.REPLACE, Held.CASCADE)
"""Can destroy other people's work, and is held until you allow it."""


Method = Literal["POST", "PATCH", "DELETE"]

METHODS: dict[Action, Method] = {
    Action.CREATE: "POST",
    Action.UPDATE: "PATCH",
    Action.ADOPT: "PATCH",
    Action.DELETE: "DELETE",
}


class Request(Wire, frozen=True):
    """What will be sent; `path` is below the portal. References in `body` are ids or `{"$ref":
    address}`. `{address}` in `path` is the id of a record that does not exist yet.
    """

    method: Method
    path: str
    body: Fields | None


class FieldChange(Struct, frozen=True, gc=False):
    """One difference, with references as written. `path` is the field, or `field.entry` of a map.

    A conflict has `before` as what the server holds and `base` as what was applied; `reviewer`
    marks what a reviewer wrote into a proposal that was accepted, which sends nothing.
    """

    path: str
    before: Value
    after: Value
    reason: str
    held: Held | None = None
    location: Location | None = None
    base: Value = None
    shown: bool = True
    """False where the server does not show the field, so that `before` is not known."""


class Change(Struct, frozen=True, gc=False):
    """One difference between the files and the server, and what to do about it.

    `managed` names the fields that `expects` hashes (of a delete all). `declared` are the fields as
    written whose base moves once this change is done, `observed` what the server holds of them
    where it is known now, `released` those that left the files. `previous_address` is the address
    that the record had. `detail` says what the fields cannot. `pending_since` is when a request for
    it was sent whose answer was lost. `then` are further requests, sent in this order after
    `request` has succeeded.
    """

    address: Address
    action: Action
    reason: str
    held: Held | None = None
    approval: bool = False
    id: str | None = None
    location: Location | None = None
    request: Request | None = None
    fields: tuple[FieldChange, ...] = ()
    expects: str | None = None
    waits: tuple[Address, ...] = ()
    managed: tuple[str, ...] = ()
    declared: Fields = field(default_factory=dict)
    observed: Fields = field(default_factory=dict)
    released: tuple[str, ...] = ()
    prevent_delete: bool | None = None
    previous_address: Address | None = None
    detail: tuple[str, ...] = ()
    pending_since: str | None = None
    explained: bool | None = None
    """Whether the difference to the base of the plan explains it; None without a base."""
    then: tuple[Request, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether a request goes out for it."""
        return self.request is not None

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests, in the order in which they are sent."""
        return () if self.request is None else (self.request, *self.then)

    @property
    def waits_for_others(self) -> bool:
        """Whether it is held until another person acts, another record is there, or time passes.

        What is blocked for a reason of its own, such as a type that cannot change, waits for the
        user.
        """
        if self.held is Held.BLOCKED:
            return bool(self.waits) or self.pending_since is not None
        return self.held in WAITING

    @property
    def held_fields(self) -> tuple[FieldChange, ...]:
        """The fields that stay behind in a change that is carried out."""
        return () if self.held else tuple(f for f in self.fields if f.held)


class StateChange(Struct, frozen=True):
    """A state entry that changes without a request: its base moves, its key changes
    (`previous_address`), or it is removed (`drop`).

    `approval` is a proposal sent by stemctl whose answer was lost, with `declared` as its content.
    """

    address: Address
    id: str | None
    declared: Fields = field(default_factory=dict)
    observed: Fields = field(default_factory=dict)
    released: tuple[str, ...] = ()
    prevent_delete: bool | None = None
    previous_address: Address | None = None
    drop: bool = False
    approval: str | None = None


class Note(Struct, frozen=True):
    """Information that neither sends nor holds anything."""

    address: Address | None
    text: str
    location: Location | None = None


class Settled(Struct, frozen=True):
    """What was found out about a request whose answer was lost, and what follows."""

    address: Address
    found: str
    then: str


class Subset(Wire, frozen=True):
    """What a plan was asked to look at, as it was typed, and how many records it left out."""

    only: tuple[str, ...]
    exclude: tuple[str, ...]
    left_out: Number


EVERYTHING = Subset((), (), 0)


class Target(Wire, frozen=True):
    """The server a plan is for."""

    name: str
    url: str
    portal: str
    edition: str


class Base(Wire, frozen=True):
    """What the files were compared with: as you named it, and the commit that was read."""

    ref: str
    commit: str


class Plan(Struct, frozen=True):
    """All changes, sorted by address, and what is needed to carry them out. It depends
    neither on the clock nor on chance.
    """

    server: Target
    lineage: str | None
    serial: int
    changes: tuple[Change, ...]
    state_changes: tuple[StateChange, ...] = ()
    unchanged: int = 0
    ignored_fields: int = 0
    notes: tuple[Note, ...] = ()
    settled: tuple[Settled, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    subset: Subset = EVERYTHING
    commit: str | None = None
    uncommitted: tuple[str, ...] = ()
    """Files that were read with other content than in that commit."""
    offline: bool = False
    """Whether it was compared with the state only. Such a plan cannot be applied."""
    base: Base | None = None

    def actionable(self) -> tuple[Change, ...]:
        """The changes that are carried out: sent, or (adopt, forget) written to the state alone."""
        return tuple(c for c in self.changes if c.held is None)

    def held(self) -> tuple[Change, ...]:
        """The changes that are only shown."""
        return tuple(c for c in self.changes if c.held is not None)

    def count(self, *actions: Action) -> int:
        """How many changes of these actions are carried out."""
        return sum(c.action in actions for c in self.actionable())

    def summary(self) -> dict[str, int]:
        """The numbers that every output shows."""
        return {
            **{action.value: self.count(action) for action in Action},
            "proposals": sum(c.approval for c in self.actionable() if c.sends),
            "held": len(self.held()),
            "held_fields": sum(len(c.held_fields) for c in self.actionable()),
            "unchanged": self.unchanged,
        }

    def needs_attention(self) -> bool:
        """What `--detailed-exitcode` tells: something would happen, or is held by more than waiting
        for others.
        """
        return bool(self.actionable()) or not all(c.waits_for_others for c in self.held())

    @property
    def digest(self) -> str:
        """A hash of what is sent to which server. The same plan, made again after a merge, has the
        same digest.
        """
        rows = (
            {
                "address": str(c.address),
                "action": c.action.value,
                "id": c.id,
                "approval": c.approval,
                "request": _request_json(c.request),
                "expects": c.expects,
                "waits": [str(w) for w in c.waits],
                **({"then": [_request_json(r) for r in c.then]} if c.then else {}),
            }
            for c in self.changes
        )
        target = {
            "url": self.server.url,
            "portal": self.server.portal,
            "edition": self.server.edition,
        }
        return hash_of_pieces(canonical_pieces({**target, "changes": rows}))


def _request_json(request: Request | None) -> Value:
    if request is None:
        return None
    return {"method": request.method, "path": request.path, "body": request.body}
