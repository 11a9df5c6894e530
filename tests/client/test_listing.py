"""Lists that are begun before it is certain that they are needed."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from stemctl.client.client import ReadClient
from stemctl.client.exchange import Http
from stemctl.client.listing import begun
from stemctl.planning.needs import Need
from stemctl.schema.catalog import load_catalog

CATALOG = load_catalog("2026")


async def stay_silent(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("nothing happens")


async def fail(request: httpx.Request) -> httpx.Response:
    raise httpx.UnsupportedProtocol("gone")


@pytest.mark.parametrize("answer", [stay_silent, fail])
def test_what_is_not_taken_is_given_up(answer, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> list[asyncio.Task[object]]:
        async with Http(httpx.MockTransport(answer)) as http:
            client = ReadClient(http, "http://lab.test/", "private", CATALOG)
            async with begun(
                client, {"session": Need(), "subject": Need(), "gone": Need()}
            ) as lists:
                await asyncio.sleep(0.01)
                assert set(lists) == {"session", "subject"}
            return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert asyncio.run(scenario()) == []
    assert caplog.records == []
