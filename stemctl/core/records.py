"""Declared records, their addresses, and where they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct, field

from stemctl.util.json_types import Fields, Path


class Location(NamedTuple):
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


class Lifecycle(Struct, frozen=True):
    """What a record asks of stemctl beyond its fields."""

    prevent_delete: bool = False
    ignore_changes: tuple[str, ...] = ()


class Record(Struct, frozen=True, gc=False):
    """A declared record after defaults were merged in.

    `fields` holds only writable fields, as written (references are names or ids). `locations` maps
    a field, or a field and one of its elements, to the location of its value (maybe a default).
    `parent` is the record that it is written inside of.
    """

    address: Address
    fields: Fields
    location: Location
    id: str | None = None
    lifecycle: Lifecycle = Lifecycle()
    locations: Mapping[Path, Location] = field(default_factory=dict)
    parent: Address | None = None

    def location_of(self, *path: str | int) -> Location:
        """Where a value is written: the longest known prefix of `path`, or else the record."""
        while path:
            if path in self.locations:
                return self.locations[path]
            path = path[:-1]
        return self.location


class Directive(Struct, frozen=True):
    """An entry of `moved`, `forget` or `deleted`. In `moved`, `subject` is the old address
    and `to` the new one.
    """

    subject: str
    location: Location
    to: Address | None = None


class Repository(Struct, frozen=True):
    """Everything the manifests declare. `seen` counts the records of each file, also those with
    errors, which `records` leaves out.
    """

    records: Mapping[Address, Record]
    moved: tuple[Directive, ...] = ()
    forget: tuple[Directive, ...] = ()
    deleted: tuple[Directive, ...] = ()
    files: tuple[str, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)

    def around(self, record: Record) -> Record | None:
        """The record that another one is written inside of."""
        return self.records.get(record.parent) if record.parent else None
