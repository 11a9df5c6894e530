"""What changed on the server since the last apply: what was observed against what is live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from stemctl.core.records import Address, Location, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry, State
from stemctl.planning.references import Resolver
from stemctl.planning.values import assemble, elements_alike, same, same_element
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.util.json_types import Fields, Value


class Moved(Struct, frozen=True):
    """One field that changed: `path` is the field, or field and entry of a map; sets are whole.

    `held` is False if the server did not keep what was applied. Then `before` is what was applied,
    and `after` is what the server holds instead.
    """

    path: str
    before: Value
    after: Value
    held: bool = True


class Drifted(Struct, frozen=True):
    """A managed record that differs from what was applied; `missing` if it was not found."""

    address: Address
    id: str
    fields: tuple[Moved, ...]
    location: Location | None = None
    missing: bool = False


class Drift(Struct, frozen=True):
    """All records that drifted, how many were compared, and which models could not be read."""

    records: tuple[Drifted, ...]
    looked_at: int
    totals: Mapping[str, int]
    unread: Mapping[str, str]


def find_drift(
    repository: Repository,
    state: State,
    snapshot: Snapshot,
    *,
    catalog: Catalog,
    resolver: Resolver,
) -> Drift:
    """Compare every record of the state with what the server holds now."""
    found: list[Drifted] = []
    looked_at = 0
    for address, entry in sorted(state.records.items()):
        reading = snapshot.readings.get(address.model)
        if entry.id is None or address.model not in catalog.models:
            continue
        if reading is None or not reading.sound:
            continue
        looked_at += 1
        record = repository.records.get(address)
        location = record.location if record else None
        live = reading.records.get(entry.id)
        if live is None:
            found.append(Drifted(address, entry.id, (), location, missing=True))
            continue
        rows = catalog.models[address.model].fields
        fields: list[Moved] = []
        for name in entry.applied:
            if name in rows:
                fields += _moves(rows[name], entry, live, resolver)
        if fields:
            found.append(Drifted(address, entry.id, tuple(fields), location))
    unread = {
        name: reading.reason for name, reading in snapshot.readings.items() if not reading.sound
    }
    return Drift(tuple(found), looked_at, _totals(snapshot.readings), unread)


def _totals(readings: Mapping[str, Reading]) -> dict[str, int]:
    """The number of visible records of each model that was read completely."""
    return {
        name: len(reading.records)
        for name, reading in readings.items()
        if reading.completeness is Completeness.COMPLETE
    }


def _moves(row: Field, entry: Entry, live: Fields, resolver: Resolver) -> Iterator[Moved]:
    if row.name not in live:
        return
    applied = resolver.recall(row, entry.applied[row.name])
    before = entry.observed.get(row.name, applied)
    after = live[row.name]
    if same(row, before, after):
        yield from _never_held(row, applied, after, resolver)
        return
    if not row.keyed:
        yield Moved(row.name, resolver.written(row, before), resolver.written(row, after))
        return
    old, new = elements_alike(row, before, after)
    added = [key for key in new if key not in old]
    for key in (*old, *added):
        if key not in old or key not in new or not same_element(row, old[key], new[key]):
            yield Moved(f"{row.name}.{key}", old.get(key), new.get(key))


def _never_held(row: Field, applied: Value, live: Value, resolver: Resolver) -> Iterator[Moved]:
    """The field, if the server holds another value than was applied.

    Elements that other people added do not count.
    """
    if same(row, applied, live):
        return
    if row.merges:
        wanted, found = elements_alike(row, applied, live)
        there = {key: found[key] for key in wanted if key in found}
        if same(row, assemble(row, wanted), assemble(row, there)):
            return
    yield Moved(row.name, resolver.written(row, applied), resolver.written(row, live), held=False)
