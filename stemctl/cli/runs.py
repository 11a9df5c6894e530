"""runs: what was applied, when and by whom, and the records as they were before."""

from __future__ import annotations

import click

from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.errors import StateError


@click.group()
def runs() -> None:
    """What was applied from this folder. The records lie in .stemctl/runs/ and are not committed."""


@runs.command("list")
@output("text", "json")
@click.pass_obj
def list_(screen: Screen, form: str) -> int:
    """List the runs, the latest first."""
    from stemctl.render.text.run_text import brief_document, runs_text

    workspace = screen.open()
    found = list(workspace.store.list_runs())
    if form == "json":
        screen.document([brief_document(brief) for brief in found])
    else:
        screen.out(runs_text(found, screen.style(workspace.catalog)))
    return 0


@runs.command()
@click.argument("word", metavar="RUN")
@output("text", "json", "yaml")
@click.pass_obj
def show(screen: Screen, word: str, form: str) -> int:
    """Show what became of each change of RUN (its id, or how that begins).

    With -o yaml: the records as they were before it, as a manifest. To undo it, write those values
    into your files.
    """
    from stemctl.render.manifest_yaml import manifest_text
    from stemctl.render.text.run_text import as_they_were, run_document, run_text

    workspace = screen.open()
    ids = [brief.id for brief in workspace.store.list_runs() if brief.id.startswith(word)]
    ids = [word] if word in ids else ids
    run = workspace.store.load_run(ids[0]) if len(ids) == 1 else None
    if run is None:
        what = f"There is no run {word}." if not ids else f"{len(ids)} runs begin with {word}."
        raise StateError(what, "", [("stemctl runs list", "shows those of this folder")])
    if form == "json":
        screen.document(run_document(run))
    elif form == "yaml":
        found_records = as_they_were(run, workspace.catalog)
        screen.out("\n".join(manifest_text(key, records) for key, records in found_records.items()))
        if not found_records:
            screen.note("It changed and deleted no record that was there before.")
    else:
        screen.out(run_text(run, screen.style(workspace.catalog)))
    return 0
