"""Reading a model's records so that we know whether we saw all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from stemctl.catalog import Model
from stemctl.planning.planner import Need
from stemctl.records import Completeness, Fields, Reading, Snapshot
from stemctl.server.answers import Forbidden, NotFound, NotTheApi, Unavailable
from stemctl.server.client import Page, Query, ReadClient

_MANY = 20
"""Known ids that may be missing from a listing before it is the listing that is doubted."""

_AT_ONCE = 64
"""Pages that are asked for before the next are."""

GetPage = Callable[[int], Awaitable[Page]]


async def take_snapshot(client: ReadClient, needs: Mapping[str, Need], with_approvals: list[str]) -> Snapshot:
    """Read what a plan needs, all models at once."""
    models = client.catalog.models
    readings = await asyncio.gather(*(read(client, models[name], need) for name, need in needs.items()))
    approvals = await asyncio.gather(*(read_approvals(client, models[name]) for name in with_approvals))
    return Snapshot(dict(zip(needs, readings, strict=True)), dict(zip(with_approvals, approvals, strict=True)))


async def read(client: ReadClient, model: Model, need: Need) -> Reading:
    """All records of a model, or those that are needed one by one, whichever takes fewer requests."""
    try:
        first = await client.page(model)
    except (Forbidden, NotFound) as error:
        return Reading(model.name, Completeness.DENIED, {}, reason=error.what)
    seen = {str(fields.get("id")): fields for fields in first.records}
    ids, names = _not_in(model, seen, need)
    if first.total is not None and first.records and first.total > len(seen):
        pages = -(-(first.total - len(seen)) // len(first.records))
        if len(ids) + len(names) < pages and not need.everything:
            alone = Reading(model.name, Completeness.PARTIAL, seen, first.total)
            return await _one_by_one(client, model, alone, ids, names, need)
    reading = await read_all(model.name, lambda offset: client.page(model, offset), first)
    return await _look_for_missing(client, model, reading, need)


async def read_approvals(client: ReadClient, model: Model) -> Reading:
    """All approvals of a model that this account may see."""
    try:
        return await read_all(model.name, lambda offset: client.approval_page(model, offset))
    except (Forbidden, NotFound) as error:
        return Reading(model.name, Completeness.DENIED, {}, reason=error.what)


async def read_all(name: str, get: GetPage, first: Page | None = None) -> Reading:
    """All pages. A listing that does not add up is read once more before it is called partial.

    Pages are read side by side where the server says how many there are, else one after the other until one is
    empty or brings nothing new.
    """
    first = first or await get(0)
    reading = await _pages(name, get, first)
    if reading.completeness is Completeness.COMPLETE:
        return reading
    try:
        return await _pages(name, get, await get(0))
    except (Unavailable, NotTheApi) as error:
        return replace(reading, reason=error.what)


async def _pages(name: str, get: GetPage, first: Page) -> Reading:
    rows = list(first.records)
    totals = {first.total}
    if first.total is not None and rows:
        offsets = range(len(rows), first.total, len(rows))
        while offsets:
            try:
                pages = await asyncio.gather(*(get(offset) for offset in offsets[:_AT_ONCE]))
            except (Unavailable, NotTheApi) as error:
                return _reading(name, rows, first.total, error.what)
            for page in pages:
                rows += page.records
                totals.add(page.total)
            # A server that says more than it has is not asked for all of that.
            offsets = offsets[_AT_ONCE:] if pages[-1].records else range(0)
    elif rows and not first.last:
        known = {fields.get("id") for fields in rows}
        while (page := await get(len(rows))).records:
            new = [fields for fields in page.records if fields.get("id") not in known]
            if not new:  # a server that ignores the offset sends the same page again
                break
            known |= {fields.get("id") for fields in new}
            rows += new
            if page.last:
                break
    return _reading(name, rows, first.total, _what_is_wrong(rows, totals))


def _what_is_wrong(rows: list[Fields], totals: set[int | None]) -> str:
    """Why a listing cannot be taken as all there is; nothing if it can."""
    ids = [fields.get("id") for fields in rows]
    if len(set(ids)) < len(ids):
        return "a record was listed twice, so another may be missing"
    if len(totals) > 1:
        return "the number of records changed while they were read"
    total = next(iter(totals))
    if total is not None and total != len(ids):
        return f"the server says there are {total}, and listed {len(ids)}"
    return ""


def _reading(name: str, rows: list[Fields], total: int | None, wrong: str) -> Reading:
    found = Completeness.PARTIAL if wrong else Completeness.COMPLETE
    records = {str(fields.get("id")): fields for fields in rows}
    return Reading(name, found, records, total if total is not None else len(records), reason=wrong)


def _not_in(model: Model, seen: Mapping[str, Fields], need: Need) -> tuple[list[str], list[str]]:
    """The needed ids and names that were not seen."""
    names = {fields.get(model.identity) for fields in seen.values()} if model.identity else set()
    return sorted(set(need.ids) - set(seen)), sorted(need.names - names)


async def _look_for_missing(client: ReadClient, model: Model, reading: Reading, need: Need) -> Reading:
    """Ask for known ids that a listing lacks before they are called gone; too many of them speak against it."""
    ids, _ = _not_in(model, reading.records, need)
    if len(ids) > _MANY and len(ids) > len(need.ids) // 2:
        reason = f"{len(ids)} of {len(need.ids)} known records are not in the list"
        return replace(reading, completeness=Completeness.PARTIAL, reason=reading.reason or reason)
    return await _one_by_one(client, model, reading, ids, [], need)


async def _one_by_one(
    client: ReadClient, model: Model, reading: Reading, ids: list[str], names: list[str], need: Need
) -> Reading:
    details = await asyncio.gather(*(_detail(client, model, id_) for id_ in ids))
    found = {id_: fields for id_, fields in zip(ids, details, strict=True) if fields is not None}
    missing = frozenset(ids) - found.keys()
    if reading.completeness is not Completeness.COMPLETE:  # a record that is gone may live on under another id
        names = sorted({*names, *(n for n in (need.ids[i] for i in missing) if n is not None)})
    by_name = await asyncio.gather(*(_named(client, model, name) for name in names))
    absent = frozenset(name for name, rows in zip(names, by_name, strict=True) if rows is not None and not rows)
    unknown = [name for name, rows in zip(names, by_name, strict=True) if rows is None]
    for rows in by_name:
        found |= {str(fields["id"]): fields for fields in rows or ()}
    reason = f"the server ignores a filter by name ({unknown[0]})" if unknown else reading.reason
    return replace(reading, records={**reading.records, **found}, missing=missing, absent=absent, reason=reason)


async def _detail(client: ReadClient, model: Model, id_: str) -> Fields | None:
    try:
        return await client.detail(model, id_)
    except (NotFound, Forbidden):
        return None


async def _named(client: ReadClient, model: Model, name: str) -> list[Fields] | None:
    """The records of exactly this name; None if the server did not filter."""
    assert model.identity is not None
    page = await client.page(model, 0, Query(filters=((model.identity, name),)))
    if any(str(fields.get(model.identity, "")).casefold() != name.casefold() for fields in page.records):
        return None
    return [fields for fields in page.records if fields.get(model.identity) == name]
