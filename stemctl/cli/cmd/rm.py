"""rm: take records out of the files."""

from __future__ import annotations

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import output
from stemctl.cli.rewriting import finish
from stemctl.cli.screen import Screen
from stemctl.commands.rm import remove


@command(
    examples=(
        ("stemctl rm session/rat07_test", "the next apply deletes it on the server, too"),
        ("stemctl rm --keep-on-server 'session/pilot_*'", "stops managing many, and deletes none"),
    ),
    exits=(("3", "a file cannot be edited; nothing was written"),),
)
@click.argument("targets", metavar="ADDRESS|PATTERN...", nargs=-1, required=True)
@option(
    "--keep-on-server", is_flag=True, help="Stop managing the records; they stay on the server."
)
@option("--dry-run", is_flag=True, help="Show the difference, and write nothing.")
@output("text", "json")
@click.pass_obj
def rm(
    screen: Screen,
    targets: tuple[str, ...],
    keep_on_server: bool,
    dry_run: bool,
    output_format: str,
) -> int:
    """Remove records from your files, with what is inside them.

    An entry under deleted: lets the next apply delete them on the server; with --keep-on-server,
    an entry under forget: leaves them there. A record that was never applied needs no entry.

    Nothing is sent. If a file cannot be edited, nothing is written.
    """
    workspace = screen.open()
    rewrite = remove(workspace, screen.below_root(targets), keep_on_server=keep_on_server)
    return finish(screen, workspace.config, rewrite, dry_run=dry_run, output_format=output_format)
