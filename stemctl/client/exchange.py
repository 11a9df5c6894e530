"""One request and its whole response, with limits on time and size."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from stemctl.client import retry
from stemctl.client.responses import NotTheApi, Response

MAX_BYTES = 64 * 2**20
"""The limit of a decoded response. A page of a hundred records is a thousand times smaller."""

_ENCODINGS = ("", "identity", "gzip")
"""The accepted encodings. A response that is compressed twice could expand without a limit."""


async def exchange(http: httpx.AsyncClient, method: str, url: str, **options: Any) -> Response:
    """Send a request, and read the whole response. `options` are those of `AsyncClient.stream`.

    Raises:
        httpx.HTTPError: no complete response arrived within `retry.DEADLINE`.
        NotTheApi: the response is too large, or has an encoding that was not requested.
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
        raise httpx.ReadTimeout(
            f"no complete response within {retry.DEADLINE:.0f} seconds"
        ) from error
    return Response(response.status_code, response.headers, content)


async def _content(response: httpx.Response) -> bytes:
    """The body.

    Raises:
        NotTheApi: it is too large, or cannot be decoded safely.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise NotTheApi(
            f"The server's response has the encoding {encoding[:40]!r}, which was not requested.",
            "stemctl accepts only gzip. A proxy may have compressed the response again.",
            status=response.status_code,
        )
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > MAX_BYTES:
            raise NotTheApi(
                f"The server's response is larger than {MAX_BYTES // 2**20} MiB.",
                "The API never returns so much, so the rest was not read.",
                status=response.status_code,
            )
    return bytes(content)
