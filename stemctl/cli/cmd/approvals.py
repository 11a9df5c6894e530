"""approvals: show and decide proposals."""

from __future__ import annotations

import click

from stemctl.cli.command import group
from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.client.approvals import Proposal
from stemctl.commands.approvals import decide_proposals, find_proposals
from stemctl.commands.event_loop import run_async
from stemctl.commands.workspace import Workspace
from stemctl.render.text.plan_text import where_line
from stemctl.render.text.table import record_text, table_text
from stemctl.util.safe_text import visible

_COLUMNS = ["record", "action", "status", "approval", "description", "comments"]


@group()
def approvals() -> None:
    """List, accept and reject proposals.

    Changes to what everybody shares, such as taxonomies, are proposals. BrainSTEM administrators
    decide about them.
    """


@approvals.command(
    "list",
    examples=(("stemctl approvals list", "lists all that you can see"),),
)
@click.argument("names", metavar="[ADDRESS|ID]...", nargs=-1)
@output("text", "json")
@click.pass_obj
def list_(screen: Screen, names: tuple[str, ...], output_format: str) -> int:
    """List proposals.

    Lists all proposals that you can see, or those of an ADDRESS or ID.
    """
    proposals = _find(screen, names)
    if output_format == "json":
        _print_documents(screen, proposals)
        return 0
    rows = [
        {**proposal.fields, "record": str(proposal.address), "approval": proposal.id}
        for proposal in proposals
    ]
    table = table_text(_COLUMNS, rows, screen.style(), {"record", "approval"})
    screen.out(table if rows else "No proposals.")
    if any(proposal.pending for proposal in proposals):
        screen.note(
            "An administrator decides with: stemctl approvals accept ADDRESS, "
            "or stemctl approvals reject ADDRESS."
        )
    return 0


@approvals.command(
    examples=(
        ("stemctl approvals show 'strain/Long Evans TH-Cre'", "shows a proposal with its comments"),
    ),
)
@click.argument("names", metavar="ADDRESS|ID...", nargs=-1, required=True)
@output("text", "json")
@click.pass_obj
def show(screen: Screen, names: tuple[str, ...], output_format: str) -> int:
    """Show proposals in full."""
    proposals = _find(screen, names)
    if output_format == "json":
        _print_documents(screen, proposals)
        return 0
    style = screen.style()
    screen.out("\n".join(record_text(proposal.fields, {}, style) for proposal in proposals))
    return 0


@approvals.command(
    examples=(("stemctl approvals accept 'strain/Long Evans TH-Cre'", "accepts a proposal"),),
)
@click.argument("names", metavar="ADDRESS|ID...", nargs=-1, required=True)
@output("text", "json")
@click.pass_obj
def accept(screen: Screen, names: tuple[str, ...], output_format: str) -> int:
    """Accept pending proposals; for administrators."""
    return _decide(screen, names, output_format, verdict="accept", done="accepted")


@approvals.command(
    examples=(("stemctl approvals reject 'strain/Long Evans TH-Cre'", "rejects a proposal"),),
)
@click.argument("names", metavar="ADDRESS|ID...", nargs=-1, required=True)
@output("text", "json")
@click.pass_obj
def reject(screen: Screen, names: tuple[str, ...], output_format: str) -> int:
    """Reject pending proposals; for administrators."""
    return _decide(screen, names, output_format, verdict="reject", done="rejected")


def _decide(
    screen: Screen, names: tuple[str, ...], output_format: str, *, verdict: str, done: str
) -> int:
    workspace = screen.open()
    decided: list[str] = []

    def note_decided(proposal: Proposal) -> None:
        decided.append(str(proposal.address))
        screen.did = f"{done}: {', '.join(decided)}."

    proposals, problem = run_async(decide_proposals(workspace, names, verdict, note_decided))
    if problem is not None and (output_format == "json" or not proposals):
        raise problem
    _print_where(screen, workspace)
    if output_format == "json":
        _print_documents(screen, proposals)
        return 0
    _print_decided(screen, proposals, done)
    if problem is not None:
        raise problem
    return 0


def _print_decided(screen: Screen, proposals: list[Proposal], done: str) -> None:
    for each in proposals:
        screen.out(f"{visible(str(each.address))}: {done}, approval {visible(each.id)}")
    screen.suggest(("stemctl plan", "shows the changes that are left"))


def _find(screen: Screen, names: tuple[str, ...]) -> list[Proposal]:
    workspace = screen.open()
    proposals = run_async(find_proposals(workspace, names))
    _print_where(screen, workspace)
    return proposals


def _print_where(screen: Screen, workspace: Workspace) -> None:
    screen.note(where_line(workspace.target, workspace.database))


def _print_documents(screen: Screen, proposals: list[Proposal]) -> None:
    screen.document([proposal.document() for proposal in proposals])
