"""The checks of `doctor`: the token, the proxy, and every model of the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stemctl.client.client import Page, ReadClient
from stemctl.client.proxy import find_proxy
from stemctl.client.responses import Forbidden, NotAuthorised, NotFound
from stemctl.client.tokens import (
    HOSTS_VARIABLE,
    find_token,
    readable_by_others,
    withheld_variable,
)
from stemctl.config.config import Server
from stemctl.schema.catalog import Model

_MAX_NAMES = 20


@dataclass(frozen=True, slots=True)
class Check:
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


async def check_models(client: ReadClient) -> list[Check]:
    """Read the first page of every model, and compare its fields with the model's table."""
    checks: list[Check] = []
    for model in client.catalog.models.values():
        try:
            page = await client.page(model)
        except (NotAuthorised, Forbidden, NotFound) as error:
            checks.append(Check(model.name, False, error.what))
        else:
            checks += _check_page(model, page)
    return checks


def _check_page(model: Model, page: Page) -> Iterator[Check]:
    number = page.total if page.total is not None else len(page.records)
    yield Check(model.name, True, f"{model.count(number)} visible")
    seen = {name for fields in page.records for name in fields}
    unknown = sorted(seen - set(model.fields))
    if unknown:
        more = ", ..." if len(unknown) > _MAX_NAMES else ""
        listed = ", ".join(unknown[:_MAX_NAMES]) + more
        yield Check(model.name, None, f"has fields that stemctl does not know: {listed}")
    expected = {f.name for f in model.fields.values() if f.shown and not f.proposal}
    missing = sorted(expected - seen)
    if page.records and missing:
        yield Check(model.name, None, f"does not return these fields: {', '.join(missing)}")
