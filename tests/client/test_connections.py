"""Each connection has one request at a time, and is used again, whatever became of the last one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from stemctl.client.connections import Connections
from stemctl.client.failures import ConnectError, NoResponse, ReadError
from stemctl.client.http_types import Incoming, Request
from stemctl.client.retry import TIMEOUT

REQUEST = Request("GET", "/", [(b"Host", b"here")], b"", TIMEOUT)


class Body:
    def __init__(self, connection: OneAtATime) -> None:
        self.connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(0)
        if self.connection.breaks == "body":
            raise ReadError("broken")
        yield b"{}"

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.connection.busy = False


class OneAtATime:
    """A server's end that refuses a second request before the first one is over."""

    breaks = ""

    def __init__(self) -> None:
        self.busy = self.closed = False
        self.requests = 0

    async def send(self, request: Request) -> Incoming:
        assert not self.busy
        self.busy, self.requests = True, self.requests + 1
        try:
            await asyncio.sleep(0)
            if self.breaks == "head":
                raise ConnectError("refused")
        except BaseException:
            self.busy = False
            raise
        return Incoming(200, [], Body(self))

    async def aclose(self) -> None:
        self.closed = True


@contextlib.asynccontextmanager
async def connections(made: list[OneAtATime]) -> AsyncIterator[Connections]:
    def connect() -> OneAtATime:
        made.append(OneAtATime())
        return made[-1]

    all_of_them = Connections(connect)
    try:
        yield all_of_them
    finally:
        await all_of_them.aclose()


async def content(sender: Connections) -> bytes:
    incoming = await sender.send(REQUEST)
    try:
        return b"".join([piece async for piece in incoming.body])
    finally:
        await incoming.body.aclose()


def test_requests_one_after_the_other_share_a_connection() -> None:
    made: list[OneAtATime] = []

    async def run() -> None:
        async with connections(made) as sender:
            for _ in range(5):
                assert await content(sender) == b"{}"

    asyncio.run(run())
    assert [(one.requests, one.closed) for one in made] == [(5, True)]


def test_requests_at_the_same_time_have_their_own() -> None:
    made: list[OneAtATime] = []

    async def run() -> None:
        async with connections(made) as sender:
            for _ in range(3):
                await asyncio.gather(*(content(sender) for _ in range(4)))

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
        async with connections(made) as sender:
            for failure in (breaks, ""):
                monkeypatch.setattr(OneAtATime, "breaks", failure)
                if failure:
                    with pytest.raises(NoResponse):
                        await content(sender)
                else:
                    assert await content(sender) == b"{}"

    asyncio.run(run())
    assert [one.requests for one in made] == requests
    assert all(one.closed for one in made)


def test_after_a_request_that_was_given_up_the_next_has_a_connection() -> None:
    made: list[OneAtATime] = []

    async def run() -> None:
        async with connections(made) as sender:
            given_up = asyncio.create_task(content(sender))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            assert await content(sender) == b"{}"

    asyncio.run(run())
    assert all(one.closed for one in made)
