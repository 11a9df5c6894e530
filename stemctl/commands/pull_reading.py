"""What a pull reads: each selected model in full, and the names of what its records refer to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from stemctl.client.client import Query, ReadClient
from stemctl.client.listing import read_all, take_snapshot
from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import State
from stemctl.errors import StemctlError, Untouched
from stemctl.planning.needs import Need, needs
from stemctl.planning.values import ids_in
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.takeover.pull_selection import Selection
from stemctl.util.timestamps import utc_now


async def read_sides(
    client: ReadClient, repository: Repository, state: State, selection: Selection
) -> Snapshot:
    """The snapshot that a plan of the selected records takes, and what else their models have.

    Raises:
        StemctlError: something was not read in full, so nothing can be told of what is missing.
    """
    catalog, began = client.catalog, utc_now()
    wanted = needs(repository, state, catalog, _chosen(repository, state, selection))
    for model in selection.models:
        wanted.setdefault(model.name, Need()).everything = True
        for row in model.references:
            target = catalog.models.get(row.to or "")
            if target is not None and target.nameless:  # only a list shows who else is called so
                wanted.setdefault(target.name, Need()).everything = True
    snapshot = await take_snapshot(client, wanted, [])
    rows = {model.name: list(model.references) for model in selection.models}
    asked: dict[str, set[str]] = {}
    while missing := _unnamed(snapshot, catalog, rows, asked):
        more = await take_snapshot(client, missing, [])
        rows = {name: _identifying(catalog.models[name]) for name in missing}
        snapshot = Snapshot(_merged(snapshot.readings, more.readings))
    _check(snapshot, catalog, selection)
    return replace(snapshot, began=began)


async def matching_ids(
    client: ReadClient, model: Model, filters: tuple[tuple[str, str], ...]
) -> frozenset[str]:
    """The ids of the records of a model that match a filter.

    Raises:
        StemctlError: they were not read in full.
    """
    query = Query(filters=filters)
    reading = await read_all(model.name, lambda offset: client.page(model, offset, query))
    if reading.completeness is not Completeness.COMPLETE:
        raise _incomplete(model, reading)
    return frozenset(reading.records)


def _chosen(repository: Repository, state: State, selection: Selection) -> frozenset[Address]:
    """The addresses of files and state that are selected, or inside of one that is."""
    inside = {model.name for model in selection.models}
    return frozenset(
        address
        for address in (*repository.records, *state.records)
        if selection.matches(address) or address.model in inside
    )


def _identifying(model: Model) -> list[Field]:
    """The references that are a part of what the records of a model are called."""
    names = {name for group in model.together_unique for name in group}
    return [row for row in model.references if row.name in names]


def _unnamed(
    snapshot: Snapshot,
    catalog: Catalog,
    rows: Mapping[str, Sequence[Field]],
    asked: dict[str, set[str]],
) -> dict[str, Need]:
    """The records that these references mean and that were not read: their names are needed.

    `asked` collects them, since a record may be hidden from this account.
    """
    wanted: dict[str, set[str]] = {}
    for name, references in rows.items():
        reading = snapshot.readings.get(name)
        for fields in reading.records.values() if reading else ():
            for row in references:
                if row.to and row.to in catalog.models and fields.get(row.name):
                    wanted.setdefault(row.to, set()).update(ids_in(fields[row.name]))
    found: dict[str, Need] = {}
    for name, ids in wanted.items():
        reading = snapshot.readings.get(name)
        known = asked.setdefault(name, set())
        new = {id_ for id_ in ids - known if id_ and not (reading and id_ in reading.records)}
        if new and not catalog.models[name].embedded:
            found[name] = Need(ids=dict.fromkeys(sorted(new), ()))
            known |= new
    return found


def _merged(first: Mapping[str, Reading], second: Mapping[str, Reading]) -> dict[str, Reading]:
    """The readings of both; of a model that is in both, one reading with all records."""
    found = dict(first)
    for name, more in second.items():
        old = found.get(name)
        if old is None or more.completeness is Completeness.COMPLETE:
            found[name] = more if old is None else _with(more, old)
        else:
            found[name] = _with(old, more)
    return found


def _with(reading: Reading, other: Reading) -> Reading:
    return replace(
        reading,
        records={**other.records, **reading.records},
        missing=reading.missing | other.missing,
        hidden=reading.hidden | other.hidden,
        absent=reading.absent | other.absent,
        searched=reading.searched | other.searched,
        reason=reading.reason or other.reason,
    )


def _check(snapshot: Snapshot, catalog: Catalog, selection: Selection) -> None:
    """Refuse to decide from an incomplete reading. Models that this account may not read do not
    matter where they were not named.
    """
    selected = {model.name for model in selection.models}
    for name, reading in sorted(snapshot.readings.items()):
        is_denied = reading.completeness is Completeness.DENIED
        if is_denied and name not in selection.named_models:
            continue
        is_short = name in selected and reading.completeness is not Completeness.COMPLETE
        if is_short or not reading.sound:
            raise _incomplete(catalog.models[name], reading)


def _incomplete(model: Model, reading: Reading) -> StemctlError:
    return StemctlError(
        f"{model.count(2)[2:].capitalize()} could not all be read: {reading.reason}.",
        "Which of them are new cannot be told from a part of them.",
        [("stemctl pull", "once that is fixed; type the command again")],
        Untouched.NOTHING_WRITTEN,
    )
