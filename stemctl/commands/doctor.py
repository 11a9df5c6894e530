"""doctor: check the setup and the server."""

from __future__ import annotations

from stemctl.client.diagnose import Check, check_models, check_setup
from stemctl.commands.connection import connect
from stemctl.commands.workspace import Workspace


async def doctor(workspace: Workspace) -> list[Check]:
    """Check everything that a command needs to reach the server."""
    checks = check_setup(workspace.server, workspace.environ)
    async with connect(workspace) as link:
        return [*checks, *await check_models(link.reader())]
