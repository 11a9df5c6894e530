"""sandbox: run and manage a local BrainSTEM server."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from stemctl.cli.command import group, option
from stemctl.cli.screen import Screen
from stemctl.commands import sandbox as use_cases
from stemctl.commands.connection import open_sandbox
from stemctl.commands.profile_file import load_profile
from stemctl.commands.sandbox import sandbox_workspace
from stemctl.util.plural import counted


@group()
def sandbox() -> None:
    """Run a local BrainSTEM server for testing.

    The server "sandbox" is built into stemctl and always available. Its database is
    .stemctl/sandbox.db, beside stemctl.yaml.
    """


@sandbox.command(
    examples=(
        ("stemctl sandbox serve", "serves it at http://127.0.0.1:8000"),
        (
            "stemctl sandbox serve --port 0 --faults faults.yaml",
            "simulates failures, at a free port",
        ),
    ),
)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Listen on this port; 0 chooses a free one.",
)
@option(
    "--faults",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Simulate the faults in a file; see docs/faults.md.",
)
@option(
    "--profile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Answer like the server of a profile that `stemctl doctor --profile` wrote.",
)
@click.pass_obj
def serve(screen: Screen, port: int, faults: Path | None, profile: Path | None) -> int:
    """Serve the sandbox to other programs on 127.0.0.1."""
    # Only this command needs the web server.
    from stemctl.sandbox.faults.kinds import KEYS
    from stemctl.sandbox.faults.script import read_script
    from stemctl.sandbox.likeness import Likeness
    from stemctl.sandbox.serve import serve as serve_app
    from stemctl.sandbox.serving import serving
    from stemctl.sandbox.users import USERS

    workspace = sandbox_workspace(screen.root, screen.server)
    script = screen.start / faults if faults else None
    if script:
        read_script(script, KEYS)  # report errors in it here rather than to a client
    likeness = None
    if profile:
        found = load_profile(screen.start / profile, str(profile))
        likeness = Likeness(found, workspace.catalog)

    def print_address(url: str) -> None:
        token = next(iter(USERS))
        screen.out(
            f"The sandbox is running at {url}\n"
            f"Tokens: {', '.join(USERS)}. Press Ctrl-C to stop it.\n"
            "Official client: from brainstem_api_tools import BrainstemClient; "
            f'client = BrainstemClient(token="{token}", url="{url}")'
        )

    with (
        serving(workspace.store.local.make()),
        contextlib.closing(open_sandbox(workspace)) as database,
    ):
        serve_app(database, port, print_address, script, likeness)
    return 0


@sandbox.command(
    examples=(("stemctl sandbox reset", "starts over"),),
)
@click.pass_obj
def reset(screen: Screen) -> int:
    """Delete the sandbox and its state."""
    removed: list[str] = []

    def note_removed(path: Path) -> None:
        removed.append(path.name)
        screen.did = f"removed {', '.join(removed)}."

    use_cases.reset(sandbox_workspace(screen.root, screen.server), note_removed)
    if removed:
        screen.out("The sandbox was deleted. The next command creates a new one.")
    else:
        screen.out("There was no sandbox to delete.")
    return 0


@sandbox.command(
    examples=(
        ("stemctl sandbox seed", "adds what your files refer to"),
        ("stemctl sandbox seed sandbox-seed.yaml", "adds the records of a file"),
    ),
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def seed(screen: Screen, file: Path | None) -> int:
    """Add records to the sandbox.

    Adds the records of FILE, or those that your manifests refer to but do not declare.
    """
    workspace = sandbox_workspace(screen.root, screen.server)
    added = use_cases.seed(workspace, screen.start / file if file else None)
    text = f"Added {counted(added, 'record')} to the sandbox."
    screen.did = text if added else ""
    screen.out(text)
    return 0
