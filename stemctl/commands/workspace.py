"""A metadata repository with one of its servers: its catalog and its state."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from stemctl.config.config import Config, Server, load_config
from stemctl.core.records import Address
from stemctl.errors import ConfigError, Untouched
from stemctl.schema.catalog import Catalog, load_catalog

if TYPE_CHECKING:
    from stemctl.core.plan import Target
    from stemctl.core.run import Run
    from stemctl.state.store import Store


class Workspace(Struct, frozen=True, dict=True):
    """A metadata repository, one of its servers, and the environment."""

    config: Config
    server: Server
    catalog: Catalog
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    on_pause: Callable[[float], None] = lambda seconds: None

    def __repr__(self) -> str:
        # Without the environment: a token may be in it.
        return f"Workspace(server={self.server!r})"

    @cached_property
    def store(self) -> Store:
        """What stemctl remembers of the server."""
        from stemctl.state.store import open_store  # with plans and runs

        return open_store(self.config.root, self.server, self.catalog, self.environ, self._declared)

    def refuse_foreign_files(self) -> None:
        """Check what lies where stemctl keeps things, without reading it.

        Raises:
            StateError: a checkout may have brought it along.
        """
        from stemctl.state.local_folder import LocalFolder, refuse_link, state_file

        root = self.config.root
        _ = LocalFolder(root, self.server.name, self.environ).path
        if self.server.backend != "git":
            refuse_link(*state_file(root, self.server))

    def _declared(self) -> Collection[Address]:
        """The addresses in the files, where the state cannot tell which records it is about."""
        from stemctl.manifests.load import load_repository

        config = self.config
        repository, _ = load_repository(
            config.root, config.manifests, self.catalog, time_zone=config.time_zone
        )
        return repository.records.keys()

    @cached_property
    def _known(self) -> Collection[Address]:
        known = self.store.last_known().records
        return {address for address, entry in known.items() if entry.id}

    def is_known(self, address: Address) -> bool:
        """Whether a record exists on the server, as far as the state knows."""
        return address in self._known

    @property
    def target(self) -> Target:
        """The server as plans describe it."""
        from stemctl.core.plan import Target

        return Target(self.server.name, self.server.url, self.server.portal, self.server.edition)

    @property
    def owner(self) -> str:
        """Who works here, as it is shown to others."""
        from stemctl.git.ci_job import describe_owner

        return describe_owner(self.environ)

    def writing(self) -> AbstractContextManager[Run | None]:
        """Lock the state for writing; yields the interrupted run that was settled, if any."""
        return self.store.writing(self.owner)

    @property
    def database(self) -> str | None:
        """The database of the built-in sandbox, as it is shown to people."""
        from stemctl.state.local_folder import FOLDER

        return f"{FOLDER}/sandbox.db" if self.server.is_sandbox else None


def open_workspace(
    root: Path, name: str | None = None, environ: Mapping[str, str] | None = None
) -> Workspace:
    """The workspace of a folder for a server by its name or URL, or the default server."""
    config = load_config(root)
    server = config.server(name)
    environ = environ if environ is not None else os.environ
    return Workspace(config, server, load_catalog(server.edition), environ)


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
