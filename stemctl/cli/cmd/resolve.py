"""resolve: settle conflicts."""

from __future__ import annotations

import shlex
import sys

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import OneOf
from stemctl.cli.prompts import ask_which_to_keep
from stemctl.cli.screen import Screen
from stemctl.commands.resolve import Conflicts, find_conflicts, keep_files
from stemctl.commands.workspace import Workspace
from stemctl.render.text.conflict_text import conflicts_text, kept_server_text
from stemctl.render.text.plan_text import where_line
from stemctl.util.plural import counted


@command(
    examples=(
        ("stemctl resolve session/rat12_2024-03-12", "shows the conflict, and asks"),
        ("stemctl resolve 'session/*' --keep files", "keeps your values in all sessions"),
    ),
)
@click.argument("targets", metavar="ADDRESS...", nargs=-1, required=True)
@option(
    "--keep",
    type=OneOf(["files", "server"]),
    help="Keep your values, or the server's; asked at a terminal, else files.",
)
@click.pass_obj
def resolve(screen: Screen, targets: tuple[str, ...], keep: str | None) -> int:
    """Resolve conflicts: choose your values or the server's.

    --keep files makes your values an ordinary edit: the next apply overwrites the server's.
    --keep server changes nothing there, and prints what your files should have; pull --theirs
    writes it.
    """
    workspace = screen.open()
    targets = screen.below_root(targets)
    if keep is None and sys.stdin.isatty() and not screen.mute:
        conflicts = find_conflicts(workspace, targets)
        if conflicts.changes:
            screen.ask(conflicts_text(conflicts.changes, screen.style(workspace.catalog)))
            keep = ask_which_to_keep()
            if keep is None:
                screen.note("Nothing was changed.")
                return 1
    if keep == "server":
        return _finish(screen, workspace, find_conflicts(workspace, targets), keep)
    return _finish(screen, workspace, keep_files(workspace, targets), "files")


def _finish(screen: Screen, workspace: Workspace, conflicts: Conflicts, keep: str) -> int:
    changes = conflicts.changes
    if changes and keep == "files":
        screen.did = (  # before the output, which may fail
            f"Resolved {counted(len(changes), 'conflict')}: your values are kept. The next "
            "apply overwrites the server's. Nothing was sent."
        )
    if changes:
        addresses = shlex.join(str(change.address) for change in changes)
        again, pull = f"stemctl plan {addresses}", f"stemctl pull --theirs {addresses}"
        screen.out(where_line(workspace.target, workspace.database))
        if keep == "server":
            screen.out(kept_server_text(changes, screen.style(workspace.catalog)))
            screen.suggest(
                (pull, "writes the server's values, also where you edited others"),
                (again, "shows no conflict, once your files have them"),
            )
        else:
            screen.sentences(screen.did)
            screen.suggest(
                (again, "shows what your files overwrite on the server"),
                (pull, "takes the server's values instead"),
            )
    if conflicts.problem is not None:
        raise conflicts.problem
    return 0
