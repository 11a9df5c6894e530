"""A metadata repository with one of its servers: its catalog and its state."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from stemctl.config.config import Config, Server, load_config
from stemctl.core.plan import Target
from stemctl.core.records import Address
from stemctl.core.run import Run
from stemctl.errors import ConfigError
from stemctl.git.ci_job import describe_owner
from stemctl.schema.catalog import Catalog, load_catalog
from stemctl.state.local_folder import FOLDER
from stemctl.state.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Workspace:
    """A metadata repository, one of its servers, and the world around them."""

    config: Config
    server: Server
    catalog: Catalog
    store: Store
    environ: Mapping[str, str] = field(
        default_factory=lambda: os.environ, repr=False
    )  # a token may be in it
    on_pause: Callable[[float], None] = lambda seconds: None

    @property
    def target(self) -> Target:
        """The server as plans name it."""
        return Target(self.server.name, self.server.url, self.server.portal, self.server.edition)

    @property
    def owner(self) -> str:
        """Who works here, as others are told."""
        return describe_owner(self.environ)

    def writing(self) -> AbstractContextManager[Run | None]:
        """Hold the state, to write it; gives the run that broke off before, which is folded into it now."""
        return self.store.writing(self.owner)

    @property
    def database(self) -> str | None:
        """The file of the sandbox inside this process, as people see it."""
        return f"{FOLDER}/sandbox.db" if self.server.is_sandbox else None


def open_workspace(
    root: Path, word: str | None = None, environ: Mapping[str, str] | None = None
) -> Workspace:
    """The workspace of a folder, for the server that `word` names, or the default one."""
    config = load_config(root)
    server = config.server(word)
    environ = environ if environ is not None else os.environ
    catalog = load_catalog(server.edition)

    def declared() -> Collection[Address]:
        from stemctl.manifests.load import load_repository  # asked for in doubt only

        return load_repository(root, config.manifests, catalog)[0].records.keys()

    store = open_store(root, server, catalog, environ, declared)
    return Workspace(config, server, catalog, store, environ)


def check_writable(workspace: Workspace, models: Iterable[str]) -> None:
    """Refuse to write records of these models through a portal that does not take them.

    Raises:
        ConfigError: with the portals that do, by the field tables.
    """
    portal = workspace.server.portal
    for name in sorted(set(models)):
        model = workspace.catalog.models.get(name)
        if model is not None and portal not in model.write_portals:
            others = " or ".join(model.write_portals) or "no portal"
            raise ConfigError(
                f"The portal {portal} of {workspace.server.name} does not take changes of {model.count(2)[2:]}.",
                f"They are written through {others}. Nothing was sent.\n"
                f"Write portal: {next(iter(model.write_portals), 'private')} in stemctl.yaml,"
                f" under servers: {workspace.server.name}.",
            )
