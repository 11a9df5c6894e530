"""The connection to a client: whether it is open, and how to break it.

A served sandbox closes the transport below HTTP. Within a process there is none, so an exception
tells the client what it would have met.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct

from stemctl.sandbox.asgi import Receive, Send


async def still_there(receive: Receive, seconds: float) -> bool:
    """Wait. Returns false at once if the client disconnects meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await gone(receive)
    except TimeoutError:
        return True
    return False


async def gone(receive: Receive) -> None:
    """Wait until the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def hang_up(receive: Receive, send: Send, as_client: str) -> None:
    """Close the connection at this point of the reply.

    Raises:
        ConnectionAbortedError: with the text `as_client`, if the client is in this process.
    """
    transport = transport_of(send)
    if transport is None:
        raise ConnectionAbortedError(as_client)
    transport.close()
    await gone(receive)  # an app that ends before its connection counts as broken


async def reset(receive: Receive, send: Send) -> None:
    """Reset the connection (TCP RST).

    Raises:
        ConnectionResetError: if the client is in this process.
    """
    transport = transport_of(send)
    if transport is None:
        raise ConnectionResetError("Connection reset by peer")
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await gone(receive)


def transport_of(send: Send) -> asyncio.Transport | None:
    """The connection of uvicorn, whose `send` is a method of an object with the transport."""
    return getattr(getattr(send, "__self__", None), "transport", None)
