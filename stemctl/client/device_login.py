"""Getting a token by device login."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from stemctl.client.exchange import exchange
from stemctl.client.responses import (
    NotTheApi,
    ServerError,
    read_response,
    unreachable,
)
from stemctl.util.redact import remember

CLIENT_NAME = "stemctl"
WINDOW = 900.0
"""Seconds that a login may take, as long as the server says nothing else."""

INTERVAL = 5.0
_SHORTEST_INTERVAL, _LONGEST_INTERVAL = 1.0, 60.0
_ADDRESS = re.compile(r"https?://[!-~]+")
_TOKEN = re.compile(r"[!-~]+")


class LoginFailed(ServerError):
    """The login was refused, or took too long."""


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that waits for its user: where to go, and which code to type there."""

    uri: str
    complete_uri: str
    user_code: str
    device_code: str
    interval: float
    expires_in: float


async def begin_login(http: httpx.AsyncClient, base: str) -> PendingLogin:
    """Ask the server for a code.

    Raises:
        NotTheApi: the answer lacks something, or names an address that is no page of a server.
    """
    answer = await _post(http, base, "auth/device/", {"client_name": CLIENT_NAME})
    try:
        return PendingLogin(
            uri=_page(answer["verification_uri"]),
            complete_uri=_page(answer.get("verification_uri_complete", answer["verification_uri"])),
            user_code=str(answer["user_code"]),
            device_code=str(answer["device_code"]),
            interval=min(
                _LONGEST_INTERVAL,
                max(_SHORTEST_INTERVAL, float(answer.get("interval") or INTERVAL)),
            ),
            expires_in=min(WINDOW, float(answer.get("expires_in") or WINDOW)),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NotTheApi(
            "The server's login answer is not as documented.", f"{type(error).__name__}: {error}"
        ) from error


def _page(address: Any) -> str:
    """An address that a browser may be sent to: a page, and no file, program or option of the browser.

    Raises:
        ValueError: it is none.
    """
    if (
        not isinstance(address, str)
        or not _ADDRESS.fullmatch(address)
        or not urlsplit(address).hostname
    ):
        raise ValueError(f"{address!r:.80} is no address of a page")
    return address


async def finish_login(
    http: httpx.AsyncClient,
    base: str,
    pending: PendingLogin,
    sleep: Callable[[float], Any] = asyncio.sleep,
) -> str:
    """Wait until the user has agreed; the token.

    Raises:
        LoginFailed: it was refused, the code expired, or was used already.
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
        if (
            status != "authorization_pending"
        ):  # the rest of the answer is not shown: a token may be in it
            said = answer.get(
                "error", f"{status}, without a token" if status == "success" else status
            )
            raise LoginFailed(
                "The login was not completed.", f"The server says: {said!s:.200}", _AGAIN
            )
    raise LoginFailed(
        "The login took too long.", f"The code is good for {pending.expires_in:.0f} s.", _AGAIN
    )


_AGAIN = [("stemctl login", "begins again")]


async def _post(
    http: httpx.AsyncClient, base: str, path: str, body: dict[str, str]
) -> dict[str, Any]:
    try:
        response = await exchange(http, "POST", f"{base}api/{path}", json=body)
    except httpx.HTTPError as error:
        raise unreachable(error, base, sent=True) from error
    return read_response(response, "POST", base)
