"""resolve: settle conflicts."""

from __future__ import annotations

import shlex

import click

from stemctl.cli.command import command
from stemctl.cli.screen import Screen
from stemctl.commands import resolve as use_case
from stemctl.render.text.plan_text import where_line
from stemctl.util.plural import counted


@command()
@click.argument("targets", metavar="ADDRESS...", nargs=-1, required=True)
@click.pass_obj
def resolve(screen: Screen, targets: tuple[str, ...]) -> int:
    """Resolve conflicts: the server's values become the new base.

    The next plan then shows the values of your files as ordinary changes.
    """
    workspace = screen.open()
    number = use_case.resolve(workspace, screen.below_root(targets))
    screen.did = (
        f"Resolved {counted(number, 'conflict')}. The server's values are the new base. "
        "Nothing was sent."
    )
    screen.out(where_line(workspace.target, workspace.database))
    screen.out(screen.did)
    screen.suggest((f"stemctl plan {shlex.join(targets)}", "shows what your files change"))
    return 0
