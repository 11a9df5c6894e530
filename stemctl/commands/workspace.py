"""A metadata repository with one of its servers: its catalog and its state."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct, field

from stemctl.config.config import Config, Server, load_config
from stemctl.core.plan import Target
from stemctl.core.records import Address
from stemctl.core.run import Run
from stemctl.errors import ConfigError, Untouched
from stemctl.git.ci_job import describe_owner
from stemctl.schema.catalog import Catalog, load_catalog
from stemctl.state.local_folder import FOLDER
from stemctl.state.store import Store, open_store


class Workspace(Struct, frozen=True):
    """A metadata repository, one of its servers, and the environment."""

    config: Config
    server: Server
    catalog: Catalog
    store: Store
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    on_pause: Callable[[float], None] = lambda seconds: None

    def __repr__(self) -> str:
        # Without the environment: a token may be in it.
        return f"Workspace(server={self.server!r})"

    @property
    def target(self) -> Target:
        """The server as plans describe it."""
        return Target(self.server.name, self.server.url, self.server.portal, self.server.edition)

    @property
    def owner(self) -> str:
        """Who works here, as it is shown to others."""
        return describe_owner(self.environ)

    def writing(self) -> AbstractContextManager[Run | None]:
        """Lock the state for writing; yields the interrupted run that was settled, if any."""
        return self.store.writing(self.owner)

    @property
    def database(self) -> str | None:
        """The database of the built-in sandbox, as it is shown to people."""
        return f"{FOLDER}/sandbox.db" if self.server.is_sandbox else None


def open_workspace(
    root: Path, name: str | None = None, environ: Mapping[str, str] | None = None
) -> Workspace:
    """The workspace of a folder for a server by its name or URL, or the default server."""
    config = load_config(root)
    server = config.server(name)
    environ = environ if environ is not None else os.environ
    catalog = load_catalog(server.edition)

    def declared() -> Collection[Address]:
        # Needed only where the state cannot tell by itself which records it is about.
        from stemctl.manifests.load import load_repository

        zone = config.time_zone
        repository, _ = load_repository(root, config.manifests, catalog, time_zone=zone)
        return repository.records.keys()

    store = open_store(root, server, catalog, environ, declared)
    return Workspace(config, server, catalog, store, environ)


def check_writable(workspace: Workspace, models: Iterable[str]) -> None:
    """Refuse to write models through a portal that does not accept them.

    Raises:
        ConfigError: with the portals that do, according to the field tables.
    """
    portal = workspace.server.portal
    for name in sorted(set(models)):
        model = workspace.catalog.models.get(name)
        if model is not None and portal not in model.write_portals:
            others = " or ".join(model.write_portals) or "no portal"
            server, usual = workspace.server.name, next(iter(model.write_portals), "private")
            raise ConfigError(
                f"The portal {portal} of {server} does not accept changes to "
                f"{model.count(2).partition(' ')[2]}.",
                f"They are written through {others}. "
                f"Write portal: {usual} in stemctl.yaml, under servers: {server}.",
                untouched=Untouched.NOTHING_SENT,
            )
