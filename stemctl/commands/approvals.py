"""approvals: find proposals on the server, and decide them."""

from __future__ import annotations

from collections.abc import Callable

from stemctl.client.approvals import Proposal, choose, decide, read_decided, read_proposals
from stemctl.commands.connection import Link, connect
from stemctl.commands.workspace import Workspace, check_writable


async def find_proposals(workspace: Workspace, names: tuple[str, ...]) -> list[Proposal]:
    """The proposals with these addresses or ids, or all that this account may see."""
    async with connect(workspace) as link:
        return await _find(workspace, link, names, only_pending=False)


async def decide_proposals(
    workspace: Workspace,
    names: tuple[str, ...],
    verdict: str,
    on_decided: Callable[[Proposal], None],
) -> list[Proposal]:
    """Accept or reject pending proposals, and read them again."""
    async with connect(workspace) as link:
        chosen = await _find(workspace, link, names, only_pending=True)
        client = link.writer()
        for proposal in chosen:
            await decide(client, proposal, verdict)
            on_decided(proposal)
        return [await read_decided(client, proposal, verdict) for proposal in chosen]


async def _find(
    workspace: Workspace, link: Link, names: tuple[str, ...], only_pending: bool
) -> list[Proposal]:
    models = workspace.catalog.models.values()
    check_writable(workspace, (model.name for model in models if model.approval))
    return choose(await read_proposals(link.reader()), names, workspace.catalog, only_pending)
