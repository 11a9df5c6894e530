"""init: start a metadata repository, or refresh the files for its editors."""

from __future__ import annotations

import click

from stemctl.cli.command import command
from stemctl.cli.screen import Screen
from stemctl.commands.init import Done, editor_files, first_files, settings_to_add
from stemctl.config.editor import SETTINGS


@command()
@click.pass_obj
def init(screen: Screen) -> int:
    """Create stemctl.yaml, a first manifest and editor settings.

    The configuration includes a sandbox to try things out. In an existing repository, init adds
    missing files and refreshes the schemas.
    """
    written: list[str] = []
    if screen.start != screen.root:
        screen.note(
            f"{screen.root} has a stemctl.yaml already. From now on, commands in {screen.start} "
            "use the one created here instead. Remove it to go on with the other.\n"
        )
    for files in (first_files(screen.start), editor_files(screen.start, screen.server)):
        for name, done in files:
            if done is not Done.KEPT:
                written.append(f"{done} {name}")
                screen.did = "; ".join(written)  # before the output, which may fail
            screen.out(f"{done} {name}")
    missing = settings_to_add(screen.start)
    if missing:
        screen.note(
            f"\nYour editor settings were not changed. For VS Code, add this to {SETTINGS}:"
        )
        screen.copied(missing)
    screen.suggest(("stemctl plan", "shows what your files would change"))
    return 0
