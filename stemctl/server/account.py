"""Tokens by device login, and what a server says of itself and of us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from stemctl.server.answers import Forbidden, NotAuthorised, NotFound, NotTheApi, ServerError, read_answer, unreachable
from stemctl.server.client import ReadClient

CLIENT_NAME = "stemctl"
WINDOW = 900.0
"""Seconds that a login may take, as long as the server says nothing else."""

INTERVAL = 5.0


class LoginFailed(ServerError):
    """The login was refused, or took too long."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A login that waits for its user: where to go, and which code to type there."""

    uri: str
    complete_uri: str
    user_code: str
    device_code: str
    interval: float
    expires_in: float


async def begin_login(http: httpx.AsyncClient, base: str) -> Pending:
    """Ask the server for a code."""
    answer = await _post(http, base, "auth/device/", {"client_name": CLIENT_NAME})
    try:
        return Pending(
            uri=str(answer["verification_uri"]),
            complete_uri=str(answer.get("verification_uri_complete", answer["verification_uri"])),
            user_code=str(answer["user_code"]),
            device_code=str(answer["device_code"]),
            interval=float(answer.get("interval") or INTERVAL),
            expires_in=min(float(answer.get("expires_in") or WINDOW), WINDOW),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NotTheApi(
            "The server's login answer is not as documented.", f"{type(error).__name__}: {error}"
        ) from error


async def finish_login(
    http: httpx.AsyncClient, base: str, pending: Pending, sleep: Callable[[float], Any] = asyncio.sleep
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
        if answer.get("status") == "success" and answer.get("token"):
            return str(answer["token"])
        if answer.get("status") != "authorization_pending":
            raise LoginFailed("The login was not completed.", f"The server says: {answer.get('error', answer)}", _AGAIN)
    raise LoginFailed("The login took too long.", f"The code is good for {pending.expires_in:.0f} s.", _AGAIN)


_AGAIN = [("stemctl login", "begins again")]


async def _post(http: httpx.AsyncClient, base: str, path: str, body: dict[str, str]) -> dict[str, Any]:
    try:
        response = await http.post(f"{base}api/{path}", json=body, headers={"Accept": "application/json"}, timeout=10)
    except httpx.HTTPError as error:
        raise unreachable(error, base, sent=True) from error
    return read_answer(response, "POST", base)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that doctor looked at; `good` is None for what is only to know."""

    what: str
    good: bool | None
    says: str


async def examine(client: ReadClient) -> list[Check]:
    """Read the first page of every model: is it there, may we read it, has it the fields of its table."""
    checks = []
    for model in client.catalog.models.values():
        try:
            page = await client.page(model)
        except (NotAuthorised, Forbidden, NotFound) as error:
            checks.append(Check(model.name, False, error.what))
            continue
        number = page.total if page.total is not None else len(page.records)
        checks.append(Check(model.name, True, f"{model.count(number)} to see"))
        seen = {name for fields in page.records for name in fields}
        unknown = seen - set(model.fields)
        if unknown:
            checks.append(Check(model.name, None, f"has fields that the tables lack: {', '.join(sorted(unknown))}"))
        lacking = {f.name for f in model.fields.values() if f.shown and not f.proposal} - seen
        if page.records and lacking:
            checks.append(Check(model.name, None, f"does not show: {', '.join(sorted(lacking))}"))
    return checks
