"""The checks of `doctor` that need no request: the token and the proxy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from stemctl.client.proxy import find_proxy
from stemctl.client.tokens import (
    HOSTS_VARIABLE,
    find_token,
    readable_by_others,
    withheld_variable,
)
from stemctl.config.config import Server


class Check(Struct, frozen=True):
    """One thing that `doctor` checked. `good` is None where it is only information."""

    what: str
    good: bool | None
    says: str


def check_setup(server: Server, environ: Mapping[str, str]) -> list[Check]:
    """The token and the proxy that would be used. No request is sent.

    Raises:
        ConfigError: one of them cannot be used.
    """
    token = find_token(server, environ)
    checks = [Check("token", token is not None, f"from {token.source}" if token else "none")]
    if token is not None and readable_by_others(Path(token.source)):
        says = f"other users of this machine can read it: chmod 600 {token.source}"
        checks.append(Check("token", None, says))
    if withheld := withheld_variable(server, environ):
        says = (
            f"{withheld} is not sent to {server.host}; "
            f"to allow it, add the host to {HOSTS_VARIABLE}"
        )
        checks.append(Check("token", None, says))
    proxy = find_proxy(server.url, environ)
    if proxy is not None:
        checks.append(Check("proxy", None, f"{proxy.shown}, from {proxy.variable}"))
    return checks
