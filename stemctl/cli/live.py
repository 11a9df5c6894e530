"""get and approvals: what is on the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from stemctl.cli.options import output
from stemctl.cli.running import finish
from stemctl.cli.screen import Screen
from stemctl.errors import ConfigError

if TYPE_CHECKING:
    from stemctl.client.approvals import Proposal
    from stemctl.client.query import QueryResult
    from stemctl.commands.connection import Link
    from stemctl.commands.workspace import Workspace


@click.command()
@click.argument("model")
@click.argument("name", metavar="[NAME|ID]", required=False)
@click.option(
    "--portal",
    type=click.Choice(["private", "public", "super"]),
    help="Another portal than the server's.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="FIELD[.OP]=VALUE",
    help="Only what matches; repeatable.",
)
@click.option(
    "--sort", multiple=True, metavar="[-]FIELD", help="In this order, - for descending; repeatable."
)
@click.option(
    "--include", multiple=True, metavar="RELATION", help="With related records; repeatable."
)
@output("text", "json", "yaml")
@click.pass_obj
def get(
    screen: Screen,
    model: str,
    name: str | None,
    portal: str | None,
    filters: tuple[str, ...],
    sort: tuple[str, ...],
    include: tuple[str, ...],
    form: str,
) -> int:
    """Show records of the server: all of a MODEL, or one by its NAME or ID.

    With -o yaml they come as a manifest, to begin from.
    """
    from stemctl.client import query
    from stemctl.commands import connection

    workspace = screen.open()
    table = query.find_model(workspace.catalog, model)
    if portal and portal not in table.read_portals:
        raise ConfigError(
            f"{table.name} is not served through the portal {portal}.",
            f"It is in {table.read_portals}.",
        )
    asked = query.make_query(table, filters, sort, include)

    async def read() -> QueryResult:
        async with connection.connect(workspace) as link:
            client = link.reader(portal)
            found = await query.find(client, table, name, asked)
            return await query.with_names(client, found) if form != "json" else found

    found = finish(read())
    screen.note(_where(workspace, portal))
    if not found.single:
        screen.note(
            f"Read {table.count(len(found.records))} ({'all that match' if found.complete else found.reason})."
        )
    _print(screen, found, form)
    return 0 if found.complete else 1


def _where(workspace: Workspace, portal: str | None) -> str:
    from msgspec.structs import replace

    from stemctl.render.text.plan_text import where_line

    target = workspace.target
    return where_line(replace(target, portal=portal) if portal else target, workspace.database)


def _print(screen: Screen, found: QueryResult, form: str) -> None:
    from stemctl.client.query import declared
    from stemctl.render.manifest_yaml import manifest_text
    from stemctl.render.text.table import record_text, table_text

    if form == "json":
        records = [dict(fields) for fields in found.records]
        screen.document(records[0] if found.single and len(records) == 1 else records)
    elif form == "yaml":
        screen.out(manifest_text(found.model.many, declared(found)))
    elif found.single:
        names = {id_: name for known in (found.names or {}).values() for id_, name in known.items()}
        for fields in found.records:
            screen.out(record_text(fields, names, screen.style()))
    else:
        columns = [
            f.name for f in found.model.fields.values() if f.name != "links" and f.kind != "id"
        ]
        screen.out(table_text(columns, declared(found), screen.style()))


@click.group()
def approvals() -> None:
    """Show proposals; accept or reject them as an administrator."""


_names = click.argument("names", metavar="[ADDRESS|ID]...", nargs=-1)


@approvals.command("list")
@_names
@output("text", "json")
@click.pass_obj
def list_(screen: Screen, names: tuple[str, ...], form: str) -> int:
    """List proposals: those you may see, or those of an ADDRESS or ID."""
    found = _with_proposals(screen, lambda workspace, link: _find(workspace, link, names, False))
    if form == "json":
        screen.document([proposal.document() for proposal in found])
        return 0
    from stemctl.render.text.table import table_text

    rows = [{**p.fields, "record": str(p.address), "approval": p.id} for p in found]
    columns = ["record", "action", "status", "approval", "description", "comments"]
    screen.out(table_text(columns, rows, screen.style()) if rows else "No proposals.")
    pending = [p for p in found if p.pending]
    if pending:
        screen.note("An administrator decides: stemctl approvals accept ADDRESS, or reject.")
    return 0


@approvals.command()
@click.argument("names", metavar="ADDRESS|ID...", nargs=-1, required=True)
@output("text", "json")
@click.pass_obj
def show(screen: Screen, names: tuple[str, ...], form: str) -> int:
    """Show proposals in full."""
    found = _with_proposals(screen, lambda workspace, link: _find(workspace, link, names, False))
    if form == "json":
        screen.document([proposal.document() for proposal in found])
        return 0
    from stemctl.render.text.table import record_text

    screen.out("\n".join(record_text(p.fields, {}, screen.style()) for p in found))
    return 0


def _decision(verdict: str, done: str, what: str) -> click.Command:
    @click.argument("names", metavar="ADDRESS|ID...", nargs=-1, required=True)
    @output("text", "json")
    @click.pass_obj
    def decide(screen: Screen, names: tuple[str, ...], form: str) -> int:
        from stemctl.client.approvals import decide, read_decided

        async def work(workspace: Workspace, link: Link) -> list[Proposal]:
            chosen = await _find(workspace, link, names, True)
            client, decided = link.writer(), list[str]()
            for proposal in chosen:
                await decide(client, proposal, verdict)
                decided.append(str(proposal.address))
                screen.did = f"{done}: {', '.join(decided)}."
            return [await read_decided(client, proposal, verdict) for proposal in chosen]

        found = _with_proposals(screen, work)
        if form == "json":
            screen.document([proposal.document() for proposal in found])
        else:
            style = screen.style()
            screen.out(
                "\n".join(
                    style.columns(
                        [(f"{p.address}: {done}, approval {p.id}",) for p in found], indent=0
                    )
                )
            )
            screen.note("\n".join(style.next([("stemctl plan", "what is different now")])))
        return 0

    return click.command(verdict, help=what)(decide)


approvals.add_command(
    _decision("accept", "accepted", "Accept pending proposals; for administrators.")
)
approvals.add_command(
    _decision("reject", "rejected", "Reject pending proposals; for administrators.")
)


async def _find(
    workspace: Workspace, link: Link, names: tuple[str, ...], only_pending: bool
) -> list[Proposal]:
    from stemctl.client.approvals import choose, read_proposals
    from stemctl.commands.workspace import check_writable

    check_writable(
        workspace, (model.name for model in workspace.catalog.models.values() if model.approval)
    )
    return choose(await read_proposals(link.reader()), names, workspace.catalog, only_pending)


def _with_proposals(
    screen: Screen, work: Callable[[Workspace, Link], Awaitable[list[Proposal]]]
) -> list[Any]:
    from stemctl.commands import connection

    workspace = screen.open()

    async def run() -> list[Proposal]:
        async with connection.connect(workspace) as link:
            return await work(workspace, link)

    found = finish(run())
    screen.note(_where(workspace, None))
    return found
