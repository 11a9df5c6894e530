"""The secrets of this run, so that no output names them, even if a server echoes its request or
an exception quotes a header.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES = ("BRAINSTEM_TOKEN", "BRAINSTEM_API_TOKEN")
SANDBOX_PREFIX = "sandbox-"
MASK = "(the token)"
_SHORTEST = 8
"""Shorter text is no secret, and may be part of any word."""

_secrets: list[str] = []


def remember(secret: str) -> None:
    """From now on, mask this text."""
    if len(secret) >= _SHORTEST and secret not in _secrets:
        _secrets.append(secret)
        _secrets.sort(key=len, reverse=True)  # one may hold another


def begin(environ: Mapping[str, str]) -> None:
    """A new run knows the tokens of its environment, sent or not, and no others yet. Those of the
    sandbox are no secrets: the manual names them.
    """
    _secrets.clear()
    for variable in VARIABLES:
        text = environ.get(variable, "").strip()
        if not text.startswith(SANDBOX_PREFIX):
            remember(text)


def without_tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for another program: the token is told to its server alone."""
    return {name: value for name, value in environ.items() if name.upper() not in VARIABLES}


def masked(text: str) -> str:
    """The text without the secrets, also where they are spelled as in a URL or in JSON."""
    if not _secrets:
        return text
    import json  # not loaded, as most of stemctl is not, before there is something to do
    from urllib.parse import quote

    for secret in _secrets:
        for spelling in {
            secret,
            quote(secret, safe="", errors="surrogatepass"),
            json.dumps(secret)[1:-1],
        }:
            text = text.replace(spelling, MASK)
    return text
