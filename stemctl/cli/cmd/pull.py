"""pull: take over what is on the server into the files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import output
from stemctl.cli.prompts import ask_which_to_write
from stemctl.cli.rewriting import PLAN, finish
from stemctl.cli.screen import Screen
from stemctl.commands.pull import Pull, Request, bind, prepare
from stemctl.commands.rewrite import Written
from stemctl.commands.workspace import Workspace
from stemctl.config.file_templates import option_template
from stemctl.errors import ConfigError, Hint, Untouched
from stemctl.render.text.plan_text import where_line
from stemctl.render.text.pull_text import (
    further_text,
    left_json,
    left_text,
    numbers_text,
    pending_text,
    state_text,
    unread_text,
)
from stemctl.takeover.unbound import Twins
from stemctl.util.safe_text import visible


@command(
    examples=(
        ("stemctl pull", "what changed in the records that your files have"),
        ("stemctl pull --all --dry-run", "the difference to all that your lab has on the server"),
        ("stemctl pull 'session/rat12_*'", "some records, also those that are in no file"),
        (
            "stemctl pull session --filter date_time.gte=2024-03-01T00:00:00Z",
            "the sessions since a day",
        ),
        (
            "stemctl pull --theirs session/rat12_2024-03-12",
            "takes the server's values in a conflict",
        ),
    ),
    exits=(("3", "something is left to be decided; it is named, with what to type"),),
)
@click.argument("targets", metavar="[MODEL|ADDRESS|PATTERN]...", nargs=-1)
@option(
    "--all",
    "everything",
    is_flag=True,
    help="Pull all that labs write themselves; shared models only if you name them.",
)
@option(
    "--filter",
    "filters",
    multiple=True,
    metavar="FIELD[.OP]=VALUE",
    help="Pull only records of the MODEL that match; repeatable.",
)
@option(
    "--layout",
    metavar="TEMPLATE",
    help="Choose the files of new records: records/{model}/{date_time:%Y-%m}.yaml.",
)
@option("--all-fields", is_flag=True, help="Also write fields that your records do not declare.")
@option("--ask", is_flag=True, help="Ask which record to write of those that are alike.")
@option("--theirs", is_flag=True, help="Take the server's values even where you edited yours.")
@option("--dry-run", is_flag=True, help="Show the difference, and write nothing.")
@output("text", "json")
@click.pass_obj
def pull(
    screen: Screen,
    targets: tuple[str, ...],
    everything: bool,
    filters: tuple[str, ...],
    layout: str | None,
    all_fields: bool,
    ask: bool,
    theirs: bool,
    dry_run: bool,
    output_format: str,
) -> int:
    """Write to your files what is on the server.

    Fields that changed on the server are changed in your files, and records that are in no file
    are added. Without a word, only the records that your files have are looked at. What you edited
    since the last apply stays, unless you name the record with --theirs. Nothing is sent.

    New records are written where layout: in stemctl.yaml says, with the records inside them. What
    everybody shares, such as vocabularies and publications, comes only when you name it. A plan of
    what was pulled is empty. The state remembers what was taken over: to undo a pull, restore it
    together with the files.
    """
    workspace = screen.open()
    request = Request(
        targets=screen.below_root(targets),
        everything=everything,
        filters=filters,
        layout=option_template(layout) if layout is not None else None,
        all_fields=all_fields,
        theirs=theirs,
    )
    if ask and not sys.stdin.isatty():
        raise ConfigError(
            "--ask needs a terminal.",
            hints=[("stemctl pull", "without it, records that have a twin are named and left")],
            untouched=Untouched.NOTHING_READ,
        )
    with contextlib.nullcontext() if dry_run else workspace.writing():
        pulled = prepare(workspace, request, _picked if ask else lambda twins: ())
        return finish_pull(screen, workspace, pulled, dry_run=dry_run, output_format=output_format)


def _picked(twins: Sequence[Twins]) -> set[str]:
    return {id_ for group in twins for id_ in ask_which_to_write(group)}


def finish_pull(
    screen: Screen,
    workspace: Workspace,
    pulled: Pull,
    *,
    dry_run: bool,
    output_format: str,
    hints: Sequence[Hint] = (PLAN,),
) -> int:
    """Write files and state, and say what was done; the exit code."""

    def after(written: Written) -> None:
        bind(pulled, written, dry_run=dry_run)

    def about(written: Written) -> tuple[str, dict[str, Any]]:
        number = pulled.number_written(written, dry_run=dry_run)
        style = screen.style(workspace.catalog)
        parts = [
            left_text(pulled.found, style),
            pending_text(pulled.found),
            further_text(pulled.found.further),
            unread_text(pulled.unread),
            numbers_text(
                number,
                pulled.number_left(written),
                sum(pulled.elsewhere.values()),
                dry_run=dry_run,
                more="" if pulled.everything else f"{screen.program} pull --all",
            ),
            state_text(visible(workspace.store.where)) if pulled.is_saved else "",
        ]
        more = {
            "left_records": left_json(pulled.found),
            "not_read": [model.name for model in pulled.unread],
            "summary": {
                "written": number,
                "left": pulled.number_left(written),
                "in_no_file": dict(pulled.elsewhere),
            },
        }
        return "\n".join(part for part in parts if part), more

    if output_format == "text":
        screen.note(where_line(workspace.target, workspace.database))
    return finish(
        screen,
        workspace.config,
        pulled.rewrite,
        dry_run=dry_run,
        output_format=output_format,
        partly=True,
        after=after,
        about=about,
        is_left=pulled.is_left,
        hints=hints,
    )
