"""Lists that are begun before it is certain that they are needed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from stemctl.client.client import ReadClient
from stemctl.client.exchange import Http
from stemctl.client.listing import begun
from stemctl.client.over_httpx import OverHttpx
from stemctl.core.snapshot import Completeness, Reading
from stemctl.planning.needs import Need
from stemctl.schema.catalog import load_catalog

CATALOG = load_catalog("2026")


def answered_by(answer: Any) -> OverHttpx:
    return OverHttpx(httpx.MockTransport(answer), "http://lab.test/")


async def stay_silent(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("nothing happens")


async def fail(request: httpx.Request) -> httpx.Response:
    raise httpx.UnsupportedProtocol("gone")


def test_a_list_that_is_read_again_is_read_afresh() -> None:
    """The state knows 450 records, the server has 400, and one is added while they are listed."""
    listed: list[int] = []

    def page(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        listed.append(offset)
        total = 400 if len(listed) <= 5 else 401
        rows = [{"id": f"{n:032}"} for n in range(offset, min(offset + 100, total))]
        if offset == 200 and listed.count(200) == 1:
            rows.pop()
        return httpx.Response(200, json={"sessions": rows, "meta": {"total_results": total}})

    async def scenario() -> Reading | None:
        async with Http(answered_by(page)) as http:
            client = ReadClient(http, "http://lab.test/", "private", CATALOG)
            known = Need(ids={f"{n:032}": () for n in range(450)})
            async with begun(client, {"session": known}) as lists:
                return await lists["session"].all

    reading = asyncio.run(scenario())
    assert reading is not None
    assert (reading.completeness, len(reading.records)) == (Completeness.COMPLETE, 401)
    assert listed == [0, 100, 200, 300, 400, 0, 100, 200, 300, 400]


def test_entries_are_read_with_their_parents_and_what_no_table_has_is_not_read() -> None:
    known = {
        "procedurelogentry": Need(ids={"1/2024-01-01": ()}),
        "session": Need(),
        "of an older edition": Need(),
    }

    async def scenario() -> set[str]:
        async with Http(answered_by(stay_silent)) as http:
            client = ReadClient(http, "http://lab.test/", "private", CATALOG)
            async with begun(client, known) as lists:
                return set(lists)

    assert asyncio.run(scenario()) == {"procedurelog", "session"}


@pytest.mark.parametrize("answer", [stay_silent, fail])
def test_what_is_not_taken_is_given_up(answer, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> list[asyncio.Task[object]]:
        async with Http(answered_by(answer)) as http:
            client = ReadClient(http, "http://lab.test/", "private", CATALOG)
            async with begun(client, {"session": Need(), "subject": Need()}) as lists:
                await asyncio.sleep(0.01)
                assert set(lists) == {"session", "subject"}
            return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert asyncio.run(scenario()) == []
    assert caplog.records == []
