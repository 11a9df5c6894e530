"""A connection to the server of a workspace, or to the sandbox inside this process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from stemctl import __version__
from stemctl.client.client import PARALLELISM, ReadClient, WriteClient
from stemctl.client.exchange import Http
from stemctl.client.http_types import Transport
from stemctl.client.limiter import Limiter
from stemctl.client.tokens import Token, find_token
from stemctl.commands.workspace import Workspace
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests import reader
from stemctl.util.json_types import Fields

if TYPE_CHECKING:
    from stemctl.sandbox.database import Database


class Link(Struct, frozen=True):
    """An open connection to a server, which gives clients that can only read, or also write."""

    http: Http
    base: str
    workspace: Workspace
    token: Token | None
    limiter: Limiter

    def reader(self, portal: str | None = None) -> ReadClient:
        """A client that cannot write."""
        return ReadClient(*self.arguments(portal))

    def writer(self) -> WriteClient:
        """A client for the whole API."""
        return WriteClient(*self.arguments())

    def arguments(self, portal: str | None = None) -> Any:
        """What every client is made of."""
        workspace = self.workspace
        portal = portal or workspace.server.portal
        return (self.http, self.base, portal, workspace.catalog, self.token, self.limiter)


@contextlib.asynccontextmanager
async def connect(workspace: Workspace, parallelism: int = PARALLELISM) -> AsyncIterator[Link]:
    """Connect to the server of a workspace. The app of a sandbox runs in this process."""
    async with contextlib.AsyncExitStack() as stack:
        transport: Transport
        if workspace.server.is_sandbox:
            base, transport = "http://sandbox/", stack.enter_context(sandbox_transport(workspace))
        else:
            from stemctl.client import proxy  # connections that a sandbox does not need

            base = workspace.server.url
            transport = proxy.transport(base, workspace.environ)
        http = await stack.enter_async_context(
            Http(transport, {"User-Agent": f"stemctl/{__version__}"})
        )
        yield Link(
            http,
            base,
            workspace,
            find_token(workspace.server, workspace.environ),
            Limiter(parallelism, workspace.on_pause),
        )


@contextlib.contextmanager
def sandbox_transport(workspace: Workspace) -> Iterator[Transport]:
    """A transport to the sandbox of a workspace. A new sandbox is filled from its seed."""
    # Only a sandbox needs SQLite, and the API in small.
    from stemctl.client.over_asgi import OverAsgi
    from stemctl.sandbox.in_process import app_over

    root, faults = workspace.config.root, workspace.server.faults
    with (
        contextlib.closing(open_sandbox(workspace)) as database,
        app_over(database, root, faults) as app,
    ):
        yield OverAsgi(app)


def open_sandbox(workspace: Workspace) -> Database:
    """The database of the sandbox. A new one is created and filled from its seed.

    Raises:
        ConfigError: the seed cannot be read, or does not fit the tables.
    """
    from stemctl.sandbox.database import Database

    path = workspace.store.local.make() / "sandbox.db"
    database = Database(path, workspace.catalog)
    if database.is_new and workspace.server.seed:
        try:
            database.seed(read_seed(workspace.config.root, workspace.server.seed))
        except BaseException:
            database.close()
            path.unlink(missing_ok=True)
            raise
    return database


def read_seed(root: Path, name: str) -> Mapping[str, list[Fields]]:
    """The records of a seed file, by list key.

    Raises:
        ConfigError: it is outside of the repository, not YAML, or not a mapping.
    """
    if not (root / name).resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"The seed {name} is outside this repository.", untouched=Untouched.NOTHING_READ
        )
    document = reader.read(root / name, name)
    if document.problems:
        problem = document.problems[0]
        raise ConfigError(f"{problem.location}: {problem.message}.")
    if document.root is None or not isinstance(document.root.value, dict):
        raise ConfigError(f"The seed {name} is not a mapping.")
    seed: Mapping[str, list[Fields]] = document.root.value
    return seed
