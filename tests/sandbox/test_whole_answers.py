"""What a served sandbox writes to its connection, and when."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from stemctl.sandbox.asgi import Receive, Scope, Send, respond
from stemctl.sandbox.faults.line import transport_of
from stemctl.sandbox.whole_answers import WholeAnswers


class Wire(asyncio.Transport):
    """The end of a connection: what was written, one text for each call of the system."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.end = ""

    def write(self, data: Any) -> None:
        assert not self.end
        self.written.append(bytes(data))

    def close(self) -> None:
        self.end = "closed"

    def abort(self) -> None:
        self.end = "aborted"

    def is_closing(self) -> bool:
        return bool(self.end)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, 200, {"path": scope["path"]})


async def talk(app: Any, *requests: bytes) -> Wire:
    config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none")
    config.load()
    protocol, wire = WholeAnswers(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    for request in requests:
        protocol.data_received(request)
        for _ in range(5):
            await asyncio.sleep(0)
    protocol.connection_lost(None)
    return wire


GET = b"GET /one HTTP/1.1\r\nHost: here\r\n\r\n"


def test_each_response_is_one_piece() -> None:
    wire = asyncio.run(talk(plain, GET, GET))
    assert len(wire.written) == 2
    for answer in wire.written:
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b'\r\n\r\n{"path":"/one"}')


def test_a_response_arrives_before_the_connection_is_closed() -> None:
    wire = asyncio.run(talk(plain, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
    assert b"".join(wire.written).endswith(b'{"path":"/one"}')
    assert wire.end == "closed"


@pytest.mark.parametrize("how", ["close", "abort"])
def test_what_was_said_before_a_connection_breaks_is_sent(how: str) -> None:
    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        transport = transport_of(send)
        assert transport is not None
        transport.close() if how == "close" else transport.abort()

    wire = asyncio.run(talk(breaking, GET))
    assert wire.written[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert wire.end in ("closed", "aborted")
