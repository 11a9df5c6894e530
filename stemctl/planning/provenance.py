"""Where each value of a record comes from, what was applied, and what the server has."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Address, Location, Record
from stemctl.core.state import Entry
from stemctl.planning.references import Resolver
from stemctl.planning.values import same
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


class Origin(Struct, frozen=True):
    """One field: what the files declare and where, and the server's value.

    `elements` holds the place of each element where these differ. `declared` is None where the
    files do not write the field. `agrees` is None where the two cannot be compared.
    """

    name: str
    declared: Value
    written: bool
    location: Location | None
    elements: tuple[tuple[str, Location], ...]
    live: Value
    shown: bool
    agrees: bool | None


class Origins(Struct, frozen=True):
    """A record with all of its writable fields, and what validation remarks about it."""

    address: Address
    id: str | None
    location: Location | None
    run: str | None
    fields: tuple[Origin, ...]
    remarks: tuple[Diagnostic, ...] = ()
    is_found: bool = True
    """Whether the server has it, as far as this account can see."""

    @property
    def differs(self) -> bool:
        """Whether the files and the server have different values."""
        return any(field.agrees is False for field in self.fields)


def find_origins(
    address: Address,
    model: Model,
    record: Record | None,
    *,
    entry: Entry | None,
    live: Fields | None,
    resolver: Resolver,
) -> Origins:
    """Compare what the files, the state and the server say about a record."""
    id_ = entry.id if entry else None
    if id_ is None and live is not None:
        id_ = str(live["id"])
    if id_ is None and record is not None:
        id_ = record.id
    return Origins(
        address,
        id_,
        location=record.location if record else None,
        run=entry.run if entry else None,
        fields=tuple(_origin(row, record, live, resolver) for row in model.managed),
        is_found=live is not None,
    )


def _origin(row: Field, record: Record | None, live: Fields | None, resolver: Resolver) -> Origin:
    origin = Origin(
        row.name,
        declared=None,
        written=False,
        location=None,
        elements=(),
        live=None,
        shown=False,
        agrees=None,
    )
    if live is not None and row.name in live:
        origin = replace(origin, live=resolver.written(row, live[row.name]), shown=True)
    if record is None or row.name not in record.fields:
        return origin
    declared = record.fields[row.name]
    agrees = None
    if live is not None and origin.shown:
        agrees = same(row, resolver.resolve(row, declared, record), live[row.name])
    return replace(
        origin,
        declared=declared,
        written=True,
        location=record.location_of(row.name),
        elements=_elements(record, row.name),
        agrees=agrees,
    )


def _elements(record: Record, name: str) -> tuple[tuple[str, Location], ...]:
    """The elements of a set or map that come from different lines."""
    found = tuple(
        (str(path[1]), location)
        for path, location in record.locations.items()
        if len(path) == 2 and path[0] == name
    )
    lines = {(location.file, location.line) for _, location in found}
    return found if len(lines) > 1 else ()
