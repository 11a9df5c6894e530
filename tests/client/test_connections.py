"""Each connection has one request at a time, and is used again, whatever became of the last one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from stemctl.client.connections import Connections


class Body(httpx.AsyncByteStream):
    def __init__(self, connection: OneAtATime) -> None:
        self.connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(0)
        if self.connection.breaks == "body":
            raise httpx.ReadError("broken")
        yield b"{}"

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.connection.busy = False


class OneAtATime(httpx.AsyncBaseTransport):
    """A server's end that refuses a second request before the first one is over."""

    breaks = ""

    def __init__(self) -> None:
        self.busy = self.closed = False
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert not self.busy
        self.busy, self.requests = True, self.requests + 1
        try:
            await asyncio.sleep(0)
            if self.breaks == "head":
                raise httpx.ConnectError("refused")
        except BaseException:
            self.busy = False
            raise
        return httpx.Response(200, stream=Body(self))

    async def aclose(self) -> None:
        self.closed = True


def client(made: list[OneAtATime]) -> httpx.AsyncClient:
    def connect() -> OneAtATime:
        made.append(OneAtATime())
        return made[-1]

    return httpx.AsyncClient(transport=Connections(connect))


def test_requests_one_after_the_other_share_a_connection() -> None:
    made: list[OneAtATime] = []

    async def run() -> None:
        async with client(made) as http:
            for _ in range(5):
                assert (await http.get("http://here/")).content == b"{}"

    asyncio.run(run())
    assert [(one.requests, one.closed) for one in made] == [(5, True)]


def test_requests_at_the_same_time_have_their_own() -> None:
    made: list[OneAtATime] = []

    async def run() -> None:
        async with client(made) as http:
            for _ in range(3):
                await asyncio.gather(*(http.get("http://here/") for _ in range(4)))

    asyncio.run(run())
    assert sum(one.requests for one in made) == 12
    assert len(made) == 4
    assert all(one.closed for one in made)


@pytest.mark.parametrize("breaks, requests", [("head", [1, 1]), ("body", [2])])
def test_a_connection_that_failed_is_not_used_again(
    breaks: str, requests: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose answer broke off is, as httpcore makes a new one inside of it."""
    made: list[OneAtATime] = []

    async def run() -> None:
        async with client(made) as http:
            for failure in (breaks, ""):
                monkeypatch.setattr(OneAtATime, "breaks", failure)
                if failure:
                    with pytest.raises(httpx.TransportError):
                        await http.get("http://here/")
                else:
                    assert (await http.get("http://here/")).is_success

    asyncio.run(run())
    assert [one.requests for one in made] == requests
    assert all(one.closed for one in made)


def test_after_a_request_that_was_given_up_the_next_has_a_connection() -> None:
    made: list[OneAtATime] = []

    async def run() -> None:
        async with client(made) as http:
            given_up = asyncio.create_task(http.get("http://here/"))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            assert (await http.get("http://here/")).is_success

    asyncio.run(run())
    assert all(one.closed for one in made)
