"""Reads the records of a model, and knows whether it saw all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from stemctl.client.client import PAGE, PARALLELISM, Page, Query, ReadClient
from stemctl.client.proof import of_listing
from stemctl.client.responses import Forbidden, NotFound, NotTheApi, ServerError, Unavailable
from stemctl.core.live_records import LiveRecords
from stemctl.core.snapshot import Completeness, Lookup, Reading, Snapshot
from stemctl.planning.entries import with_entries, with_parents
from stemctl.planning.needs import Need
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

_MANY = 20
"""If more known ids are missing from a listing, the listing may be incomplete."""

_AT_ONCE = 64
"""Pages that are requested together."""

GetPage = Callable[[int], Awaitable[Page]]


class Begun(Struct, frozen=True):
    """A list that is being read: its first page, and all of it, if it is worth reading."""

    first: asyncio.Task[Page]
    all: asyncio.Task[Reading | None]
    tasks: tuple[asyncio.Task[Any], ...]

    def has_failed(self) -> bool:
        """Whether it has failed by now, or not all of it was there."""
        if any(task.done() and task.exception() for task in (self.first, self.all)):
            return True
        reading = self.all.result() if self.all.done() else None
        return reading is not None and reading.completeness is not Completeness.COMPLETE


@contextlib.asynccontextmanager
async def begun(client: ReadClient, needs: Mapping[str, Need]) -> AsyncIterator[dict[str, Begun]]:
    """Begin to read, by model, what is surely needed. What is not taken by the end is given up."""
    models = client.catalog.models
    wanted = {name: need for name, need in needs.items() if name in models}
    found = {
        name: _begun(client, models[name], need)
        for name, need in with_parents(wanted, client.catalog).items()
        if client.portal in models[name].read_portals
    }
    try:
        yield found
    finally:
        tasks = [task for one in found.values() for task in one.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _begun(client: ReadClient, model: Model, need: Need) -> Begun:
    """The first pages are requested together, as far as the known records reach: the first one
    would only say how many there are. Where most are not known, a few are requested in vain.
    """
    reach = max(1, min(len(need.ids), PARALLELISM * PAGE))
    first, *others = [
        asyncio.create_task(client.page(model, offset)) for offset in range(0, reach, PAGE)
    ]
    sent = {number * PAGE: task for number, task in enumerate(others, start=1)}

    async def get(offset: int) -> Page:
        if offset == 0:
            sent.clear()  # the list is read again, since these pages did not add up
        under_way = sent.pop(offset, None)
        return await (under_way or client.page(model, offset))

    async def everything() -> Reading | None:
        page = await first
        rest = _not_in(model, _seen(page), need)
        if _is_less_alone(page, *rest, need):
            return None
        return await read_all(model.name, get, page)

    whole = asyncio.create_task(everything())
    return Begun(first, whole, (first, *others, whole))


async def take_snapshot(
    client: ReadClient,
    needs: Mapping[str, Need],
    with_approvals: list[str],
    under_way: Mapping[str, Begun] = MappingProxyType({}),
) -> Snapshot:
    """Read what a plan needs, all models concurrently. Some of it may be `under_way`.

    What has failed so far is read from the start: a long step of other work may have kept this
    process from its answers for longer than a request waits.
    """
    models = client.catalog.models
    wanted = with_parents(needs, client.catalog)
    under_way = {name: one for name, one in under_way.items() if not one.has_failed()}
    readings = await asyncio.gather(
        *(read(client, models[name], need, under_way.get(name)) for name, need in wanted.items())
    )
    found = dict(zip(wanted, readings, strict=True))
    approvals = await asyncio.gather(
        *(read_approvals(client, models[name]) for name in with_approvals)
    )
    return Snapshot(
        with_entries(found, needs, client.catalog),
        dict(zip(with_approvals, approvals, strict=True)),
    )


async def read(
    client: ReadClient, model: Model, need: Need, under_way: Begun | None = None
) -> Reading:
    """All records of a model, or only the needed ones if that takes fewer requests."""
    if client.portal not in model.read_portals:
        return _denied(model, f"the portal {client.portal} does not serve them")
    try:
        first = await (under_way.first if under_way else client.page(model))
    except ServerError as error:
        if not is_denied(error):
            raise
        return _denied(
            model, f"{client.url_of(f'{model.app}/{model.name}/')} answered {error.status}"
        )
    seen = _seen(first)
    ids, names = _not_in(model, seen, need)
    if _is_less_alone(first, ids, names, need):
        alone = Reading(model.name, Completeness.PARTIAL, seen, first.total)
        return await _one_by_one(client, model, alone, ids, names, need)
    reading = await under_way.all if under_way else None
    if reading is None:
        reading = await read_all(model.name, lambda offset: client.page(model, offset), first)
    return await _look_for_missing(client, model, reading, need)


def _seen(first: Page) -> dict[str, Fields]:
    return {str(fields.get("id")): fields for fields in first.records}


def _is_less_alone(first: Page, ids: list[str], names: list[Lookup], need: Need) -> bool:
    """Whether it takes fewer requests to look each of these up than to read the other pages."""
    if first.total is None or not first.records or need.everything:
        return False
    pages = -(-(first.total - len(first.records)) // len(first.records))
    return len(ids) + len(names) < pages


async def read_approvals(client: ReadClient, model: Model) -> Reading:
    """All approvals of a model that this account may see."""
    if client.portal not in model.write_portals:
        return _denied(model, f"the portal {client.portal} serves no approvals")
    try:
        return await read_all(model.name, lambda offset: client.approval_page(model, offset))
    except ServerError as error:
        if not is_denied(error):
            raise
        return _denied(model, error.what.rstrip("."))


def is_denied(error: ServerError) -> bool:
    """Whether a listing is not available: no right to read it, or no such URL on this server."""
    if isinstance(error, NotTheApi):
        return error.status == 404
    return isinstance(error, Forbidden | NotFound)


def _denied(model: Model, reason: str) -> Reading:
    return Reading(model.name, Completeness.DENIED, {}, reason=reason)


async def read_all(name: str, get: GetPage, first: Page | None = None) -> Reading:
    """All pages. A listing that does not add up is read again before it counts as partial.

    If the server says how many records there are, pages are read concurrently. Otherwise they are
    read one after the other, until a page has nothing new.
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
    rows = _rows(first)
    totals = {first.total}

    async def part(offset: int) -> tuple[list[_Row], int | None]:
        page = await get(offset)
        return _rows(page), page.total  # the records of a page are let go before the next one comes

    if first.total is not None and rows:
        offsets = range(len(rows), first.total, len(rows))
        while offsets:
            try:
                parts = await asyncio.gather(*(part(offset) for offset in offsets[:_AT_ONCE]))
            except (Unavailable, NotTheApi) as error:
                return _reading(name, rows, first.total, error.what)
            for more, total in parts:
                rows += more
                totals.add(total)
            # After an empty page, a server has no more records, whatever its total says.
            offsets = offsets[_AT_ONCE:] if parts[-1][0] else range(0)
    elif rows and not first.last:
        known = {id_ for id_, _ in rows}
        while more := _rows(page := await get(len(rows))):
            new = [row for row in more if row[0] not in known]
            if not new:  # a server that ignores the offset repeats the page
                break
            known |= {id_ for id_, _ in new}
            rows += new
            if page.last:
                break
    return _reading(name, rows, first.total, of_listing([id_ for id_, _ in rows], totals).why)


_Row = tuple[Value, Fields | bytes]
"""The id of a record, and the record, or its text where the page has it."""


def _rows(page: Page) -> list[_Row]:
    ids = [fields.get("id") for fields in page.records]
    return list(zip(ids, page.texts or page.records, strict=True))


def _reading(name: str, rows: list[_Row], total: int | None, wrong: str) -> Reading:
    found = Completeness.PARTIAL if wrong else Completeness.COMPLETE
    records = LiveRecords({str(id_): row for id_, row in rows})
    return Reading(name, found, records, total if total is not None else len(records), reason=wrong)


def _not_in(model: Model, seen: Mapping[str, Fields], need: Need) -> tuple[list[str], list[Lookup]]:
    """The needed ids and names that are not among the seen records."""
    names: set[Value] = set()
    if model.identity and need.names:
        names = {fields.get(model.identity) for fields in seen.values()}
    return sorted(need.ids.keys() - seen.keys()), sorted(need.names - names, key=str)


async def _look_for_missing(
    client: ReadClient, model: Model, reading: Reading, need: Need
) -> Reading:
    """Request known ids that a listing lacks. If too many are missing, the listing is partial."""
    ids = sorted(need.ids.keys() - reading.records.keys())
    if len(ids) > _MANY and len(ids) > len(need.ids) // 2:
        reason = f"{len(ids):,} of {len(need.ids):,} known records are not in the list"
        return replace(reading, completeness=Completeness.PARTIAL, reason=reading.reason or reason)
    return await _one_by_one(client, model, reading, ids, [], need)


async def _one_by_one(
    client: ReadClient,
    model: Model,
    reading: Reading,
    ids: list[str],
    names: list[Lookup],
    need: Need,
) -> Reading:
    looked_up = dict(
        zip(ids, await asyncio.gather(*(_look(client, model, id_) for id_ in ids)), strict=True)
    )
    found = {id_: look for id_, look in looked_up.items() if not isinstance(look, ServerError)}
    missing = frozenset(id_ for id_, look in looked_up.items() if isinstance(look, NotFound))
    hidden = frozenset(id_ for id_, look in looked_up.items() if isinstance(look, Forbidden))
    failed = [look for look in looked_up.values() if isinstance(look, Unavailable | NotTheApi)]
    if reading.completeness is not Completeness.COMPLETE:
        # A record that is gone may exist under another id.
        names = sorted({*names, *(name for id_ in missing for name in need.ids[id_])}, key=str)
    by_name = await asyncio.gather(*(_named(client, model, name) for name in names))
    rows_of = dict(zip(names, by_name, strict=True))
    absent = frozenset(name for name, rows in rows_of.items() if rows == [])
    unknown = [name for name, rows in rows_of.items() if rows is None]
    for rows in rows_of.values():
        found |= {str(fields["id"]): fields for fields in rows or ()}
    reason = reading.reason
    if failed:
        reason = failed[0].what.rstrip(".")
    elif unknown:
        reason = f"the server ignores a filter by name ({_spelled(unknown[0])})"
    return replace(
        reading,
        completeness=Completeness.PARTIAL if failed else reading.completeness,
        records=_with(reading.records, found),
        missing=missing,
        hidden=hidden,
        absent=absent,
        searched=frozenset(name for name, rows in rows_of.items() if rows is not None),
        reason=reason,
    )


def _with(records: Mapping[str, Fields], more: Mapping[str, Fields]) -> Mapping[str, Fields]:
    if isinstance(records, LiveRecords):
        return records.having(more) if more else records
    return {**records, **more}


async def _look(client: ReadClient, model: Model, id_: str) -> Fields | ServerError:
    """A record, or why it cannot be read. Only a 404 of the API says that there is none to see."""
    try:
        return await client.detail(model, id_)
    except (NotFound, Forbidden, Unavailable, NotTheApi) as error:
        return error


async def _named(client: ReadClient, model: Model, lookup: Lookup) -> list[Fields] | None:
    """The records with exactly these values; None if the server did not filter, or lists too few.

    A unique name has at most one record, so that one page is enough.
    """
    if isinstance(lookup, str):
        assert model.identity is not None
        filters: tuple[tuple[str, str], ...] = ((model.identity, lookup),)
        page = await client.page(model, 0, Query(filters=filters))
        if page.total not in (None, len(page.records)):
            return None
        rows: Iterable[Fields] = page.records
    else:
        filters, query = lookup, Query(filters=lookup)
        reading = await read_all(model.name, lambda offset: client.page(model, offset, query))
        if reading.completeness is not Completeness.COMPLETE:
            return None
        rows = reading.records.values()
    found = []
    for fields in rows:
        values = [(str(fields.get(name, "")), value) for name, value in filters]
        if any(there.casefold() != value.casefold() for there, value in values):
            return None
        if all(there == value for there, value in values):
            found.append(fields)
    return found


def _spelled(lookup: Lookup) -> str:
    """A name, or the values of some fields, for people to read."""
    return lookup if isinstance(lookup, str) else ", ".join(value for _, value in lookup)
