"""A request and its response on their way, and what carries them.

httpx has such types as well. Loading them takes a tenth of a plan of a small repository, so httpx
is loaded only for a proxy: see `over_httpx`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from msgspec import Struct

RawHeaders = list[tuple[bytes, bytes]]
"""Names and values, in the order in which they are sent."""


class Timeout(Struct, frozen=True):
    """Seconds that a server may take to connect, to take a part of a request, and to send a part
    of its response.
    """

    connect: float
    write: float
    read: float


class Request(Struct, frozen=True):
    """A request with its whole body. `target` is the path and the query, in ASCII."""

    method: str
    target: str
    headers: RawHeaders
    content: bytes
    timeout: Timeout


class Body(Protocol):
    """The pieces of a body, which arrive one by one."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None:
        """Read nothing more: the connection is free for the next request, or closed."""


class Incoming(Struct, frozen=True):
    """A response of which only the head has arrived. Its body has to be closed."""

    status: int
    headers: RawHeaders
    body: Body


class Transport(Protocol):
    """A way to a server."""

    async def send(self, request: Request) -> Incoming:
        """Send a request, and read the head of its response.

        Raises:
            NoResponse: there is none.
        """

    async def aclose(self) -> None:
        """Close all connections."""


def by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their names in lower case. Those that are sent several times are one list."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), _text(raw_value)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
