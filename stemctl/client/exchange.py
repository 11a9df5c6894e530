"""One request and its whole response, with limits on time and size."""

from __future__ import annotations

import asyncio
import functools
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from json import JSONEncoder
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode, urlsplit

from stemctl.client import retry
from stemctl.client.failures import ReadError, ReadTimeout
from stemctl.client.http_types import Body, Incoming, RawHeaders, Request, Transport, by_name
from stemctl.client.responses import NotTheApi, Response
from stemctl.util.json_types import Value

MAX_BYTES = 64 * 2**20
"""The limit of a decoded response. A page of a hundred records is a thousand times smaller."""

_LONGEST_TARGET = 64 * 1024
"""Characters. No server takes as many."""

_ENCODINGS = ("", "identity", "gzip")
"""The accepted encodings. A response that is compressed twice could expand without a limit."""

_GZIP = zlib.MAX_WBITS | 16
_PIECE = 64 * 1024

_ALWAYS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "keep-alive",
}
_ENCODER = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_AS_IT_IS = "/:@!$&'()*+,;=~%"
"""What a path may contain besides letters and digits. What follows a % is quoted already."""

_USUAL_PORTS = {"http": 80, "https": 443}

Params = Sequence[tuple[str, str]]


class TooLong(ValueError):
    """A URL that is longer than any server takes."""


class Http:
    """Sends requests over a transport, with headers of its own.

    There are no cookies and no redirects, and nothing is read from the environment.
    """

    def __init__(self, transport: Transport, headers: Mapping[str, str] | None = None) -> None:
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
    ) -> Incoming:
        """Send a request. Of the response, only the head has arrived; its body has to be closed.

        Raises:
            TooLong: the URL is too long.
            NoResponse: there is no response.
        """
        host, path = _parts(url)
        target = f"{path}?{urlencode(params)}" if params else path
        if len(target) > _LONGEST_TARGET:
            raise TooLong(f"{len(target):,} characters")
        content = b""
        all_headers = [(b"Host", host), *self._headers, *_encoded(headers)]
        if json is not None:
            content = _ENCODER.encode(json).encode()
            length = str(len(content))
            all_headers += _encoded({"Content-Length": length, "Content-Type": "application/json"})
        request = Request(method, target, all_headers, content, retry.TIMEOUT)
        return await self._transport.send(request)


@functools.lru_cache(maxsize=64)
def _parts(url: str) -> tuple[bytes, str]:
    """The host and the path of a URL. New records are all sent to those of their models."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    if parts.port not in (None, _USUAL_PORTS.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    return host.encode("ascii"), quote(parts.path, safe=_AS_IT_IS)


def _encoded(headers: Mapping[str, str]) -> RawHeaders:
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
        NoResponse: no complete response arrived within `retry.DEADLINE`.
        NotTheApi: the response is too large, or has an encoding that was not requested.
        TooLong: the URL is too long.
    """
    try:
        async with asyncio.timeout(retry.DEADLINE):
            incoming = await http.respond(method, url, params, json, headers or {})
            try:
                named = by_name(incoming.headers)
                content = await _content(incoming, named.get("content-encoding", ""))
            finally:
                await incoming.body.aclose()
    except TimeoutError as error:
        raise ReadTimeout(
            f"There was no complete response within {retry.DEADLINE:.0f} seconds"
        ) from error
    return Response(incoming.status, named, content)


async def _unpacked(packed: Body) -> AsyncIterator[bytes]:
    """The content in small pieces: unpacked, one that arrives may be a thousand times as large.
    What follows the end is left out.

    Raises:
        ReadError: it is not packed as it says.
    """
    unpacker = zlib.decompressobj(_GZIP)
    async for piece in packed:
        rest = piece
        try:
            while rest and not unpacker.eof:
                yield unpacker.decompress(rest, _PIECE)
                rest = unpacker.unconsumed_tail
        except zlib.error as error:
            raise ReadError(str(error)) from error


async def _content(incoming: Incoming, encoding: str) -> bytes:
    """The body, unpacked.

    Raises:
        NotTheApi: it is too large, or cannot be decoded safely.
        ReadError: it is not what its encoding says.
    """
    encoding = encoding.strip().lower()
    if encoding not in _ENCODINGS:
        raise NotTheApi(
            f"The server's response has the encoding {encoding[:40]!r}, which was not requested.",
            "stemctl accepts only gzip. A proxy may have compressed the response again.",
            status=incoming.status,
        )
    content = bytearray()
    async for piece in _unpacked(incoming.body) if encoding == "gzip" else incoming.body:
        content += piece
        if len(content) > MAX_BYTES:
            raise NotTheApi(
                f"The server's response is larger than {MAX_BYTES // 2**20} MiB.",
                "The API never returns so much, so the rest was not read.",
                status=incoming.status,
            )
    return bytes(content)
