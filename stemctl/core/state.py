"""The state: per address what stemctl applied last and what the server then answered. A value;
`store.py` keeps it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.records import Address
from stemctl.util.json_types import Fields


class Proposed(msgspec.Struct, frozen=True):
    """The latest proposal of stemctl for a record: the id of its approval, and its content as
    written.
    """

    id: str
    sent: Fields


class PendingRequest(msgspec.Struct, frozen=True):
    """A request that was sent and whose outcome is unknown. Sending it again could repeat its
    effect.

    `at` is when it was sent (UTC, ISO 8601), `body` what was sent, with ids, `declared` the same as
    it was written.
    """

    at: str
    method: str
    body: Fields
    declared: Fields

    def __post_init__(self) -> None:
        if datetime.datetime.fromisoformat(self.at).tzinfo is None:
            raise ValueError("a time without a zone")


class Entry(Struct, frozen=True, gc=False):
    """What is remembered of one address.

    `applied` holds the managed fields as they were written when they were applied, `observed` what
    the server then answered, only where that differs. `id` is None while a record is only proposed,
    or its creation is in doubt.
    """

    id: str | None = None
    applied: Fields = field(default_factory=dict)
    observed: Fields = field(default_factory=dict)
    prevent_delete: bool = False
    approval: Proposed | None = None
    run: str | None = None
    pending: tuple[PendingRequest, ...] = ()

    @property
    def is_pulled(self) -> bool:
        """Whether a pull or an import has bound it, and no run has applied anything of it since."""
        is_settled = not self.pending and self.approval is None
        return self.run is None and self.id is not None and is_settled


class Uncommitted(msgspec.Struct, frozen=True):
    """What was applied last was not the commit: in which files it differed, in which run, and who
    applied it.
    """

    run: str
    who: str
    files: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class State(Struct, frozen=True):
    """The memory of one server. `names` maps model, then name, to the id that a reference meant;
    `run` is the last run that is folded into it, `commit` the last commit of the files that was
    applied. `folder` is where those files are in their git repository (empty at its top), in a
    state that does not lie beside them.
    """

    url: str
    portal: str
    edition: str
    lineage: str | None = None
    serial: int = 0
    run: str | None = None
    commit: str | None = None
    uncommitted: Uncommitted | None = None
    folder: str | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    records: Mapping[Address, Entry] = field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """Whether it does not lie beside the files, so that not all who use it have the same."""
        return self.folder is not None

    def with_entry(self, address: Address, entry: Entry | None) -> State:
        """The same state with one entry set, or dropped if it is None."""
        records = {key: value for key, value in self.records.items() if key != address}
        if entry is not None:
            records[address] = entry
        return replace(self, records=records)
