"""Answers without an end or without a size. Served, they are written below ASGI, which knows none
of them; in this process a client waits for as long as it means to.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from starlette.types import Receive, Send

from stemctl.sandbox.faults import line

_ZEROS = bytes(2**20)


async def drip(receive: Receive, send: Send, head: bytes, piece: bytes, seconds: float) -> None:
    """Send `head`, then `piece` every few seconds, until the client hangs up."""
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
    """Answer with so many MiB of zeros, packed to a thousandth of them."""
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
