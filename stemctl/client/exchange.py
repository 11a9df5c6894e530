"""One request and its whole answer: bounded in time and in size, whatever the other side sends."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from stemctl.client import retry
from stemctl.client.responses import NotTheApi, Response

MAX_BYTES = 64 * 2**20
"""Bytes of an answer, decoded. A page of a hundred records has less than one of them in a thousand."""

_ENCODINGS = ("", "identity", "gzip")
"""What is asked for. A server that packs an answer twice would have it unpacked without a bound."""


async def exchange(http: httpx.AsyncClient, method: str, url: str, **options: Any) -> Response:
    """Send a request, and read all of its answer. `options` are those of `httpx.AsyncClient.stream`.

    Raises:
        httpx.HTTPError: there was no whole answer, also if it went on for longer than
        `policy.DEADLINE`.
        NotTheApi: the answer is too large, or packed in a way that was not asked for.
    """
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        **options.pop("headers", {}),
    }
    try:
        async with asyncio.timeout(retry.DEADLINE):
            sent = http.stream(method, url, headers=headers, timeout=retry.TIMEOUT, **options)
            async with sent as response:
                content = await _content(response)
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"no complete answer within {retry.DEADLINE:.0f} s") from error
    return Response(response.status_code, response.headers, content)


async def _content(response: httpx.Response) -> bytes:
    """The body.

    Raises:
        NotTheApi: it has no end, or cannot be unpacked safely.
    """
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    if packed not in _ENCODINGS:
        raise NotTheApi(
            f"The server's answer is packed as {packed[:40]!r}, which was not asked for.",
            "Only gzip is read. A proxy may have packed it again.",
            status=response.status_code,
        )
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > MAX_BYTES:
            raise NotTheApi(
                f"The server's answer is larger than {MAX_BYTES // 2**20} MiB.",
                "No answer of the API is that large, so the rest of it was not read.",
                status=response.status_code,
            )
    return bytes(content)
