"""validate: the files alone, and against what the server knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemctl.cli.options import output
from stemctl.cli.screen import Screen

if TYPE_CHECKING:
    from stemctl.commands.validate import Loaded
    from stemctl.commands.workspace import Workspace


@click.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--online", is_flag=True, help="Also resolve references and names, by reading from the server."
)
@output("text", "json", "github")
@click.pass_obj
def validate(screen: Screen, paths: tuple[str, ...], online: bool, form: str) -> int:
    """Check the manifests; without --online, no network and no token are needed."""
    from stemctl.commands import validate
    from stemctl.core.diagnostics import has_errors
    from stemctl.core.documents import findings_document
    from stemctl.render.github import findings_github
    from stemctl.render.text.findings_text import findings_markdown

    workspace = screen.open()
    loaded = validate.validate(workspace, paths)
    if online and not has_errors(loaded.diagnostics):
        loaded = _online(workspace, loaded, paths)
    elif online:
        screen.note("The server was not asked: the files have errors of their own.")
    summary = validate.verdict(workspace, loaded)
    screen.summarize(lambda most: findings_markdown(loaded.diagnostics, summary, most))
    if form == "json":
        screen.document(
            findings_document(loaded.diagnostics, loaded.repository, workspace.server.edition)
        )
    elif form == "github":
        screen.annotate(lambda folder: findings_github(loaded.diagnostics, folder))
        screen.out(summary)
    else:
        screen.findings(loaded.diagnostics, summary)
    return 1 if has_errors(loaded.diagnostics) else 0


def _online(workspace: Workspace, loaded: Loaded, paths: tuple[str, ...]) -> Loaded:
    from stemctl.cli.running import finish
    from stemctl.commands import (
        plan,
    )  # all of the network: it takes longer to load than a thousand files to check

    return finish(plan.validate_online(workspace, loaded, paths))
