"""Replies without an end or a size. ASGI has none, so a served sandbox writes them below it.

A client in the same process waits until its timeout.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from stemctl.sandbox.asgi import Receive, Send
from stemctl.sandbox.faults import line

_ZEROS = bytes(2**20)


async def drip(receive: Receive, send: Send, head: bytes, piece: bytes, seconds: float) -> None:
    """Send `head`, then `piece` every few seconds, until the client disconnects."""
    transport = line.transport_of(send)
    if transport is None:
        await line.gone(receive)
        return
    hung_up = asyncio.create_task(line.gone(receive))
    transport.write(head)
    while not hung_up.done():
        transport.write(piece)
        await asyncio.wait([hung_up], timeout=seconds)


async def bomb(send: Send, mebibytes: int) -> None:
    """Reply with many MiB of zeros, compressed to a thousandth."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-encoding", b"gzip"),
        (b"sandbox-fault", b"bomb"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for part in _packed(mebibytes):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _packed(mebibytes: int) -> Iterator[bytes]:
    pack = zlib.compressobj(wbits=31)
    for _ in range(mebibytes):
        if part := pack.compress(_ZEROS):
            yield part
    yield pack.flush()
