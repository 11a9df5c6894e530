"""set: change fields of records in the files."""

from __future__ import annotations

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import output
from stemctl.cli.rewriting import finish
from stemctl.cli.screen import Screen
from stemctl.commands.set import Words, set_fields, told_apart


@command(
    "set",
    examples=(
        ("stemctl set session/rat12_2024-03-12 'description=First day.'", "sets a field"),
        ("stemctl set 'session/rat12_*' tags+=maze tags-=pilot", "changes a list in many records"),
        (
            "stemctl set session/rat12_2024-03-12 extra_fields.room=B117 --dry-run",
            "shows the difference",
        ),
    ),
    exits=(("3", "a file cannot be edited; nothing was written"),),
)
@click.argument("words", metavar="ADDRESS|PATTERN... FIELD=VALUE...", nargs=-1, required=True)
@option("--dry-run", is_flag=True, help="Show the difference, and write nothing.")
@output("text", "json")
@click.pass_obj
def set_(screen: Screen, words: tuple[str, ...], dry_run: bool, output_format: str) -> int:
    """Change fields of records in your files.

    FIELD=VALUE sets a field, and FIELD= clears it: apply then clears it on the server, too.
    FIELD.NAME=VALUE sets an entry of a mapping or of details, and FIELD.NAME= removes it.
    FIELD+=ELEMENT adds an element to a list, and FIELD-=ELEMENT removes it; commas do not split
    it, so repeat the word for more. An address is MODEL/NAME; * and ? are wildcards.

    Comments stay. Nothing is sent. If a file cannot be edited, nothing is written.
    """
    apart = told_apart(words)
    workspace = screen.open()
    targets = screen.below_root(apart.targets)
    rewrite = set_fields(workspace, Words(targets, apart.assignments))
    return finish(screen, workspace.config, rewrite, dry_run=dry_run, output_format=output_format)


set = set_  # a command is found in its module by its name
