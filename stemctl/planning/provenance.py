"""Where each value of a record comes from, what was applied, and what the server has."""

from __future__ import annotations

from dataclasses import dataclass

from stemctl.core.records import Address, Location, Record
from stemctl.core.state import Entry
from stemctl.planning.references import Resolver
from stemctl.planning.values import same
from stemctl.schema.catalog import Model
from stemctl.util.json_types import Fields, Value


@dataclass(frozen=True, slots=True)
class Origin:
    """One field: what the files say and where, element by element if that differs, and the server's
    value.

    `declared` is None where the files do not write the field; `agrees` is None where that cannot be
    said.
    """

    name: str
    declared: Value
    written: bool
    location: Location | None
    elements: tuple[tuple[str, Location], ...]
    live: Value
    shown: bool
    agrees: bool | None


@dataclass(frozen=True, slots=True)
class Origins:
    """A record with all of its writable fields."""

    address: Address
    id: str | None
    location: Location | None
    run: str | None
    fields: tuple[Origin, ...]


def find_origins(
    address: Address,
    model: Model,
    record: Record | None,
    entry: Entry | None,
    live: Fields | None,
    resolver: Resolver,
) -> Origins:
    """Put a record's files, state and server side beside each other."""
    fields = []
    for row in model.managed:
        written = record is not None and row.name in record.fields
        declared = record.fields[row.name] if record and written else None
        there = live is not None and row.name in live
        value = resolver.written(row, live[row.name]) if live is not None and there else None
        agrees = None
        if written and there and record is not None and live is not None:
            agrees = same(row, resolver.resolve(row, declared, record), live[row.name])
        fields.append(
            Origin(
                row.name,
                declared,
                written,
                record.location_of(row.name) if record and written else None,
                _elements(record, row.name) if record and written else (),
                value,
                there,
                agrees,
            )
        )
    id_ = (entry.id if entry else None) or (str(live["id"]) if live else None)
    return Origins(
        address,
        id_,
        record.location if record else None,
        entry.run if entry else None,
        tuple(fields),
    )


def _elements(record: Record, name: str) -> tuple[tuple[str, Location], ...]:
    """The elements of a set or map that come from different places."""
    found = tuple(
        (str(path[1]), location)
        for path, location in record.locations.items()
        if len(path) == 2 and path[0] == name
    )
    return found if len({(location.file, location.line) for _, location in found}) > 1 else ()
