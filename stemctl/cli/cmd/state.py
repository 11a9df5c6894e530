"""state: inspect and edit what stemctl remembers of a server."""

from __future__ import annotations

import click

from stemctl.cli.command import group, option
from stemctl.cli.options import OneOf, output
from stemctl.cli.screen import Screen
from stemctl.commands import migrate as migration
from stemctl.commands.state import find_entry, forget, rename
from stemctl.commands.targets import in_state
from stemctl.core.state import Entry
from stemctl.core.state_wire import row
from stemctl.util.plural import counted


@group()
def state() -> None:
    """Inspect and edit the state.

    The state is what stemctl remembers about the records on a server. These commands send nothing.
    """


@state.command(
    "list",
    examples=(
        ("stemctl state list", "lists all records with their ids"),
        ("stemctl state list 'session/rat12_*'", "lists some of them"),
    ),
)
@click.argument("targets", metavar="[ADDRESS]...", nargs=-1)
@output("text", "json")
@click.pass_obj
def list_(screen: Screen, targets: tuple[str, ...], output_format: str) -> int:
    """List the addresses and ids in the state, or those that match an ADDRESS."""
    workspace = screen.open()
    screen.announce(workspace)
    known = workspace.store.read()
    entries = sorted(known.records.items())
    if targets:
        chosen = {address for each in targets for address in in_state(workspace, known, each)}
        entries = [(address, entry) for address, entry in entries if address in chosen]
    if output_format == "json":
        screen.document({str(address): entry.id for address, entry in entries})
    else:
        rows = [(str(address), entry.id or _without_id(entry)) for address, entry in entries]
        screen.out("\n".join(screen.style().columns(rows, indent=0)) or "The state is empty.")
    screen.note(f"{workspace.store.where}, serial {known.serial}")
    return 0


def _without_id(entry: Entry) -> str:
    return f"sent at {entry.pending[-1].at}, no answer" if entry.pending else "only proposed"


@state.command(
    examples=(
        ("stemctl state show session/rat12_2024-03-12", "shows what was applied, and the answer"),
    ),
)
@click.argument("target", metavar="ADDRESS")
@click.pass_obj
def show(screen: Screen, target: str) -> int:
    """Show the entry of a record in the state.

    Prints, as JSON, the values that were applied and the server's values at that time.
    """
    address, entry = find_entry(screen.open(), target)
    screen.document({"address": str(address), **row(entry)})
    return 0


@state.command(
    examples=(
        ("stemctl state rm session/rat12_2024-03-12", "forgets a record; the server keeps it"),
    ),
)
@click.argument("targets", metavar="ADDRESS...", nargs=-1, required=True)
@click.pass_obj
def rm(screen: Screen, targets: tuple[str, ...]) -> int:
    """Remove records from the state.

    They are not deleted on the server. If your files still declare them, the next plan re-adopts
    them by name. * and ? in an ADDRESS are wildcards.
    """
    removed, problem = forget(screen.open(), targets)
    if removed:
        _print_done(screen, f"Removed {counted(len(removed), 'record')} from the state.")
    if problem is not None:
        raise problem
    return 0


@state.command(
    examples=(
        (
            "stemctl state mv session/rat12 session/rat12_2024-03-12",
            "gives a record another address",
        ),
    ),
)
@click.argument("old", metavar="ADDRESS")
@click.argument("new", metavar="ADDRESS")
@click.pass_obj
def mv(screen: Screen, old: str, new: str) -> int:
    """Change the address of a record.

    This has the same effect as a moved: entry in a manifest.
    """
    before, after = rename(screen.open(), old, new)
    _print_done(screen, f"Moved {before} to {after}.")
    return 0


@state.command(
    examples=(
        ("stemctl state migrate --to git", "moves it to a branch of the git remote"),
        ("stemctl state migrate --to file", "moves it back"),
    ),
)
@option(
    "--to",
    "backend",
    type=OneOf(["git", "file"]),
    required=True,
    help="Choose where the state is kept from now on.",
)
@click.pass_obj
def migrate(screen: Screen, backend: str) -> int:
    """Move the state between a file and a git branch.

    The branch is on the git remote. Change stemctl.yaml first: add state: {backend: git} to the
    server, or remove it.
    """
    workspace = screen.open()
    moved = migration.migrate(workspace, backend)
    records = counted(len(moved.state.records), "record")
    screen.did = f"The state of {workspace.server.name} ({records}) is now in {moved.to}."
    screen.sentences(screen.did)
    screen.suggest(*moved.hints)
    return 0


def _print_done(screen: Screen, done: str) -> None:
    screen.did = f"{done} Nothing was sent."
    screen.sentences(screen.did)
    screen.suggest(("stemctl plan", "shows what the next apply would change"))
