"""One request and its whole response, with limits on time and size."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterable, Mapping, Sequence
from json import JSONEncoder
from types import TracebackType
from typing import Self

import httpx

from stemctl.client import retry
from stemctl.client.responses import NotTheApi, Response
from stemctl.util.json_types import Value

MAX_BYTES = 64 * 2**20
"""The limit of a decoded response. A page of a hundred records is a thousand times smaller."""

_ENCODINGS = ("", "identity", "gzip")
"""The accepted encodings. A response that is compressed twice could expand without a limit."""

_ALWAYS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "keep-alive",
}
_ENCODER = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)

_parsed = functools.lru_cache(maxsize=64)(httpx.URL)
"""The URL of a text. New records are all sent to those of their models."""

Params = Sequence[tuple[str, str | int | float | bool | None]]


class Http:
    """Sends requests over a transport of httpx, with headers of its own.

    A client of httpx also keeps cookies, follows redirects and finds credentials elsewhere. None of
    that is wanted here, and it takes longer than the request itself.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, headers: Mapping[str, str] | None = None
    ) -> None:
        self._transport = transport
        self._headers = _encoded({**_ALWAYS, **(headers or {})})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._transport.aclose()

    async def respond(
        self, method: str, url: str, params: Params | None, json: Value, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Send a request. Of the response, only the head has arrived; it has to be closed.

        Raises:
            httpx.InvalidURL: the URL is not valid.
            httpx.HTTPError: there is no response.
        """
        where, content = _parsed(url), b""
        # A request that is given its stream takes its headers as they are. Otherwise, httpx makes
        # each of them twice more.
        all_headers = [(b"Host", where.netloc), *self._headers, *_encoded(headers)]
        if json is not None:
            content = _ENCODER.encode(json).encode()
            length = str(len(content))
            all_headers += _encoded({"Content-Length": length, "Content-Type": "application/json"})
        request = httpx.Request(
            method,
            where,
            params=None if params is None else list(params),
            headers=all_headers,
            stream=httpx.ByteStream(content),
            extensions={"timeout": retry.TIMEOUT.as_dict()},
        )
        return await self._transport.handle_async_request(request)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


async def exchange(
    http: Http,
    method: str,
    url: str,
    *,
    params: Params | None = None,
    json: Value = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send a request, and read the whole response.

    Raises:
        httpx.HTTPError: no complete response arrived within `retry.DEADLINE`.
        NotTheApi: the response is too large, or has an encoding that was not requested.
    """
    try:
        async with asyncio.timeout(retry.DEADLINE):
            response = await http.respond(method, url, params, json, headers or {})
            try:
                content = await _content(response)
            finally:
                await response.aclose()
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
    # Where nothing is to be unpacked, httpx would only pass the pieces on, through two generators.
    pieces = response.aiter_bytes() if encoding == "gzip" else response.stream
    assert isinstance(pieces, AsyncIterable)
    async for piece in pieces:
        content += piece
        if len(content) > MAX_BYTES:
            raise NotTheApi(
                f"The server's response is larger than {MAX_BYTES // 2**20} MiB.",
                "The API never returns so much, so the rest was not read.",
                status=response.status_code,
            )
    return bytes(content)
