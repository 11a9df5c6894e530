"""Why there is no response: what happened below HTTP. The names are those of httpx."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from stemctl.errors import Hint


class NoResponse(Exception):
    """No complete response arrived. The request may have been carried out. `usual` are the words of
    a failure that has no others.
    """

    usual: ClassVar[str] = "There was no response"

    def __init__(self, words: str = "") -> None:
        super().__init__(words.strip() or self.usual)


class NotSent(NoResponse):
    """No connection was made, so that the request was not sent."""


class TimedOut(NoResponse):
    """Something took too long."""


class ConnectError(NotSent):
    """No connection was made."""

    usual = "No connection was made"


class ConnectTimeout(NotSent, TimedOut):
    """No connection was made in time."""

    usual = "No connection was made in time"


class WriteTimeout(TimedOut):
    """The server does not take the request."""

    usual = "It did not take the whole request in time"


class ReadTimeout(TimedOut):
    """The server is silent."""

    usual = "It was silent for too long"


class ReadError(NoResponse):
    """The connection broke while the response was awaited."""

    usual = "The connection broke"


class LocalProtocolError(NoResponse):
    """The request is not HTTP."""

    usual = "The request is not valid HTTP"


class RemoteProtocolError(NoResponse):
    """The response is not HTTP, or not complete."""

    usual = "The response is not valid HTTP"


class ProxyError(NotSent):
    """The proxy answered in place of the server."""

    usual = "no reason given"


class _Explained(NotSent):
    """A failure with what happened, why, and what to type."""

    def __init__(self, what: str, why: str, hints: Sequence[Hint]) -> None:
        super().__init__(what)
        self.what, self.why, self.hints = what, why, hints


class ProxyFailed(_Explained):
    """The proxy cannot be reached, or cannot reach the server: no connection was made."""


class ProxyRefused(_Explained):
    """The proxy refuses us. It would refuse another attempt too, and may count attempts."""
