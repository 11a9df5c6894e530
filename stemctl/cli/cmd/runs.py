"""runs: show what was applied, when and by whom."""

from __future__ import annotations

import click

from stemctl.cli.command import group, option
from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.commands import runs as use_case
from stemctl.commands.export import Live, export, remark
from stemctl.render.manifest_yaml import manifest_text
from stemctl.render.text.run_text import (
    as_they_were,
    brief_document,
    entries_as_they_were,
    pruned_text,
    run_document,
    run_text,
    runs_text,
)


@group()
def runs() -> None:
    """Show past runs, and the records before each run; remove old ones.

    Runs are recorded in .stemctl/runs/ of this folder, which is not committed.
    """


@runs.command(
    "list",
    examples=(("stemctl runs list", "shows when, by whom, and how many changes"),),
)
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


@runs.command(
    examples=(
        ("stemctl runs show 2024-03-12T14", "shows a run by the beginning of its id"),
        ("stemctl runs show 2024-03-12T14 -o yaml", "prints the records as they were before"),
    ),
)
@click.argument("name", metavar="RUN")
@output("text", "json", "yaml")
@click.pass_obj
def show(screen: Screen, name: str, output_format: str) -> int:
    """Show the outcome of each change of a run.

    RUN is a run id or the beginning of one. With -o yaml, prints the records as they were before
    the run, as a manifest. To undo the run, copy those values into your files.
    """
    workspace = screen.open()
    run = use_case.find_run(workspace, name)
    if output_format == "json":
        screen.document(run_document(run))
    elif output_format == "yaml":
        before = as_they_were(run, workspace.catalog)
        for key, records in before.items():
            model = workspace.catalog.by_list_key(key)
            assert model is not None
            exported = export(workspace.catalog, model, [Live(*pair) for pair in records])
            screen.out(exported.text)
            if left_out := remark(exported):
                screen.note(left_out)
        entries = entries_as_they_were(run, workspace.catalog)
        for section, holders in entries.items():
            screen.out(manifest_text(section, holders))
        if not (before or entries):
            screen.note("The run changed or deleted no existing records.")
    else:
        screen.out(run_text(run, screen.style(workspace.catalog)))
    return 0


@runs.command(
    examples=(
        ("stemctl runs prune --older-than 90d", "removes old ones"),
        ("stemctl runs prune --keep 20", "keeps the latest twenty"),
    ),
)
@option(
    "--keep", type=click.IntRange(min=1), metavar="N", help="Keep the latest N records of runs."
)
@option("--older-than", metavar="AGE", help="Remove only older ones: 90d, 12w, 6m, 2y, or a date.")
@click.pass_obj
def prune(screen: Screen, keep: int | None, older_than: str | None) -> int:
    """Remove the records of old runs from this folder.

    With both options, a record has to be old and outside the latest N. The last one always stays.
    What these runs changed can no longer be shown as it was; server, files and state do not change.
    """
    workspace = screen.open()
    removed, size = use_case.prune(workspace, keep, older_than)
    store = workspace.store
    shared = store.where if store.backend.lock is not None else None
    screen.out(pruned_text(removed, size, len(store.runs.files()), shared))
    return 0
