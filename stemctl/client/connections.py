"""The connections to a server, each with a transport of its own.

A pool of several connections asks the system about each of them whenever a request begins or ends,
which took an eighth of an apply. Here, a request takes the connection that was free last. How many
there are at once is decided by `limiter`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from stemctl.client.http_types import Body, Incoming, Request, Transport


class Connections:
    """As many connections as there were requests at the same time, and failures."""

    def __init__(self, connect: Callable[[], Transport]) -> None:
        self._connect = connect
        self._all: list[Transport] = []
        self._free: list[Transport] = []

    async def send(self, request: Request) -> Incoming:
        """Send a request over a connection that is free, or a new one."""
        if not self._free:
            self._free.append(self._connect())
            self._all.append(self._free[-1])
        connection = self._free.pop()
        # One that failed is not used again: where a proxy refuses or TLS fails, httpcore goes on to
        # count a connection that is not there, and the next request waits for it in vain.
        incoming = await connection.send(request)
        body = _Freeing(incoming.body, lambda: self._free.append(connection))
        return Incoming(incoming.status, incoming.headers, body)

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._all:
            await connection.aclose()


class _Freeing:
    """The body of a response. Once it is closed, `free` is called."""

    def __init__(self, body: Body, free: Callable[[], None]) -> None:
        self._body, self._free = body, free
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        """Close the body, and free its connection."""
        try:
            await self._body.aclose()
        finally:
            if not self._closed:
                self._closed = True
                self._free()
