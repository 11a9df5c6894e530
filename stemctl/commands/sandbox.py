"""sandbox: reset and fill the sandbox of a repository."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from stemctl.commands.connection import open_sandbox, read_seed
from stemctl.commands.loading import load
from stemctl.commands.workspace import Workspace, open_workspace
from stemctl.config.config import load_config
from stemctl.errors import ConfigError, Untouched
from stemctl.planning.reference_names import ReferenceNames
from stemctl.planning.references import wanted_references
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.json_types import Fields
from stemctl.util.plural import joined


def sandbox_workspace(root: Path, server: str | None) -> Workspace:
    """The workspace with its sandbox, even if another server is the default.

    Raises:
        ConfigError: `server` is not a sandbox.
    """
    servers = load_config(root).servers.values()
    default = next((each.name for each in servers if each.is_sandbox), "sandbox")
    workspace = open_workspace(root, server or default)
    if not workspace.server.is_sandbox:
        raise ConfigError(
            f"{workspace.server.name} is not a sandbox.", f"Its URL is {workspace.server.url}."
        )
    return workspace


def reset(workspace: Workspace, on_removed: Callable[[Path], None]) -> None:
    """Delete the database of the sandbox and its state, even a state that cannot be read.

    Raises:
        ConfigError: a server of `sandbox serve` would go on with the deleted database.
    """
    from stemctl.sandbox.serving import served_by  # commands that only plan need no lock

    with workspace.store.lock.hold("sandbox reset"):
        processes = served_by(workspace.store.local.make())
        if processes:
            raise ConfigError(
                "The sandbox is being served "
                f"(process {joined([str(process) for process in processes])}).",
                "That server would go on with the deleted records. "
                "Press Ctrl-C where stemctl sandbox serve runs, then reset.",
                untouched=Untouched.NOTHING_CHANGED,
            )
        database = sorted(workspace.store.local.make().glob("sandbox.db*"))
        for path in [*database, *workspace.store.files()]:
            path.unlink()
            on_removed(path)


def seed(workspace: Workspace, file: Path | None) -> int:
    """Add the records of a file, or those that the manifests refer to; how many were new."""
    with contextlib.closing(open_sandbox(workspace)) as database:
        if file is not None:
            return database.seed(read_seed(file.resolve().parent, file.name))
        return database.seed(_referenced(workspace))


def _referenced(workspace: Workspace) -> Mapping[str, list[Fields]]:
    """The records that the manifests refer to but do not declare, as a seed."""
    catalog = workspace.catalog
    repository = load(workspace.config, catalog).repository
    names = ReferenceNames(repository, catalog)
    wanted = wanted_references(repository.records.values(), names, catalog)
    return {
        model.many: [_named(model, name) for name in sorted(wanted[model.name])]
        for model in _with_names(catalog, sorted(wanted))
    }


def _with_names(catalog: Catalog, models: list[str]) -> list[Model]:
    found = [catalog.models[name] for name in models if name in catalog.models]
    return [model for model in found if model.identity]


def _named(model: Model, name: str) -> Fields:
    """A record with the name in every required text field."""
    texts = [field.name for field in model.managed if field.required and field.kind == "text"]
    return dict.fromkeys([model.identity or "", *texts], name)
