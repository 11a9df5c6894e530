"""Everything that can happen to one write on its way, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from tests.support.lab import Lab

Reply = Callable[[httpx.Response | None], httpx.Response]


class Killed(BaseException):
    """The process dies."""


def _raises(error: BaseException) -> Reply:
    def reply(_: httpx.Response | None) -> httpx.Response:
        raise error

    return reply


def _page(_: httpx.Response | None) -> httpx.Response:
    return httpx.Response(200, html="<html>Sign in</html>")


def _empty(_: httpx.Response | None) -> httpx.Response:
    return httpx.Response(200)


def _status(status: int) -> Reply:
    return lambda _: httpx.Response(status, json={"detail": "Out of order."})


REPLIES: dict[str, Reply] = {
    "lost": _raises(httpx.ReadTimeout("no answer")),
    "killed": _raises(Killed()),
    "page": _page,
    "empty": _empty,
    "500": _status(500),
    "502": _status(502),
}
"""What comes back in place of the answer."""

STRIKES = [(name, arrives) for name in REPLIES for arrives in (False, True)]


def strike(lab: Lab, number: int, name: str, arrives: bool) -> None:
    """Let this happen to the write of this number, counted from 1."""
    writes: Iterator[int] = iter(range(1, 1000))
    struck: list[httpx.Request] = []

    def intercept(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET" and next(writes) == number:
            if not arrives:
                return REPLIES[name](None)
            struck.append(request)
        return None

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return REPLIES[name](response) if request in struck else response

    lab.intercept, lab.after = intercept, after


def calm(lab: Lab) -> None:
    """Let nothing happen any more."""
    lab.intercept, lab.after = (lambda request: None), (lambda request, response: response)


def apply_struck(lab: Lab, number: int, name: str, arrives: bool, *options: str) -> Any:
    """Apply while this happens to one write; None if the process dies of it."""
    strike(lab, number, name, arrives)
    try:
        return lab.run("apply", "--auto-approve", "--parallelism", "1", *options)
    except Killed:
        return None
    finally:
        calm(lab)
