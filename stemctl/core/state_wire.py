"""A state as it is written: the types of its JSON, and the way from and to values."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import msgspec

from stemctl.core.records import Address
from stemctl.core.state import Entry, PendingRequest, Proposed, State, Uncommitted
from stemctl.util.json_types import RECORD_ID_PATTERN, Fields, Value

Id = Annotated[str, msgspec.Meta(pattern=RECORD_ID_PATTERN)]
Commit = Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")]
"""It becomes an argument of git."""


class EntryWire(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An entry. Fields at their default are left out. `gc` as in `Wire`."""

    id: Id | None
    applied: Fields
    observed: Fields = msgspec.field(default_factory=dict)
    prevent_delete: bool = False
    approval: Proposed | None = None
    run: str | None = None
    doubts: tuple[PendingRequest, ...] = ()


class StateWire(msgspec.Struct, frozen=True):
    """A state file without its format and checksum."""

    lineage: str | None
    serial: int
    url: str
    portal: str
    edition: str
    names: Mapping[str, Mapping[str, str]]
    records: dict[str, EntryWire]
    run: str | None = None
    commit: Commit | None = None
    uncommitted: Uncommitted | None = None
    folder: str | None = None


def row(entry: Entry) -> dict[str, Value]:
    """An entry as the state file holds it."""
    wire = EntryWire(
        id=entry.id,
        applied=entry.applied,
        observed=entry.observed,
        prevent_delete=entry.prevent_delete,
        approval=entry.approval,
        run=entry.run or None,
        doubts=entry.pending,
    )
    found: dict[str, Value] = msgspec.to_builtins(wire)
    return found


def entry_of(wire: EntryWire) -> Entry:
    """An entry. Most have nothing that was observed, and the same run, which they share."""
    return Entry(
        id=wire.id,
        applied=wire.applied,
        observed=wire.observed or _NOTHING,
        prevent_delete=wire.prevent_delete,
        approval=wire.approval,
        run=wire.run and sys.intern(wire.run),
        pending=wire.doubts,
    )


_NOTHING: Fields = {}


def state_of(wire: StateWire) -> State:
    """The state that was written."""
    return State(
        url=wire.url,
        portal=wire.portal,
        edition=wire.edition,
        lineage=wire.lineage,
        serial=wire.serial,
        run=wire.run,
        commit=wire.commit,
        uncommitted=wire.uncommitted,
        folder=None if wire.folder is None else _folder(wire.folder),
        names=wire.names,
        records={Address.parse(key): entry_of(entry) for key, entry in wire.records.items()},
    )


def _folder(folder: str) -> str:
    if folder.startswith("/") or ".." in folder.split("/") or "\0" in folder:
        raise ValueError("no folder of a repository")
    return folder
