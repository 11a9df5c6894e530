"""A server of uvicorn whose answers leave in one piece.

uvicorn writes head and body of a response each for itself. That takes the system twice the work,
and the client wakes up twice: a tenth of the time of an apply without latency.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class WholeAnswers(H11Protocol):
    """HTTP over a transport that collects what is written in one turn of the event loop."""

    # uvicorn names its kind of transport here, which is the one that asyncio gives, and takes
    # whatever has its methods.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Collecting(transport, self.loop))  # type: ignore[arg-type]


class _Collecting:
    """A transport that sends what was written at the end of the turn, or before it is closed."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send something soon."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()

    def close(self) -> None:
        """Send everything, and close the connection."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Send what can be sent, and break the connection."""
        self._flush()
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
