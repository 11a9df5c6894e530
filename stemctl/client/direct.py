"""A connection without a proxy: a line of asyncio, and h11, which reads and writes HTTP on it.

It takes the place of httpcore's connection, which has the same h11 in it, and around it locks,
traces and a second library for sockets: two thirds of the time of a request. Failures have the
names that they have in httpx.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import h11

from stemctl.client import failures
from stemctl.client.http_types import Incoming, Request

_LONGEST_HEAD = 100 * 1024
_EXPIRES_AFTER = 4.0
"""Seconds after which an idle connection is not used again: many servers close it after five, and a
request that is on its way then may be lost.
"""

_NEXT_ADDRESS_AFTER = 0.25
"""Seconds after which the next address of a host is tried as well."""


class Direct:
    """One connection to the server of a URL; a new one whenever the last one is no longer usable.

    `trusted` are the certificates for TLS, which is used if there are any.
    """

    def __init__(self, url: str, trusted: ssl.SSLContext | None) -> None:
        where = urlsplit(url)
        self._host = where.hostname or ""
        self._port = where.port or (80 if trusted is None else 443)
        self._trusted = trusted
        self._line: _Line | None = None

    async def send(self, request: Request) -> Incoming:
        """Send a request, and read the head of its response."""
        limits = request.timeout
        line = self._line
        if line is None or not line.is_usable():
            await self.aclose()
            line = self._line = await self._connect(limits.connect)
        try:
            line.send(request)
            await line.sent(limits.write)
            head = await line.head(limits.read)
        except BaseException:  # cancelled as well: nobody will read what may still come
            line.close()
            raise
        body = _Body(line, limits.read)
        return Incoming(head.status_code, head.headers.raw_items(), body)

    async def aclose(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()
            self._line = None
            await asyncio.sleep(0)  # asyncio closes its socket in the next turn

    async def _connect(self, seconds: float) -> _Line:
        """A new connection. Nothing is sent before TLS has checked the server."""
        hostname = None if self._trusted is None else self._host
        try:
            async with asyncio.timeout(seconds):
                _, line = await asyncio.get_running_loop().create_connection(
                    _Line,
                    self._host,
                    self._port,
                    ssl=self._trusted,
                    server_hostname=hostname,
                    happy_eyeballs_delay=_NEXT_ADDRESS_AFTER,
                )
        except TimeoutError as error:
            raise failures.ConnectTimeout from error
        except socket.gaierror as error:
            raise failures.ConnectError(error.strerror or str(error)) from error
        except (ssl.SSLError, UnicodeError) as error:
            raise failures.ConnectError(str(error)) from error
        except OSError as error:
            raise failures.ConnectError("All connection attempts failed") from error
        return line


class _Line(asyncio.Protocol):
    """A connection that is open or was, and how far its HTTP is."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self._transport: Any = None
        self._watched: Any = None
        self._is_over = self._is_full = False
        self._error: Exception | None = None
        self._expires = 0.0
        self._news: asyncio.Future[None] | None = None

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._watched = _watched(transport.get_extra_info("socket"))
        self._expires = time.monotonic() + _EXPIRES_AFTER

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        if self._news is None:  # what nobody waits for must not fill the memory
            self._transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        self._is_over = True
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        self._error = exc
        self._tell()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # what requests use

    def is_usable(self) -> bool:
        """Whether it can take a request. A server that has said anything since the last response
        has closed it, or is about to; asyncio may not have seen that yet.
        """
        is_quiet = not self._is_over and self._http.trailing_data == (b"", False)
        is_idle = self._http.our_state is h11.IDLE and time.monotonic() < self._expires
        return is_quiet and is_idle and not _is_readable(self._watched)

    def send(self, request: Request) -> None:
        """Send a whole request at once: in two parts, it would take the system twice as long."""
        try:
            head = h11.Request(
                method=request.method, target=request.target, headers=request.headers
            )
            parts = [self._http.send(head)]
            if request.content:
                parts.append(self._http.send(h11.Data(data=request.content)))
            parts.append(self._http.send(h11.EndOfMessage()))
        except h11.LocalProtocolError as error:
            raise failures.LocalProtocolError(str(error)) from error
        self._transport.write(b"".join(filter(None, parts)))

    async def sent(self, seconds: float) -> None:
        """Wait until the system has taken nearly all of a large request: until then, the server is
        not silent. One that answers meanwhile is not waited for, so that what it sends is read.

        Raises:
            WriteTimeout: it takes longer.
        """
        if not self._is_full:
            return
        try:
            async with asyncio.timeout(seconds):
                while self._is_full and not self._is_over and not self._http.trailing_data[0]:
                    await self._wait(seconds)
        except (TimeoutError, failures.ReadTimeout) as error:
            raise failures.WriteTimeout from error

    async def head(self, seconds: float) -> h11.Response:
        """The head of the response, after those that only say that it will come."""
        while True:
            event = await self.event(seconds)
            if isinstance(event, h11.Response):
                return event

    async def event(self, seconds: float) -> Any:
        """The next part of the response. `seconds` is how long the server may be silent.

        Raises:
            NoResponse: it does not come, or is not HTTP.
        """
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise failures.RemoteProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            if not self._is_over:
                await self._wait(seconds)
            elif self._error is not None:
                raise failures.ReadError from self._error
            elif self._http.their_state is h11.SEND_RESPONSE:
                raise failures.RemoteProtocolError(
                    "Server disconnected without sending a response."
                )
            else:
                self._http.receive_data(b"")  # h11 knows what an end means here

    async def _wait(self, seconds: float) -> None:
        self._news = asyncio.get_running_loop().create_future()
        self._transport.resume_reading()
        try:
            async with asyncio.timeout(seconds):
                await self._news
        except TimeoutError as error:
            raise failures.ReadTimeout from error
        finally:
            self._news = None

    def finish(self) -> None:
        """The response was read, or is not wanted any more: then the rest of it is in the way."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._expires = time.monotonic() + _EXPIRES_AFTER
        else:
            self.close()

    def close(self) -> None:
        """Close it, whatever is under way."""
        self._is_over = True
        self._transport.abort()


class _Body:
    """The body of a response. Once it is closed, its line is free."""

    def __init__(self, line: _Line, seconds: float) -> None:
        self._line, self._seconds = line, seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._line.event(self._seconds), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        self._line.finish()


def _watched(connected: socket.socket) -> Any:
    """What `_is_readable` looks at."""
    if sys.platform == "win32":
        return connected
    polled = select.poll()
    polled.register(connected.fileno(), select.POLLIN)
    return polled


def _is_readable(watched: Any) -> bool:
    """Whether the other side has sent something, or closed the connection."""
    if sys.platform == "win32":
        return bool(select.select([watched], [], [], 0)[0])
    return bool(watched.poll(0))
