"""What went wrong at a proxy, in words that name it.

Apart from `proxy`, since a sandbox needs none, and what asks about failures is always loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from stemctl.errors import Hint


class _Explained(httpx.TransportError):
    """A failure with what happened, why, and what to type."""

    def __init__(self, what: str, why: str, hints: Sequence[Hint]) -> None:
        super().__init__(what)
        self.what, self.why, self.hints = what, why, hints


class ProxyFailed(_Explained, httpx.ConnectError):
    """The proxy cannot be reached, or cannot reach the server: no connection was made."""


class ProxyRefused(_Explained, httpx.ProxyError):
    """The proxy refuses us. It would refuse another attempt too, and may count attempts."""
