"""One of our transports as httpx takes it, for tests that answer or ask with its types."""

from __future__ import annotations

import httpx

from stemctl.client import failures
from stemctl.client.http_types import Request, Timeout, Transport


class AsHttpx(httpx.AsyncBaseTransport):
    """Sends the requests of httpx over a transport, and reads each response to its end."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits = request.extensions["timeout"]
        sent = Request(
            request.method,
            request.url.raw_path.decode("ascii"),
            request.headers.raw,
            await request.aread(),
            Timeout(connect=limits["connect"], write=limits["write"], read=limits["read"]),
        )
        try:
            incoming = await self.inner.send(sent)
            content = b"".join([piece async for piece in incoming.body])
        except failures.NoResponse as error:
            raise getattr(httpx, type(error).__name__)(str(error), request=request) from error
        await incoming.body.aclose()
        # As a stream, since httpx would unpack what it is given as content.
        return httpx.Response(
            incoming.status, headers=incoming.headers, stream=httpx.ByteStream(content)
        )

    async def aclose(self) -> None:
        await self.inner.aclose()
