"""get: show records on the server."""

from __future__ import annotations

import sys

import click
from msgspec.structs import replace

from stemctl.cli.command import command, option
from stemctl.cli.model_list import print_models
from stemctl.cli.options import OneOf, output
from stemctl.cli.screen import Screen
from stemctl.client.children import nested
from stemctl.client.query import QueryResult, declared
from stemctl.commands import get as use_case
from stemctl.commands.event_loop import run_async
from stemctl.commands.explain import catalog_of
from stemctl.commands.export import Live, export, remark
from stemctl.commands.get import Found, Request
from stemctl.commands.get_table import get_table
from stemctl.commands.workspace import Workspace
from stemctl.errors import ConfigError, Untouched
from stemctl.render.text.plan_text import where_line
from stemctl.render.text.table import record_text, table_text
from stemctl.schema.catalog import Catalog
from stemctl.sheets.write_sheet import FORMATS, XLSX


@command(
    examples=(
        ("stemctl get", "lists the models"),
        (
            "stemctl get session --filter name.icontains=rat12 --sort -date_time",
            "lists some sessions, latest first",
        ),
        ("stemctl get subject rat12 -o yaml --include procedures", "prints a manifest"),
        (
            "stemctl get session -o xlsx --columns 'name, tags' > sessions.xlsx",
            "writes a table",
        ),
    ),
    exits=(("1", "error, or not everything could be read"),),
)
@click.argument("model", metavar="[MODEL]", required=False)
@click.argument("name", metavar="[NAME|ID]", required=False)
@option(
    "--portal",
    type=OneOf(["private", "public", "super"]),
    help="Use this portal instead of the configured one.",
)
@option(
    "--filter",
    "filters",
    multiple=True,
    metavar="FIELD[.OP]=VALUE",
    help="Show only records that match; repeatable.",
)
@option(
    "--sort",
    multiple=True,
    metavar="[-]FIELD",
    help="Sort by a field, - for descending order; repeatable.",
)
@option(
    "--include",
    multiple=True,
    metavar="RELATION",
    help="Include related records; repeatable, or A,B.",
)
@option(
    "--columns",
    metavar="COLUMNS",
    help="Choose the columns of a table: name, behaviors.subjects.name, extra_fields.room.",
)
@output("text", "json", "yaml", *FORMATS)
@click.pass_obj
def get(
    screen: Screen,
    model: str | None,
    name: str | None,
    portal: str | None,
    filters: tuple[str, ...],
    sort: tuple[str, ...],
    include: tuple[str, ...],
    columns: str | None,
    output_format: str,
) -> int:
    """Show records on the server: all of a MODEL, or one by its NAME or ID.

    With -o yaml, prints a manifest that you can start from. With -o csv, tsv or xlsx, prints a
    table, which stemctl load takes back. Without an argument, lists the models.
    """
    _check_options(model, include, columns, output_format)
    if model is None:
        return print_models(screen, catalog_of(screen.root, screen.server), output_format)
    if name is None:  # an address, as other commands take it
        model, _, name = model.partition("/")
    workspace = screen.open()
    included = tuple(word.strip() for words in include for word in words.split(","))
    request = Request(
        model=model, name=name or None, portal=portal, filters=filters, sort=sort, include=included
    )
    if output_format in FORMATS:
        return _table(screen, workspace, request, columns, output_format)
    is_yaml = output_format == "yaml"
    answer = run_async(
        use_case.get(workspace, request, with_names=output_format != "json", nested=is_yaml)
    )
    _tell(screen, workspace, portal, answer.result)
    _print(screen, workspace.catalog, answer, output_format)
    return 0 if answer.complete else 1


def _check_options(
    model: str | None, include: tuple[str, ...], columns: str | None, output_format: str
) -> None:
    """Refuse options that do not go together.

    Raises:
        ConfigError: it says what to write.
    """
    is_table = output_format in FORMATS
    if columns is not None and not is_table:
        raise ConfigError(
            "--columns needs a table: -o csv, -o tsv or -o xlsx.",
            untouched=Untouched.NOTHING_READ,
        )
    if is_table and model is None:
        raise ConfigError(
            f"-o {output_format} needs a model.",
            hints=[("stemctl get session -o csv", "prints the sessions as a table")],
            untouched=Untouched.NOTHING_READ,
        )
    if is_table and include:
        raise ConfigError(
            f"--include does not go with -o {output_format}.",
            "Write the related fields as columns: --columns 'name, behaviors.subjects.name'.",
            untouched=Untouched.NOTHING_READ,
        )


def _table(
    screen: Screen,
    workspace: Workspace,
    request: Request,
    columns: str | None,
    output_format: str,
) -> int:
    """Print a table. Files of Excel are refused at a terminal, which could not show them."""
    if output_format == XLSX and sys.stdout.isatty():
        raise ConfigError(
            "-o xlsx writes a file of Excel, which a terminal cannot show.",
            f"Write it to a file: add > {request.model}.xlsx",
            untouched=Untouched.NOTHING_READ,
        )
    table = run_async(get_table(workspace, request, columns, output_format))
    _tell(screen, workspace, request.portal, table.result)
    for remark_ in table.remarks:
        screen.note(remark_)
    screen.data(table.data)
    return 0 if table.complete else 1


def _tell(screen: Screen, workspace: Workspace, portal: str | None, found: QueryResult) -> None:
    """Say where the records are from, and whether these are all."""
    screen.note(_where(workspace, portal))
    if not found.single:
        outcome = "all that match" if found.complete else found.reason
        screen.note(f"Read {found.model.count(len(found.records))} ({outcome}).")


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
        exported = export(catalog, found.model, live, answer.keys)
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
