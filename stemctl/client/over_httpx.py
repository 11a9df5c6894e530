"""A transport of httpx in our own types: it knows proxies, which `direct` does not."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpx

from stemctl.client import failures
from stemctl.client.http_types import Incoming, Request

_SAME: dict[type[httpx.RequestError], type[failures.NoResponse]] = {
    httpx.ConnectError: failures.ConnectError,
    httpx.ConnectTimeout: failures.ConnectTimeout,
    httpx.PoolTimeout: failures.ConnectTimeout,
    httpx.ProxyError: failures.ProxyError,
    httpx.ReadTimeout: failures.ReadTimeout,
    httpx.WriteTimeout: failures.WriteTimeout,
    httpx.NetworkError: failures.ReadError,
    httpx.LocalProtocolError: failures.LocalProtocolError,
    httpx.RemoteProtocolError: failures.RemoteProtocolError,
}


def through(proxy: str, url: str, trusted: ssl.SSLContext) -> OverHttpx:
    """One connection to the host of a URL through a proxy, of which only the address is known."""
    one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    inner = httpx.AsyncHTTPTransport(proxy=proxy, limits=one, verify=trusted, trust_env=False)
    return OverHttpx(inner, url)


def is_proxy(address: str) -> bool:
    """Whether httpx takes this for the address of a proxy."""
    try:
        return bool(httpx.Proxy(address).url.host)
    except (ValueError, httpx.InvalidURL):
        return False


class OverHttpx:
    """Sends requests to the host of a URL over a transport of httpx."""

    def __init__(self, inner: httpx.AsyncBaseTransport, url: str) -> None:
        self._inner = inner
        self._origin = httpx.URL(url)

    async def send(self, request: Request) -> Incoming:
        """Send a request, and read the head of its response."""
        sent = httpx.Request(
            request.method,
            self._origin.copy_with(raw_path=request.target.encode("ascii")),
            headers=request.headers,
            stream=httpx.ByteStream(request.content),
            extensions={"timeout": _seconds(request)},
        )
        try:
            response = await self._inner.handle_async_request(sent)
        except httpx.RequestError as error:
            raise _failure(error) from error
        return Incoming(response.status_code, response.headers.raw, _Body(response))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


class _Body:
    """The body of a response, as it is sent: what is packed is not unpacked."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._response.stream, httpx.AsyncByteStream)
        try:
            async for piece in self._response.stream:
                yield piece
        except httpx.RequestError as error:
            raise _failure(error) from error

    async def aclose(self) -> None:
        await self._response.aclose()


def _seconds(request: Request) -> dict[str, float]:
    limits = request.timeout
    return {
        "connect": limits.connect,
        "write": limits.write,
        "read": limits.read,
        "pool": limits.connect,
    }


def _failure(error: httpx.RequestError) -> failures.NoResponse:
    """What this failure is called here, with its words."""
    same = (_SAME[kind] for kind in type(error).__mro__ if kind in _SAME)
    return next(same, failures.NoResponse)(str(error))
