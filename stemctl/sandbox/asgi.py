"""Requests and responses of ASGI, the interface between a server of HTTP and an application.

There is one application with one handler, so a framework would mostly be loaded: that took a sixth
of a plan of a small repository, whose sandbox is in the same process.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from stemctl.util.json_types import Value

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class HttpRequest(Struct, frozen=True):
    """A request with its whole body. `host` is the scheme and the host that the client named."""

    method: str
    host: str
    path: str
    parameters: list[tuple[str, str]]
    authorization: str | None
    content: bytes

    @property
    def url(self) -> str:
        """The address without its query."""
        return self.host + self.path

    def parameter(self, name: str) -> str:
        """The last value of a parameter; empty if there is none."""
        return dict(self.parameters).get(name, "")


async def read_content(receive: Receive) -> bytes | None:
    """The body of a request; None if the client disconnects before it is complete."""
    content: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        content.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(content)


def http_request(scope: Scope, content: bytes) -> HttpRequest:
    """The request of a scope."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    return HttpRequest(
        scope["method"],
        f"{scope['scheme']}://{headers.get(b'host', 'sandbox')}",
        scope["path"],
        parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers.get(b"authorization"),
        content,
    )


async def respond(
    send: Send, status: int, body: Value, headers: Mapping[str, str] | None = None
) -> None:
    """Send a response: a page if the body is a text, JSON otherwise; None is no body."""
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    if body is None:
        content = b""
    elif isinstance(body, str):
        content = body.encode()
        raw.append((b"content-type", b"text/html; charset=utf-8"))
    else:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        content = text.encode()
        raw.append((b"content-type", b"application/json"))
    if content or status not in (204, 304):
        raw.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
