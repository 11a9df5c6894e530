"""The connections to a server, each with a transport of its own.

A pool of several connections asks the system about each of them whenever a request begins or ends,
which took an eighth of an apply. Here, a request takes the connection that was free last. How many
there are at once is decided by `limiter`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx

ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class Connections(httpx.AsyncBaseTransport):
    """As many connections as there were requests at the same time, and failures."""

    def __init__(self, connect: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._connect = connect
        self._all: list[httpx.AsyncBaseTransport] = []
        self._free: list[httpx.AsyncBaseTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._free:
            self._free.append(self._connect())
            self._all.append(self._free[-1])
        connection = self._free.pop()
        # One that failed is not used again: where a proxy refuses or TLS fails, httpcore goes on to
        # count a connection that is not there, and the next request waits for it in vain.
        response = await connection.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Answer(response.stream, lambda: self._free.append(connection))
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._all:
            await connection.aclose()


class _Answer(httpx.AsyncByteStream):
    """The body of a response. Once it is closed, `free` is called."""

    def __init__(self, body: httpx.AsyncByteStream, free: Callable[[], None]) -> None:
        self._body, self._free = body, free
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            if not self._closed:
                self._closed = True
                self._free()
