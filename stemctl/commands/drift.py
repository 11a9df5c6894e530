"""drift: compare what the server held when it was applied with what it holds now."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from stemctl.client.listing import take_snapshot
from stemctl.commands.connection import connect
from stemctl.commands.loading import load, require_all_files
from stemctl.commands.resolver import make_resolver
from stemctl.commands.targets import spell_targets
from stemctl.commands.workspace import Workspace
from stemctl.core.records import Repository
from stemctl.core.state import State
from stemctl.planning.drift import Drift, find_drift
from stemctl.planning.needs import Need
from stemctl.planning.selection import choose
from stemctl.schema.catalog import Catalog


async def drift(workspace: Workspace, targets: Sequence[str] = ()) -> Drift:
    """Read the records of the state from the server, or those that `targets` name, and compare.

    Raises:
        ConfigError: a target matches no record.
        InvalidFiles: some files are tracked, but not checked out.
    """
    loaded = load(workspace.config, workspace.catalog)
    require_all_files(loaded)
    async with connect(workspace) as link:
        state = workspace.store.read()
        part = _part(workspace, loaded.repository, state, targets)
        snapshot = await take_snapshot(link.reader(), _needs(part, workspace.catalog), [])
    resolver = make_resolver(workspace, loaded.repository, state, snapshot)
    return find_drift(
        loaded.repository, part, snapshot, catalog=workspace.catalog, resolver=resolver
    )


def _part(
    workspace: Workspace, repository: Repository, state: State, targets: Sequence[str]
) -> State:
    """The state with only the records that are named."""
    if not targets:
        return state
    spelled = spell_targets(workspace, repository, state, targets)
    chosen = choose(repository, state, spelled, ())
    records = {address: entry for address, entry in state.records.items() if address in chosen}
    return replace(state, records=records)


def _needs(state: State, catalog: Catalog) -> dict[str, Need]:
    """The records of the state, and the models that they refer to, whose ids are shown as names."""
    wanted: dict[str, Need] = {}
    for address, entry in state.records.items():
        if entry.id and address.model in catalog.models:
            wanted.setdefault(address.model, Need()).ids[entry.id] = ()
    for name in list(wanted):
        for row in catalog.models[name].references:
            if row.to and row.to in catalog.models:
                wanted.setdefault(row.to, Need())
    return wanted
