"""The sandbox without a socket, as a transport for clients in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from stemctl.errors import ConfigError, Untouched
from stemctl.sandbox.api import Totals, create_app
from stemctl.sandbox.database import Database

if TYPE_CHECKING:
    from stemctl.sandbox.faults.injector import WithFaults


def transport_to(
    database: Database, root: Path, faults: str | None = None, *, totals: Totals = "both"
) -> httpx.AsyncBaseTransport:
    """A transport to the API over one database. `faults` is a fault script below `root`.

    Raises:
        ConfigError: the fault script is outside the repository.
    """
    app = create_app(database, totals=totals)
    if faults is None:
        return httpx.ASGITransport(app)
    if not (root / faults).resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"The fault script {faults} is outside this repository.",
            untouched=Untouched.NOTHING_READ,
        )
    from stemctl.sandbox.faults.injector import WithFaults  # most sandboxes have none

    return _Faulty(WithFaults(app, root / faults, database.catalog))


class _Faulty(httpx.AsyncBaseTransport):
    """Adds the read timeout, which httpx has only on a socket."""

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
        """Cancel delayed requests: the database is about to be closed."""
        for task in self._app.late:
            task.cancel()
