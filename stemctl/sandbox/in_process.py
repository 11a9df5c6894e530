"""The sandbox without a socket: a transport for clients in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from stemctl.errors import ConfigError
from stemctl.sandbox.api import Totals, create_app
from stemctl.sandbox.database import Database
from stemctl.sandbox.faults.injector import WithFaults


def transport_to(
    database: Database, root: Path, faults: str | None = None, *, totals: Totals = "both"
) -> httpx.AsyncBaseTransport:
    """A transport to the API over one database, with the faults of a file of the repository `root`,
    if one is named.

    Raises:
        ConfigError: the file of faults is outside of the repository.
    """
    app = create_app(database, totals=totals)
    if faults is None:
        return httpx.ASGITransport(app)
    if not (root / faults).resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"The file of faults {faults} is outside this repository.", "Nothing was read."
        )
    return _Faulty(WithFaults(app, root / faults, database.catalog))


class _Faulty(httpx.AsyncBaseTransport):
    """Adds what httpx does on a socket and not in a process: a client does not wait longer than it
    means to.
    """

    def __init__(self, app: WithFaults) -> None:
        self._app = app
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                return await self._inner.handle_async_request(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("The read operation timed out", request=request) from error

    async def aclose(self) -> None:
        """What is not carried out by now never is: its database is about to be closed."""
        for task in self._app.late:
            task.cancel()
