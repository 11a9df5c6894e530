"""resolve: settle conflicts, in favour of the files or of the server."""

from __future__ import annotations

from msgspec import Struct

from stemctl.commands.attempts import Attempts
from stemctl.commands.connection import connect
from stemctl.commands.event_loop import run_async
from stemctl.commands.loading import Loaded, load
from stemctl.commands.plan import Planned, plan
from stemctl.commands.targets import refuse_whole_models, spell_targets
from stemctl.commands.workspace import Workspace
from stemctl.core.plan import Change, Held
from stemctl.errors import StateError, StemctlError, Untouched
from stemctl.planning import state_edits
from stemctl.planning.planner import Options
from stemctl.planning.selection import choose


class Conflicts(Struct, frozen=True):
    """The records in conflict that targets name, and an error about the targets without any."""

    changes: tuple[Change, ...]
    planned: Planned | None
    problem: StemctlError | None


def find_conflicts(workspace: Workspace, targets: tuple[str, ...]) -> Conflicts:
    """Read the files and the server, and compare. Nothing is changed."""
    loaded = load(workspace.config, workspace.catalog)
    attempts = Attempts("target")
    state = workspace.store.read()
    chosen: dict[str, str] = {}
    for target in targets:
        with attempts.attempt(target):
            (chosen[target],) = spell_targets(workspace, loaded.repository, state, [target])
        chosen.setdefault(target, "")  # an unknown word may be the name after a model
    refuse_whole_models(workspace.catalog, chosen, "resolve")
    chosen = {target: spelled for target, spelled in chosen.items() if spelled}
    if not chosen:
        return Conflicts((), None, attempts.problem)
    planned = run_async(_plan(workspace, loaded, tuple(chosen.values())))
    found = [change for change in planned.plan.changes if change.held is Held.CONFLICT]
    attempts.tried = len(attempts.failed)
    for target, spelled in chosen.items():
        with attempts.attempt(target):
            addresses = choose(planned.repository, planned.state, [spelled], ())
            if not any(change.address in addresses for change in found):
                raise StateError(
                    f"No record that matches {target} is in conflict.",
                    hints=[("stemctl plan", "shows all conflicts")],
                    untouched=Untouched.NOTHING_CHANGED,
                )
    return Conflicts(tuple(found), planned, attempts.problem)


def keep_files(workspace: Workspace, targets: tuple[str, ...]) -> Conflicts:
    """Settle the conflicts of the records that match: the server's values become the base, and
    those of the files an edit.
    """
    with workspace.writing():
        conflicts = find_conflicts(workspace, targets)
        if conflicts.planned is None or not conflicts.changes:
            return conflicts
        state = conflicts.planned.state
        for change in conflicts.changes:
            model = workspace.catalog.models[change.address.model]
            state = state_edits.resolve_conflict(state, change, model)
        workspace.store.write(state, workspace.owner, f"resolve {' '.join(targets)}")
    return conflicts


async def _plan(workspace: Workspace, loaded: Loaded, targets: tuple[str, ...]) -> Planned:
    async with connect(workspace) as link:
        return await plan(workspace, link.reader(), loaded, Options(only=targets))
