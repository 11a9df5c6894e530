"""mv: rename records in the files."""

from __future__ import annotations

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import output
from stemctl.cli.rewriting import finish
from stemctl.cli.screen import Screen
from stemctl.commands.mv import rename


@command(
    examples=(
        ("stemctl mv session/rat12 session/rat12_2024-03-12", "renames a session"),
        (
            "stemctl mv 'session/rat17_*' 'session/rat17b_*'",
            "renames many; * is the same text on both sides",
        ),
    ),
    exits=(("3", "a file cannot be edited; nothing was written"),),
)
@click.argument("old")
@click.argument("new")
@option("--dry-run", is_flag=True, help="Show the difference, and write nothing.")
@output("text", "json")
@click.pass_obj
def mv(screen: Screen, old: str, new: str, dry_run: bool, output_format: str) -> int:
    """Rename records in your files.

    OLD and NEW are addresses, MODEL/NAME. One * in each renames all records that match. What
    refers to the records is changed, too, and an entry under moved: tells apply that they are the
    same records. Records inside them come along.

    Nothing is sent. If a file cannot be edited, nothing is written.
    """
    workspace = screen.open()
    rewrite = rename(workspace, old, new)
    return finish(screen, workspace.config, rewrite, dry_run=dry_run, output_format=output_format)
