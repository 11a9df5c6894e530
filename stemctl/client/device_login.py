"""Getting a token by device login."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from stemctl.client.exchange import Http, exchange
from stemctl.client.failures import NoResponse
from stemctl.client.responses import (
    NotTheApi,
    ServerError,
    read_response,
    unreachable,
)
from stemctl.util.late_pattern import late_pattern
from stemctl.util.redact import remember

CLIENT_NAME = "stemctl"
WINDOW = 900.0
"""The time limit of a login in seconds, unless the server sets another."""

INTERVAL = 5.0
_SHORTEST_INTERVAL, _LONGEST_INTERVAL = 1.0, 60.0
_ADDRESS = late_pattern(r"https?://[!-~]+")
_TOKEN = late_pattern(r"[!-~]+")


class LoginFailed(ServerError):
    """The login was denied, or took too long."""


class PendingLogin(Struct, frozen=True):
    """A login that waits for the user to open `uri` and type `user_code`."""

    uri: str
    complete_uri: str
    user_code: str
    device_code: str
    interval: float
    expires_in: float


async def begin_login(http: Http, base: str) -> PendingLogin:
    """Request a code from the server.

    Raises:
        NotTheApi: the response is incomplete, or its address is not a web page.
    """
    answer = await _post(http, base, "auth/device/", {"client_name": CLIENT_NAME})
    try:
        interval = float(answer.get("interval") or INTERVAL)
        return PendingLogin(
            uri=_page(answer["verification_uri"]),
            complete_uri=_page(answer.get("verification_uri_complete", answer["verification_uri"])),
            user_code=str(answer["user_code"]),
            device_code=str(answer["device_code"]),
            interval=min(_LONGEST_INTERVAL, max(_SHORTEST_INTERVAL, interval)),
            expires_in=min(WINDOW, float(answer.get("expires_in") or WINDOW)),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NotTheApi(
            "The server's response to the login is not as documented.",
            f"{type(error).__name__}: {error}",
        ) from error


def _page(address: Any) -> str:
    """An address that is safe to open in a browser: a web page, not a file or a program.

    Raises:
        ValueError: it is not the address of a web page.
    """
    is_page = isinstance(address, str) and _ADDRESS.fullmatch(address)
    if not is_page or not urlsplit(address).hostname:
        raise ValueError(f"{address!r:.80} is not the address of a web page")
    return str(address)


async def finish_login(
    http: Http,
    base: str,
    pending: PendingLogin,
    sleep: Callable[[float], Any] = asyncio.sleep,
) -> str:
    """Wait for the user's approval, and return the token.

    Raises:
        LoginFailed: the login was denied, or the code has expired or was used.
    """
    waited = 0.0
    while waited < pending.expires_in:
        await sleep(pending.interval)
        waited += pending.interval
        answer = await _post(http, base, "auth/device/token/", {"device_code": pending.device_code})
        token, status = answer.get("token"), answer.get("status")
        if status == "success" and isinstance(token, str) and _TOKEN.fullmatch(token):
            remember(token)
            return token
        if status != "authorization_pending":
            raise _failed(answer)
    limit = f"The code expires after {pending.expires_in:.0f} seconds."
    raise LoginFailed("The login took too long.", limit, _AGAIN)


def _failed(answer: dict[str, Any]) -> LoginFailed:
    """The reason of a failure. The rest of the response is not shown: it may contain a token."""
    status = answer.get("status")
    reason = f"{status}, without a token" if status == "success" else status
    why = f"The server says: {answer.get('error', reason)!s:.200}"
    return LoginFailed("The login was not completed.", why, _AGAIN)


_AGAIN = [("stemctl login", "starts a new login")]


async def _post(http: Http, base: str, path: str, body: dict[str, str]) -> dict[str, Any]:
    try:
        response = await exchange(http, "POST", f"{base}api/{path}", json=body)
    except NoResponse as error:
        raise unreachable(error, base, sent=True) from error
    return read_response(response, "POST", base)
