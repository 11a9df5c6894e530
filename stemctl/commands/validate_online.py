"""validate --online. It is a module of its own since it loads all that the network needs, which
takes longer than checking a thousand files.
"""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.commands.connection import connect
from stemctl.commands.loading import Loaded
from stemctl.commands.plan import plan
from stemctl.commands.validate import below
from stemctl.commands.workspace import Workspace
from stemctl.core.diagnostics import in_order
from stemctl.planning.planner import Options


async def validate_online(
    workspace: Workspace, loaded: Loaded, paths: Sequence[str] = ()
) -> Loaded:
    """Add the findings of references and names that are looked up on the server."""
    async with connect(workspace) as link:
        planned = await plan(workspace, link.reader(), Loaded(loaded.repository, ()), Options())
    # The server tells better than the state which records exist and need no required fields.
    kept = [finding for finding in loaded.diagnostics if finding.code != "missing-field"]
    findings = below(paths, in_order([*kept, *planned.plan.diagnostics]))
    return Loaded(loaded.repository, findings)
