"""Values on both sides of a comparison: places, addresses, declared records and readings of the server."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from stemctl.util.json_types import Fields, Path


class Place(NamedTuple):
    """A place in a file: path relative to the repository, line and column counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Address(NamedTuple):
    """The handle of a declared record, written `model/key`."""

    model: str
    key: str

    def __str__(self) -> str:
        return f"{self.model}/{self.key}"

    @staticmethod
    def parse(text: str) -> Address:
        """Split at the first slash; the key may hold further ones.

        Raises:
            ValueError: there is no slash, or nothing on one of its sides.
        """
        model, slash, key = text.partition("/")
        if not (model and slash and key):
            raise ValueError(f"not an address: {text!r}")
        return Address(model, key)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What a record asks of stemctl beyond its fields."""

    prevent_delete: bool = False
    ignore_changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A declared record after defaults were merged in.

    `fields` holds writable fields alone, as written (references are names or ids). `places` maps a field, or a
    field and one of its elements, to where its value stands, which may be a default.
    """

    address: Address
    fields: Fields
    place: Place
    id: str | None = None
    lifecycle: Lifecycle = Lifecycle()
    places: Mapping[Path, Place] = field(default_factory=dict)

    def place_of(self, *path: str | int) -> Place:
        """Where a value is written: the longest known beginning of `path`, else the record itself."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return self.place


@dataclass(frozen=True, slots=True)
class Wish:
    """An entry of `moved`, `forget` or `deleted`. `moved` names where from (`subject`) and where `to`."""

    subject: str
    place: Place
    to: Address | None = None


@dataclass(frozen=True, slots=True)
class Repository:
    """Everything the manifests declare. `seen` counts records with errors too, which `records` leaves out."""

    records: Mapping[Address, Record]
    moved: tuple[Wish, ...] = ()
    forget: tuple[Wish, ...] = ()
    deleted: tuple[Wish, ...] = ()
    files: tuple[str, ...] = ()
    seen: int = 0


class Completeness(enum.Enum):
    """Whether a reading may be taken as all there is."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the server held of one model when we looked, and whether we saw all of it.

    `records` maps ids to fields as answered. `total` is what the server says it has for us, None if it does not
    say. `missing` are ids that were asked for one by one and answered with 404, `hidden` those with 403; `absent` are
    identities (names) that were asked for one by one and are not there. A complete reading knows of every identity.
    """

    model: str
    completeness: Completeness
    records: Mapping[str, Fields]
    total: int | None = None
    missing: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    reason: str = ""

    @property
    def sound(self) -> bool:
        """Whether it may lead to a create or delete: all was seen, or all that was asked for one by one."""
        return self.completeness is Completeness.COMPLETE or not self.reason

    def lacks(self, name: str) -> bool:
        """True only if `name` is known not to be among the records that this account may see."""
        return self.completeness is Completeness.COMPLETE or (self.sound and name in self.absent)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All readings of one plan: of records by model, of approvals by the model they belong to."""

    readings: Mapping[str, Reading]
    approvals: Mapping[str, Reading] = field(default_factory=dict)
    began: datetime.datetime | None = None
    """When the reading began; None: nobody noted it."""
    remembered: bool = False
    """Whether it is what the state remembers, and nobody looked."""

    def ids(self) -> Iterator[str]:
        """The ids of everything that was read, approvals among it."""
        for reading in (*self.readings.values(), *self.approvals.values()):
            yield from reading.records
