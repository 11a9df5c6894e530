"""What the sandbox of a lab holds, and the manifests that it would make."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from stemctl.client.listing import read_all
from stemctl.commands.connection import connect
from stemctl.commands.workspace import Workspace, open_workspace
from stemctl.config.config import load_config
from stemctl.config.file_templates import option_template
from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Reading, Snapshot
from stemctl.planning.entries import derived_reading
from stemctl.schema.models import Model
from stemctl.takeover.manifest import NewRecords, World, new_records
from stemctl.takeover.record_files import RecordFiles
from stemctl.takeover.text import text_of
from stemctl.util.json_types import Fields
from tests.support.lab import Lab


def snapshot(space: Workspace) -> Snapshot:
    """Everything that this account can see."""
    return asyncio.run(_snapshot(space))


async def _snapshot(space: Workspace) -> Snapshot:
    readings: dict[str, Reading] = {}
    models = space.catalog.models.values()
    async with connect(space) as link:
        client = link.reader(None)
        for model in models:
            if not model.embedded:
                page = functools.partial(client.page, model)
                readings[model.name] = await read_all(model.name, page)
    for model in models:
        parent = space.catalog.parent_of(model) if model.embedded else None
        if parent is not None:
            readings[model.name] = derived_reading(model, readings[parent.name], ())
    return Snapshot(readings)


def world_of(lab: Lab, server: str = "sandbox") -> World:
    """The world of a lab that declares nothing."""
    space = open_workspace(lab.root, server)
    return World(space.catalog, snapshot(space), Repository({}), {})


def labs_own(world: World) -> dict[str, list[str]]:
    """The ids of all records of models that labs write themselves."""
    return {
        model.name: sorted(world.live(model.name))
        for model in world.catalog.writable
        if model.approval is None and model.write_by is None and _is_own(model)
    }


def _is_own(model: Model) -> bool:
    return model.embedded is not None or (model.access is not None and not model.access.everyone)


def take(
    world: World,
    wanted: Mapping[str, Iterable[str]],
    layout: str | None = None,
    defaults: Mapping[str, Fields] | None = None,
) -> NewRecords:
    """New files for these records."""
    template = option_template(layout) if layout else None
    config = replace(load_config(Path("/nowhere")))
    files = RecordFiles(config, world.catalog, template)
    ids = {model: list(found) for model, found in wanted.items()}
    return new_records(world, ids, files.file_of, lambda file: defaults or {}, lambda file: False)


def texts(found: NewRecords) -> dict[str, str]:
    """The text of each new file."""
    return {new.file: text_of(new) for new in found.new}


def addresses(found: NewRecords) -> set[Address]:
    """The addresses of the new records."""
    return set(found.ids())
