"""sandbox: reset and fill the sandbox of a repository."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stemctl.commands.connection import open_sandbox, read_seed
from stemctl.commands.loading import load
from stemctl.commands.workspace import Workspace, open_workspace
from stemctl.config.config import load_config
from stemctl.errors import ConfigError, Untouched
from stemctl.planning.reference_names import ReferenceNames
from stemctl.planning.references import wanted_references
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined

if TYPE_CHECKING:
    from stemctl.sandbox.database import Database


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
        return database.seed(_referenced(workspace, database))


def _referenced(workspace: Workspace, database: Database) -> Mapping[str, list[Fields]]:
    """The records that the manifests refer to but do not declare, as a seed.

    What else they need to be complete is taken from the examples in the tables.
    """
    catalog = workspace.catalog
    repository = load(workspace.config, catalog).repository
    names = ReferenceNames(repository, catalog)
    wanted = wanted_references(repository.records.values(), names, catalog)
    waiting = [(model, name) for model in sorted(wanted) for name in sorted(wanted[model])]
    waiting = [pair for pair in waiting if not names.weak(*pair)]
    found: dict[str, dict[str, Fields]] = {}
    while waiting:
        name, called = waiting.pop(0)
        model = catalog.models.get(name)
        if model is None or model.embedded or model.called is None:
            continue
        known = found.setdefault(model.many, {})
        if called not in known and not database.has(model, called):
            known[called] = _named(model, called)
            waiting += _needed(model, known[called])
    return {key: list(records.values()) for key, records in found.items()}


def _named(model: Model, name: str) -> Fields:
    """A record with this name, and with the name in every other text field that is required."""
    record: dict[str, Value] = {
        field.name: _value(field, name) for field in model.managed if field.required
    }
    for group in model.together_unique:
        parts = name.split("/", len(group) - 1)
        if len(parts) == len(group):
            return {**record, **dict(zip(group, parts, strict=True))}
    return {**record, model.called or "": name}


def _value(field: Field, name: str) -> Value:
    if field.enum:
        return field.enum[0] if field.example is None else field.example
    return name if field.kind == "text" else field.example


def _needed(model: Model, record: Fields) -> Iterator[tuple[str, str]]:
    """The records that a record refers to, as pairs of a model and a name."""
    for field in model.references:
        value = record.get(field.name)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                yield field.to or "", text
