"""The line to a client: whether it is still there, and how to drop it.

Served, the transport below HTTP is closed. In this process there is none: the client gets the
exception that it would raise itself.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct

import httpx
from starlette.types import Receive, Send


async def still_there(receive: Receive, seconds: float) -> bool:
    """Wait; false, and at once, if the client hangs up meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await gone(receive)
    except TimeoutError:
        return True
    return False


async def gone(receive: Receive) -> None:
    """Wait until the client has hung up, or was hung up on."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def hang_up(receive: Receive, send: Send, as_client: str) -> None:
    """Close the connection where the answer stands now.

    Raises:
        httpx.RemoteProtocolError: with the words of `as_client`, if the client is in this process.
    """
    transport = transport_of(send)
    if transport is None:
        raise httpx.RemoteProtocolError(as_client)
    transport.close()
    await gone(receive)  # an app that ends before its connection is taken for broken


async def reset(receive: Receive, send: Send) -> None:
    """Break the connection off, by a TCP RST.

    Raises:
        httpx.ReadError: if the client is in this process.
    """
    transport = transport_of(send)
    if transport is None:
        raise httpx.ReadError("Connection reset by peer")
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await gone(receive)


def transport_of(send: Send) -> asyncio.Transport | None:
    """The connection under uvicorn, whose `send` is a method of an object that has it; ASGI itself
    shows none.
    """
    return getattr(getattr(send, "__self__", None), "transport", None)
