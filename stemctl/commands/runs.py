"""runs: find the record of a run."""

from __future__ import annotations

from stemctl.commands.workspace import Workspace
from stemctl.core.run import Run
from stemctl.errors import StateError


def find_run(workspace: Workspace, name: str) -> Run:
    """The run with this id, or the only one whose id begins so.

    Raises:
        StateError: there is none, or there are several.
    """
    ids = [brief.id for brief in workspace.store.list_runs() if brief.id.startswith(name)]
    if name in ids:
        ids = [name]
    run = workspace.store.load_run(ids[0]) if len(ids) == 1 else None
    if run is not None:
        return run
    what = f"Run {name} not found."
    if ids:
        what = f"{len(ids):,} run ids begin with {name}."
    raise StateError(what, "", [("stemctl runs list", "shows the runs of this folder")])
