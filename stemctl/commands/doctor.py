"""doctor: check the token, the proxy and the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stemctl.client import proxy, tokens
from stemctl.client.device_login import Check, examine
from stemctl.commands.connection import connect
from stemctl.commands.workspace import Workspace


async def doctor(workspace: Workspace) -> list[Check]:
    """Check everything that a command needs to reach the server."""
    checks = [*_check_token(workspace), *_check_proxy(workspace)]
    async with connect(workspace) as link:
        return [*checks, *await examine(link.reader())]


def _check_token(workspace: Workspace) -> Iterator[Check]:
    server, environ = workspace.server, workspace.environ
    token = tokens.find_token(server, environ)
    yield Check("token", token is not None, f"from {token.source}" if token else "not found")
    if token is not None and tokens.readable_by_others(Path(token.source)):
        advice = f"other users of this machine can read it; run: chmod 600 {token.source}"
        yield Check("token", None, advice)
    withheld = tokens.withheld(server, environ)
    if withheld:
        allowed = f"add the host to {tokens.HOSTS_VARIABLE} to allow it"
        yield Check("token", None, f"{withheld} is not sent to {server.host}; {allowed}")


def _check_proxy(workspace: Workspace) -> Iterator[Check]:
    used = proxy.find_proxy(workspace.server.url, workspace.environ)
    if used is not None:
        yield Check("proxy", None, f"{used.shown}, from {used.variable}")
