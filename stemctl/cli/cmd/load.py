"""load: from a table to the manifests."""

from __future__ import annotations

from typing import Any

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import output
from stemctl.cli.rewriting import finish
from stemctl.cli.screen import Screen
from stemctl.commands import load as use_case
from stemctl.commands.load import Load, Request
from stemctl.commands.rewrite import Written
from stemctl.render.text.load_text import load_json, load_text
from stemctl.sheets.column_map import ColumnMap, option_map


@command(
    examples=(
        ("stemctl load animals.csv --as subject --dry-run", "shows the difference"),
        ("stemctl load weights.xlsx#March --as subjectlog/Weighing", "loads entries of logs"),
        (
            'stemctl load animals.csv --as subject --map "Animal ID=name, Line=strain"',
            "says what columns mean",
        ),
    ),
    exits=(("3", "a file cannot be edited, or was left; it is named"),),
)
@click.argument("file", metavar="FILE")
@option("--as", "model", metavar="MODEL[/TYPE]", required=True, help="Say what the rows are.")
@option("--map", "columns", metavar='"COLUMN=FIELD, …"', help="Say what columns mean.")
@option("--map-file", metavar="FILE", help="Read this from a file.")
@option("--save-map", metavar="FILE", help="Keep it in a file, for the next time.")
@option("--time-zone", metavar="ZONE", help="Read times without an offset in this zone.")
@option("--ignore", multiple=True, metavar="COLUMN", help="Leave this column; repeatable.")
@option("--into", metavar="FILE", help="Write new records to this file.")
@option("--dry-run", is_flag=True, help="Show the difference, and write nothing.")
@output("text", "json")
@click.pass_obj
def load(
    screen: Screen,
    file: str,
    model: str,
    columns: str | None,
    map_file: str | None,
    save_map: str | None,
    time_zone: str | None,
    ignore: tuple[str, ...],
    into: str | None,
    dry_run: bool,
    output_format: str,
) -> int:
    """Write to your files what is in a table.

    FILE is CSV, TSV or XLSX; FILE.xlsx#SHEET is one of its sheets. A row is a record, or an entry
    of a log. Columns are named like fields, or as in BrainSTEM's import templates. An empty cell
    changes nothing, and - clears a field. A newer table edits the same records.

    --map says more: "Animal ID=name, Sex=sex:{male: M, female: F}, DOB=birth_date:{date: D/M/Y}".

    If anything in the table is wrong, nothing is written. Nothing is sent.
    """
    workspace = screen.open()
    said = option_map(columns) if columns else ColumnMap()
    said = use_case.with_ignored(said, ignore, time_zone)
    request = Request(
        screen.start,
        file,
        model,
        said,
        map_file,
        screen.below_root([into])[0] if into is not None else None,
    )
    if save_map:
        use_case.check_map_file(screen.start, save_map)
    loaded = use_case.prepare(workspace.config, workspace.catalog, request)
    code = _finish(screen, loaded, dry_run=dry_run, output_format=output_format)
    if save_map and not dry_run:
        use_case.save_map(screen.start, save_map, loaded.columns)
        screen.note(f"{save_map} keeps how the columns were read: use it with --map-file.")
    return code


def _finish(screen: Screen, loaded: Load, *, dry_run: bool, output_format: str) -> int:
    def about(written: Written) -> tuple[str, dict[str, Any]]:
        left, missing = loaded.left_columns, loaded.not_in_sheet
        return load_text(left, missing), load_json(left, missing)

    return finish(
        screen,
        loaded.config,
        loaded.rewrite,
        dry_run=dry_run,
        output_format=output_format,
        partly=True,
        about=about,
    )
