"""doctor: check the setup, and compare the tables with what the server answers."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stemctl.client.diagnose import Check, check_setup
from stemctl.client.probe import Prober
from stemctl.commands.connection import connect
from stemctl.commands.workspace import Workspace
from stemctl.core.profile import Profile
from stemctl.planning.table_truth import ModelTruth, Verdict, compare, verdict_of


class Diagnosis(Struct, frozen=True):
    """What was found out about a server."""

    checks: Sequence[Check]
    profile: Profile
    truths: Sequence[ModelTruth]
    verdict: Verdict


async def doctor(workspace: Workspace) -> Diagnosis:
    """Check everything that a command needs, and how the server answers. Sends only GET."""
    checks = check_setup(workspace.server, workspace.environ)
    async with connect(workspace) as link:
        profile = await Prober(*link.arguments()).profile()
    truths = compare(workspace.catalog, profile)
    has_token = workspace.server.portal == "public" or all(c.good is not False for c in checks)
    return Diagnosis(checks, profile, truths, verdict_of(truths, has_token))
