"""The resolver of references for commands that show records instead of planning them."""

from __future__ import annotations

from stemctl.commands.workspace import Workspace
from stemctl.core.records import Repository
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import State
from stemctl.planning.matching import identify
from stemctl.planning.references import Resolver


def make_resolver(
    workspace: Workspace, repository: Repository, state: State, snapshot: Snapshot
) -> Resolver:
    """A resolver over the declared records, the state and what was read from the server."""
    identities = identify(repository, state, snapshot, workspace.catalog)
    return Resolver(workspace.catalog, repository, snapshot, state, identities)
