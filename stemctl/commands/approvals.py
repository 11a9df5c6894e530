"""approvals: find proposals on the server, and decide them."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from stemctl.client.approvals import (
    Proposal,
    choose,
    decide,
    read_decided,
    read_proposals,
    refuse_whole_model,
)
from stemctl.client.client import WriteClient
from stemctl.client.responses import Forbidden
from stemctl.commands.attempts import Attempts
from stemctl.commands.connection import Link, connect
from stemctl.commands.workspace import Workspace, check_writable
from stemctl.errors import StemctlError


async def find_proposals(workspace: Workspace, names: tuple[str, ...]) -> list[Proposal]:
    """The proposals with these addresses or ids, or all that this account may see.

    Raises:
        StemctlError: some name no proposal.
    """
    async with connect(workspace) as link:
        proposals = await _read(workspace, link)
    if not names:
        return proposals
    attempts = Attempts("proposal")
    chosen = _choose(workspace, proposals, names, attempts, only_pending=False)
    attempts.finish()
    return chosen


async def decide_proposals(
    workspace: Workspace,
    names: tuple[str, ...],
    verdict: str,
    on_decided: Callable[[Proposal], None],
) -> tuple[list[Proposal], StemctlError | None]:
    """Accept or reject pending proposals, and read them again. Each is tried; the error is about
    those that could not be decided.
    """
    decided: list[Proposal] = []
    async with connect(workspace) as link:
        attempts = Attempts("proposal")
        proposals = await _read(workspace, link)
        for name in names:
            refuse_whole_model(name, proposals, workspace.catalog)
        chosen = _choose(workspace, proposals, names, attempts, only_pending=True)
        attempts.tried = len(attempts.failed)
        client = link.writer()
        for proposal in chosen:
            with attempts.attempt(str(proposal.address)):
                await _decide(workspace, client, proposal, verdict)
                on_decided(proposal)
                decided.append(await read_decided(client, proposal, verdict))
    return decided, attempts.problem


async def _decide(
    workspace: Workspace, client: WriteClient, proposal: Proposal, verdict: str
) -> None:
    """Decide, and say who may do so if this account may not."""
    try:
        await decide(client, proposal, verdict)
    except Forbidden as error:
        error.why = "Only administrators of BrainSTEM accept and reject proposals."
        address = shlex.quote(str(proposal.address))
        if workspace.server.is_sandbox:
            command = f"BRAINSTEM_TOKEN=sandbox-admin stemctl approvals {verdict} {address}"
            error.hints = ((command, "decides as the administrator of the sandbox"),)
        else:
            show = f"stemctl approvals show {address}"
            error.hints = ((show, "shows the proposal, to send to an administrator"),)
        raise


async def _read(workspace: Workspace, link: Link) -> list[Proposal]:
    models = workspace.catalog.models.values()
    check_writable(workspace, (model.name for model in models if model.approval))
    return await read_proposals(link.reader())


def _choose(
    workspace: Workspace,
    proposals: list[Proposal],
    names: tuple[str, ...],
    attempts: Attempts,
    *,
    only_pending: bool,
) -> list[Proposal]:
    """The proposals that are named, each once."""
    chosen: dict[str, Proposal] = {}
    for name in names:
        with attempts.attempt(name):
            for proposal in choose(proposals, name, workspace.catalog, only_pending):
                chosen.setdefault(proposal.id, proposal)
    return list(chosen.values())
