"""validate: check the manifests."""

from __future__ import annotations

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.commands import validate as check
from stemctl.core.diagnostics import has_errors
from stemctl.render.text import findings_text


@command(
    examples=(
        ("stemctl validate", "checks all files"),
        ("stemctl validate records/sessions", "reports on one folder"),
        ("stemctl validate --online", "also looks up what the files refer to"),
        ("stemctl validate -o github", "adds annotations to the lines of a pull request"),
    ),
    exits=(("1", "the files have errors"),),
)
@click.argument("paths", nargs=-1)
@option("--online", is_flag=True, help="Also look up references and names on the server.")
@output("text", "json", "github")
@click.pass_obj
def validate(screen: Screen, paths: tuple[str, ...], online: bool, output_format: str) -> int:
    """Check the manifests.

    Without --online, this needs no network and no token.
    """
    workspace = screen.open()
    checked = check.validate(workspace, screen.below_root(paths))
    if online and has_errors(checked.loaded.diagnostics):
        screen.note("The files have errors, so the server was not checked.")
    elif online:
        # Loading the network takes longer than checking a thousand files.
        from stemctl.commands.event_loop import run_async
        from stemctl.commands.validate_online import validate_online

        checked = run_async(validate_online(workspace, checked))
    diagnostics = checked.loaded.diagnostics
    summary = check.summary(workspace, checked)
    screen.summarize(
        lambda max_bytes: findings_text.findings_markdown(diagnostics, summary, max_bytes)
    )
    if output_format == "json":
        from stemctl.core.documents import findings_document  # and all other documents

        edition = workspace.server.edition
        screen.document(
            findings_document(
                diagnostics, files=len(checked.files), records=checked.records, edition=edition
            )
        )
    elif output_format == "github":
        # What it takes to show a plan beside its lines is needed for nothing else here.
        from stemctl.render.github import findings_github

        screen.annotate(lambda folder: findings_github(diagnostics, folder))
        screen.sentences(summary)
    else:
        screen.findings(diagnostics, summary)
    return 1 if has_errors(diagnostics) else 0
