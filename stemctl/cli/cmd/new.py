"""new: write a new record to the files."""

from __future__ import annotations

import sys

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import output
from stemctl.cli.prompts import ask_value
from stemctl.cli.rewriting import finish
from stemctl.cli.screen import Screen
from stemctl.commands.new import Missing, Request, create


@command(
    examples=(
        ("stemctl new session", "asks for what it needs"),
        ("stemctl new project name=Sleep 'description=Replay in sleep.'", "asks for nothing"),
        (
            "stemctl new session --like session/rat12_2024-03-12 name=rat12_2024-03-13",
            "copies a session with what is inside it",
        ),
    ),
)
@click.argument("model")
@click.argument("words", metavar="[FIELD=VALUE]...", nargs=-1)
@option("--like", metavar="ADDRESS", help="Copy this record, with what is inside it.")
@option("--into", metavar="FILE", help="Write it to this file.")
@option("--dry-run", is_flag=True, help="Show the difference, and write nothing.")
@output("text", "json")
@click.pass_obj
def new(
    screen: Screen,
    model: str,
    words: tuple[str, ...],
    like: str | None,
    into: str | None,
    dry_run: bool,
    output_format: str,
) -> int:
    """Write a new record to your files.

    What it needs and you do not give is asked for at a terminal. With --like, this is what has to
    differ: names that are unique, and dates. Dates inside the record that lie on its day move along
    with it; ids are not copied, nor are entries of logs. FIELD= leaves a field out.

    It goes beside the record that it is like, or inside its parent, or where layout: in
    stemctl.yaml puts it. Nothing is sent.
    """
    workspace = screen.open()
    (file,) = screen.below_root([into]) if into is not None else (None,)
    is_asking = sys.stdin.isatty() and not screen.mute and output_format == "text"
    rewrite = create(workspace, Request(model, words, like, file), _ask if is_asking else None)
    return finish(screen, workspace.config, rewrite, dry_run=dry_run, output_format=output_format)


def _ask(missing: Missing, wrong: str) -> str:
    return ask_value(missing.field, missing.old, missing.proposal, wrong)
