"""show: one record, with the origin of each value and what the server holds."""

from __future__ import annotations

import shlex

from msgspec.structs import replace

from stemctl.client.listing import take_snapshot
from stemctl.commands.connection import connect
from stemctl.commands.loading import load, require_all_files
from stemctl.commands.resolver import make_resolver
from stemctl.commands.targets import spell_targets
from stemctl.commands.workspace import Workspace
from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import State
from stemctl.errors import ConfigError, Untouched
from stemctl.planning.bindings import Bound
from stemctl.planning.needs import needs
from stemctl.planning.provenance import Origins, find_origins
from stemctl.planning.references import Resolver
from stemctl.planning.selection import choose
from stemctl.util.json_types import Fields

_MOST_NAMES = 5


async def origins(workspace: Workspace, target: str) -> Origins:
    """One record of the files or the state, with the server's side of it.

    Raises:
        ConfigError: the target matches no record, or several.
        InvalidFiles: some files are tracked, but not checked out.
    """
    catalog = workspace.catalog
    loaded = load(workspace.config, catalog)
    require_all_files(loaded)
    repository, state = loaded.repository, workspace.store.read()
    address = _the_one(workspace, repository, state, target)
    if address.model not in catalog.models:
        raise ConfigError(
            f"Edition {catalog.edition} has no model {address.model!r}.",
            "Its records are only in the state.",
            [(f"stemctl state show {shlex.quote(str(address))}", "shows what was applied")],
            untouched=Untouched.NOTHING_READ,
        )
    async with connect(workspace) as link:
        wanted = needs(repository, state, catalog, {address})
        snapshot = await take_snapshot(link.reader(), wanted, [])
    resolver = make_resolver(workspace, repository, state, snapshot)
    found = find_origins(
        address,
        catalog.models[address.model],
        repository.records.get(address),
        entry=state.records.get(address),
        live=_live(address, state, snapshot, resolver),
        resolver=resolver,
    )
    remarks = (finding for finding in loaded.diagnostics if finding.address == str(address))
    return replace(found, remarks=tuple(remarks))


def _the_one(workspace: Workspace, repository: Repository, state: State, target: str) -> Address:
    only = spell_targets(workspace, repository, state, [target])
    matches = sorted(choose(repository, state, only, ()))
    if len(matches) > 1:
        shown = ", ".join(map(str, matches[:_MOST_NAMES]))
        more = ", ..." if len(matches) > _MOST_NAMES else ""
        raise ConfigError(
            f"{target} matches {len(matches):,} records.", f"Name one of them: {shown}{more}."
        )
    return matches[0]


def _live(address: Address, state: State, snapshot: Snapshot, resolver: Resolver) -> Fields | None:
    """What the server holds: the record that a plan would bind, else the one of the state."""
    binding = resolver.identities.bindings.get(address)
    if isinstance(binding, Bound):
        return binding.live
    entry = state.records.get(address)
    if entry is None or not entry.id or address.model not in snapshot.readings:
        return None
    return snapshot.readings[address.model].records.get(entry.id)
