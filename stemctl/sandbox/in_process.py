"""The sandbox for clients in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from stemctl.errors import ConfigError, Untouched
from stemctl.sandbox.api import Totals, create_app
from stemctl.sandbox.asgi import ASGIApp
from stemctl.sandbox.database import Database


@contextlib.contextmanager
def app_over(
    database: Database, root: Path, faults: str | None = None, *, totals: Totals = "both"
) -> Iterator[ASGIApp]:
    """The API over one database. `faults` is a fault script below `root`. At the end, requests that
    it delays are cancelled, since the database is about to be closed.

    Raises:
        ConfigError: the fault script is outside the repository.
    """
    app = create_app(database, totals=totals)
    if faults is None:
        yield app
        return
    if not (root / faults).resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"The fault script {faults} is outside this repository.",
            untouched=Untouched.NOTHING_READ,
        )
    from stemctl.sandbox.faults.injector import WithFaults  # most sandboxes have none

    faulty = WithFaults(app, root / faults, database.catalog)
    try:
        yield faulty
    finally:
        for task in faulty.late:
            task.cancel()
