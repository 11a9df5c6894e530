"""get: show records on the server."""

from __future__ import annotations

import click
from msgspec.structs import replace

from stemctl.cli.command import command
from stemctl.cli.model_list import print_models
from stemctl.cli.options import OneOf, output
from stemctl.cli.screen import Screen
from stemctl.client.children import nested
from stemctl.client.query import declared
from stemctl.commands import get as use_case
from stemctl.commands.event_loop import run_async
from stemctl.commands.explain import catalog_of
from stemctl.commands.export import Live, export, remark
from stemctl.commands.get import Found, Request
from stemctl.commands.workspace import Workspace
from stemctl.render.text.plan_text import where_line
from stemctl.render.text.table import record_text, table_text
from stemctl.schema.catalog import Catalog


@command()
@click.argument("model", metavar="[MODEL]", required=False)
@click.argument("name", metavar="[NAME|ID]", required=False)
@click.option(
    "--portal",
    type=OneOf(["private", "public", "super"]),
    help="Use this portal instead of the configured one.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="FIELD[.OP]=VALUE",
    help="Show only records that match; repeatable.",
)
@click.option(
    "--sort",
    multiple=True,
    metavar="[-]FIELD",
    help="Sort by a field, - for descending order; repeatable.",
)
@click.option(
    "--include",
    multiple=True,
    metavar="RELATION",
    help="Include related records; repeatable, or A,B.",
)
@output("text", "json", "yaml")
@click.pass_obj
def get(
    screen: Screen,
    model: str | None,
    name: str | None,
    portal: str | None,
    filters: tuple[str, ...],
    sort: tuple[str, ...],
    include: tuple[str, ...],
    output_format: str,
) -> int:
    """Show records on the server: all of a MODEL, or one by its NAME or ID.

    With -o yaml, prints a manifest that you can start from. Without an argument, lists the models.
    """
    if model is None:
        return print_models(screen, catalog_of(screen.root, screen.server), output_format)
    if name is None:  # an address, as other commands take it
        model, _, name = model.partition("/")
    workspace = screen.open()
    included = tuple(word.strip() for words in include for word in words.split(","))
    request = Request(
        model=model, name=name or None, portal=portal, filters=filters, sort=sort, include=included
    )
    is_yaml = output_format == "yaml"
    answer = run_async(
        use_case.get(workspace, request, with_names=output_format != "json", nested=is_yaml)
    )
    found = answer.result
    screen.note(_where(workspace, portal))
    if not found.single:
        outcome = "all that match" if found.complete else found.reason
        screen.note(f"Read {found.model.count(len(found.records))} ({outcome}).")
    _print(screen, workspace.catalog, answer, output_format)
    return 0 if answer.complete else 1


def _where(workspace: Workspace, portal: str | None) -> str:
    target = workspace.target
    if portal:
        target = replace(target, portal=portal)
    return where_line(target, workspace.database)


def _print(screen: Screen, catalog: Catalog, answer: Found, output_format: str) -> None:
    found = answer.result
    if output_format == "json":
        records = [dict(fields) for fields in found.records]
        screen.document(records[0] if found.single and len(records) == 1 else records)
    elif output_format == "yaml":
        rows = zip(declared(found), found.records, strict=True)
        live = [
            Live({**row, **nested(record, answer.children)}, str(record["id"]))
            for row, record in rows
        ]
        exported = export(catalog, found.model, live)
        screen.out(exported.text)
        if left_out := remark(exported):
            screen.note(left_out)
    elif found.single:
        names: dict[str, str] = {}
        for known in (found.names or {}).values():
            names.update(known)
        for fields in found.records:
            screen.out(record_text(fields, names, screen.style()))
    else:
        fields_of = found.model.fields.values()
        columns = [row.name for row in fields_of if row.name != "links" and row.kind != "id"]
        if found.model.called is None:
            columns.insert(0, "id")  # nothing else tells its records apart
        first = [found.model.called or "id", *(row.name for row in found.model.moments)]
        whole = {*first, *(row.name for row in found.model.fields.values() if row.to)}
        columns.sort(key=lambda name: name not in first)  # the others may be too wide to show
        screen.out(table_text(columns, declared(found), screen.style(), whole))
