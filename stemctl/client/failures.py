"""Why there is no response: what happened below HTTP.

The names are those of httpx, which many know, since one without words is shown by its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.errors import Hint


class NoResponse(Exception):
    """No complete response arrived. The request may have been carried out."""


class NotSent(NoResponse):
    """No connection was made, so that the request was not sent."""


class TimedOut(NoResponse):
    """Something took too long."""


class ConnectError(NotSent):
    """No connection was made."""


class ConnectTimeout(NotSent, TimedOut):
    """No connection was made in time."""


class WriteTimeout(TimedOut):
    """The server does not take the request."""


class ReadTimeout(TimedOut):
    """The server is silent."""


class ReadError(NoResponse):
    """The connection broke while the response was awaited."""


class LocalProtocolError(NoResponse):
    """The request is not HTTP."""


class RemoteProtocolError(NoResponse):
    """The response is not HTTP, or not complete."""


class ProxyError(NotSent):
    """The proxy answered in place of the server."""


class _Explained(NotSent):
    """A failure with what happened, why, and what to type."""

    def __init__(self, what: str, why: str, hints: Sequence[Hint]) -> None:
        super().__init__(what)
        self.what, self.why, self.hints = what, why, hints


class ProxyFailed(_Explained):
    """The proxy cannot be reached, or cannot reach the server: no connection was made."""


class ProxyRefused(_Explained):
    """The proxy refuses us. It would refuse another attempt too, and may count attempts."""
