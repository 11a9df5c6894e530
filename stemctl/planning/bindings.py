"""The live record that each declared record is bound to: values, and the names that bind them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Address
from stemctl.core.snapshot import Reading
from stemctl.core.state import Entry, PendingRequest
from stemctl.util.json_types import Fields


class Bound(Struct, frozen=True):
    """The record is live.

    `found` says how: `state`, `id`, `name`, `elsewhere` (the old id is gone, the name is there), or
    `sent` (stemctl created it, and the answer was lost). `records` are the live records that it is
    one of. `entry` is what the state knows of it; after a rename, that of `previous_address`.
    """

    id: str
    records: Mapping[str, Fields]
    found: str
    entry: Entry | None = None
    previous_address: Address | None = None

    @property
    def live(self) -> Fields:
        """The fields of the record. They may be made each time, of a text: see `LiveRecords`."""
        return self.records[self.id]


class Absent(Struct, frozen=True):
    """The record is not on the server, as far as this account can see; `gone` if it once was."""

    entry: Entry | None = None
    gone: bool = False
    previous_address: Address | None = None


class Unknown(Struct, frozen=True):
    """The reading was not complete, so the record may or may not be live."""


class Ambiguous(Struct, frozen=True):
    """The record may be on the server; only its user, or time, can tell.

    `lives` are the live records that may be it, `doubt` is the creation that was sent.
    """

    lives: Mapping[str, Fields]
    doubt: PendingRequest
    previous_address: Address | None = None


Binding = Bound | Absent | Ambiguous | Unknown


class Identities(Struct, frozen=True):
    """The binding of every declared record, the state entries left over, and what is wrong."""

    bindings: Mapping[Address, Binding]
    leftovers: Mapping[Address, Entry]
    entries: Mapping[Address, Entry] = field(default_factory=dict)
    """All entries of the state, under the addresses that the files give them now."""
    moved: Mapping[Address, Address] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()

    def id_of(self, address: Address) -> str | None:
        """The id of a declared record that is live."""
        binding = self.bindings.get(address)
        return binding.id if isinstance(binding, Bound) else None


class Lives(Mapping[Address, Fields]):
    """The live fields of every address that is on the server."""

    def __init__(self, identities: Identities, readings: Mapping[str, Reading]) -> None:
        self._identities = identities
        self._readings = readings

    def __getitem__(self, address: Address) -> Fields:
        binding = self._identities.bindings.get(address)
        if isinstance(binding, Bound):
            return binding.live
        entry = self._identities.leftovers[address]
        return self._readings[address.model].records[entry.id or ""]

    def __iter__(self) -> Iterator[Address]:
        bindings, leftovers = self._identities.bindings, self._identities.leftovers
        yield from (address for address, found in bindings.items() if isinstance(found, Bound))
        yield from (address for address in leftovers if address in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def import_command(address: Address, id_: str) -> str:
    """The command that binds a record to an id."""
    return f"stemctl import {shlex.quote(str(address))} {id_}"
