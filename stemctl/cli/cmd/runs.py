"""runs: show what was applied, when and by whom."""

from __future__ import annotations

import click

from stemctl.cli.command import group
from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.commands.runs import find_run
from stemctl.render.manifest_yaml import manifest_text
from stemctl.render.text.run_text import (
    as_they_were,
    brief_document,
    run_document,
    run_text,
    runs_text,
)


@group()
def runs() -> None:
    """Show past runs, and the records before each run.

    Runs are recorded in .stemctl/runs/ of this folder, which is not committed.
    """


@runs.command("list")
@output("text", "json")
@click.pass_obj
def list_(screen: Screen, output_format: str) -> int:
    """List the runs, latest first."""
    workspace = screen.open()
    briefs = list(workspace.store.list_runs())
    if output_format == "json":
        screen.document([brief_document(brief) for brief in briefs])
    else:
        screen.out(runs_text(briefs, screen.style(workspace.catalog)))
    return 0


@runs.command()
@click.argument("name", metavar="RUN")
@output("text", "json", "yaml")
@click.pass_obj
def show(screen: Screen, name: str, output_format: str) -> int:
    """Show the outcome of each change of a run.

    RUN is a run id or the beginning of one. With -o yaml, prints the records as they were before
    the run, as a manifest. To undo the run, copy those values into your files.
    """
    workspace = screen.open()
    run = find_run(workspace, name)
    if output_format == "json":
        screen.document(run_document(run))
    elif output_format == "yaml":
        before = as_they_were(run, workspace.catalog)
        screen.out("\n".join(manifest_text(key, records) for key, records in before.items()))
        if not before:
            screen.note("The run changed or deleted no existing records.")
    else:
        screen.out(run_text(run, screen.style(workspace.catalog)))
    return 0
