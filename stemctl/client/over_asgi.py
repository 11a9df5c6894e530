"""An application in this process, as a transport without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from stemctl.client import failures
from stemctl.client.http_types import Incoming, RawHeaders, Request

if TYPE_CHECKING:
    from stemctl.sandbox.asgi import ASGIApp, Message, Scope


class OverAsgi:
    """Asks an application. What it raises for a broken connection is what a client would meet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def send(self, request: Request) -> Incoming:
        """The whole response, once the application has made it."""
        exchange = _Exchange(request)
        try:
            async with asyncio.timeout(request.timeout.read):
                await self._app(_scope(request), exchange.receive, exchange.send)
        except TimeoutError as error:
            raise failures.ReadTimeout from error
        except ConnectionResetError as error:
            raise failures.ReadError(str(error)) from error
        except ConnectionError as error:
            raise failures.RemoteProtocolError(str(error)) from error
        return Incoming(exchange.status, exchange.headers, _Whole(b"".join(exchange.body)))

    async def aclose(self) -> None:
        """There is nothing to close."""


class _Exchange:
    """What the application receives of a request, and what it has sent."""

    def __init__(self, request: Request) -> None:
        self._content = request.content
        self._is_received = False
        self._is_answered = asyncio.Event()
        self.status = 0
        self.headers: RawHeaders = []
        self.body: list[bytes] = []

    async def receive(self) -> Message:
        if self._is_received:  # the client stays until it has its response
            await self._is_answered.wait()
            return {"type": "http.disconnect"}
        self._is_received = True
        return {"type": "http.request", "body": self._content, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
            return
        self.body.append(message.get("body", b""))
        if not message.get("more_body", False):
            self._is_answered.set()


class _Whole:
    """A body that has arrived."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content

    async def aclose(self) -> None:
        """There is nothing to close."""


def _scope(request: Request) -> Scope:
    path, _, query = request.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers],
        "scheme": "http",
        "path": unquote(path),
        "query_string": query.encode("ascii"),
    }
