"""init: start a metadata repository, or refresh the files for its editors."""

from __future__ import annotations

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import OneOf
from stemctl.cli.screen import Screen
from stemctl.commands.init import (
    Done,
    Files,
    editor_files,
    files_for,
    first_files,
    settings_to_add,
)
from stemctl.config.editor import SETTINGS
from stemctl.errors import ConfigError, Untouched
from stemctl.schema.catalog import editions


@command(
    examples=(
        ("stemctl init", "starts a repository, with a sandbox to try things out"),
        ("stemctl init --from https://www.brainstem.org", "logs in, and takes over your lab"),
    ),
    exits=(("3", "with --from: something is left to be decided; it is named"),),
)
@option("--from", "url", metavar="URL", help="Take over all records of your lab from this server.")
@option(
    "--portal",
    type=OneOf(["private", "super"]),
    help="Use the server of --from through this portal. Default: private.",
)
@option(
    "--edition",
    metavar="YEAR",
    help="Choose the edition of the API for --from. Default: the newest.",
)
@click.pass_obj
def init(screen: Screen, url: str | None, portal: str | None, edition: str | None) -> int:
    """Create stemctl.yaml, a first manifest and editor settings.

    The configuration includes a sandbox to try things out. In an existing repository, init adds
    missing files, refreshes the schemas for editors, and changes nothing else.

    With --from, init logs in, writes the records of your lab to files, remembers their ids, and
    shows a first plan, which is empty. If it stops on the way, type the same command again.
    """
    if url is None:
        if portal or edition:
            raise ConfigError(
                f"{'--portal' if portal else '--edition'} belongs to --from.",
                "For a server in stemctl.yaml, write it there: "
                "servers: {NAME: {portal: private, edition: 2026}}.",
                untouched=Untouched.NOTHING_WRITTEN,
            )
        _write(screen, first_files(screen.start), screen.server)
        screen.suggest(("stemctl plan", "shows what your files would change"))
        return 0
    if screen.server is not None:
        raise ConfigError(
            "--server and --from both name a server.",
            "Leave out --server.",
            untouched=Untouched.NOTHING_READ,
        )
    from stemctl.cli.taking_over import take_over  # only here, init needs the network

    name, files = files_for(screen.start, url, portal or "private", edition or editions()[-1])
    _write(screen, files, name)
    return take_over(screen, name)


def _write(screen: Screen, first: Files, server: str | None) -> None:
    """Write the first files, and those for editors."""
    written: list[str] = []
    if screen.start != screen.root:
        screen.note(
            f"{screen.root} has a stemctl.yaml already. From now on, commands in {screen.start} "
            "use the one created here instead. Remove it to go on with the other.\n"
        )
    for files in (first, editor_files(screen.start, server)):
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
