"""validate --online. It is a module of its own since it loads all that the network needs, which
takes longer than checking a thousand files.
"""

from __future__ import annotations

from msgspec.structs import replace

from stemctl.commands.connection import connect
from stemctl.commands.loading import Loaded
from stemctl.commands.plan import plan
from stemctl.commands.validate import Checked
from stemctl.commands.workspace import Workspace
from stemctl.core.diagnostics import in_order
from stemctl.planning.planner import Options


async def validate_online(workspace: Workspace, checked: Checked) -> Checked:
    """Add the findings of references and names that are looked up on the server."""
    loaded = checked.loaded
    async with connect(workspace) as link:
        planned = await plan(workspace, link.reader(), Loaded(loaded.repository, ()), Options())
    # The server tells better than the state which records exist and need no required fields.
    kept = [finding for finding in loaded.diagnostics if finding.code != "missing-field"]
    online = planned.plan.diagnostics
    # A server that cannot be read in full is about all files.
    general = [finding for finding in online if finding.location is None]
    found = in_order([*kept, *checked.about(online), *general])
    return replace(checked, loaded=replace(loaded, diagnostics=found))
