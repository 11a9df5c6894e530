"""resolve: settle conflicts by taking the server's values as the new base."""

from __future__ import annotations

from stemctl.commands.connection import connect
from stemctl.commands.event_loop import run_async
from stemctl.commands.loading import Loaded, load
from stemctl.commands.plan import Planned, plan
from stemctl.commands.workspace import Workspace
from stemctl.core.plan import Held
from stemctl.errors import StateError, Untouched
from stemctl.planning import state_edits
from stemctl.planning.planner import Options


def resolve(workspace: Workspace, targets: tuple[str, ...]) -> int:
    """Settle the conflicts of the records that match, and return how many there were.

    Raises:
        StateError: none of the records is in conflict.
    """
    loaded = load(workspace.config, workspace.catalog)
    with workspace.writing():
        planned = run_async(_plan(workspace, loaded, targets))
        conflicts = [change for change in planned.plan.changes if change.held is Held.CONFLICT]
        if not conflicts:
            raise StateError(
                f"No record that matches {' '.join(targets)} is in conflict.",
                hints=[("stemctl plan", "shows all conflicts")],
                untouched=Untouched.NOTHING_CHANGED,
            )
        state = planned.state
        for change in conflicts:
            model = workspace.catalog.models[change.address.model]
            state = state_edits.resolve_conflict(state, change, model)
        workspace.store.write(state, workspace.owner, f"resolve {' '.join(targets)}")
    return len(conflicts)


async def _plan(workspace: Workspace, loaded: Loaded, targets: tuple[str, ...]) -> Planned:
    async with connect(workspace) as link:
        return await plan(workspace, link.reader(), loaded, Options(only=targets))
