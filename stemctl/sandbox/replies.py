"""Replies of the sandbox: a status with a body, or a refusal that any function may raise."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from stemctl.util.json_types import Value


class Reply(Struct, frozen=True):
    """Status and JSON body. A str is HTML; None is an empty body."""

    status: int
    body: Value = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A request that is refused, with its reply."""

    def __init__(self, status: int, body: Value, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.answer = Reply(status, body, headers or {})


def invalid(body: Value) -> Refusal:
    """400: `{field: [messages]}`, a bare list of messages, or `{"detail": message}`."""
    return Refusal(400, {"detail": body} if isinstance(body, str) else body)


def unauthenticated(message: str) -> Refusal:
    """401: the token is missing or unknown."""
    return Refusal(401, {"detail": message}, {"WWW-Authenticate": "Bearer"})


def forbidden() -> Refusal:
    """403: the user has no permission to do this."""
    return Refusal(403, {"detail": "You do not have permission to perform this action."})


def not_found() -> Refusal:
    """404: no such record, or a hidden one."""
    return Refusal(404, {"detail": "Not found."})


def unknown_url() -> Refusal:
    """404 as a web page: unknown URLs do not reach the API of the service."""
    title = "<title>Not Found</title>"
    return Refusal(
        404, f"<!doctype html><html><head>{title}</head><body><h1>Not Found</h1></body></html>"
    )


def not_allowed(method: str, allowed: str) -> Refusal:
    """405: the URL does not support the method."""
    return Refusal(405, {"detail": f'Method "{method}" not allowed.'}, {"Allow": allowed})
