"""drift: show what has changed on the server."""

from __future__ import annotations

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import max_bytes, output
from stemctl.cli.screen import Screen
from stemctl.commands import drift as use_case
from stemctl.commands.event_loop import run_async
from stemctl.render.text.drift_text import drift_document, drift_markdown, drift_text
from stemctl.render.text.plan_text import where_line


@command(
    examples=(
        ("stemctl drift", "shows what others changed"),
        ("stemctl drift --detailed-exitcode -o markdown", "reports it from a nightly job"),
    ),
    exits=(
        ("1", "error, or a model cannot be read"),
        ("2", "with --detailed-exitcode, something changed"),
    ),
)
@click.argument("targets", metavar="[ADDRESS|PATH]...", nargs=-1)
@option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there is any drift.")
@max_bytes
@output("text", "json", "markdown")
@click.pass_obj
def drift(
    screen: Screen,
    targets: tuple[str, ...],
    detailed_exitcode: bool,
    max_bytes: int | None,
    output_format: str,
) -> int:
    """Show what has changed on the server since the last apply.

    Covers all records, or those that match an ADDRESS (* and ? are wildcards) or are declared in
    PATH, a manifest or a folder.
    """
    workspace = screen.open()
    screen.announce(workspace)
    found = run_async(use_case.drift(workspace, screen.below_root(targets)))
    style, target = screen.style(workspace.catalog), workspace.target
    screen.summarize(lambda limit: drift_markdown(found, style, target, limit))
    if output_format == "json":
        screen.document(drift_document(found))
    elif output_format == "markdown":
        screen.out(drift_markdown(found, style, target, max_bytes))
    else:
        screen.out(where_line(target, workspace.database))
        screen.out(drift_text(found, style))
    if found.unread:
        return 1
    return 2 if detailed_exitcode and found.records else 0
