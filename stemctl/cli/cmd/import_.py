"""import: bind an address to a record on the server."""

from __future__ import annotations

import shlex

import click

from stemctl.cli.command import command
from stemctl.cli.screen import Screen
from stemctl.commands.import_ import import_record
from stemctl.util.safe_text import visible


@command(
    "import",
    examples=(
        (
            "stemctl import session/rat12 1d5c2f9e-0b6a-4c39-9a3e-7f10c2a4b8d1",
            "binds a session by its id",
        ),
    ),
)
@click.argument("target", metavar="ADDRESS")
@click.argument("id_", metavar="ID")
@click.pass_obj
def import_(screen: Screen, target: str, id_: str) -> int:
    """Bind an address to an existing record on the server.

    The next plan shows how the record differs from your files.
    """
    imported = import_record(screen.open(), target, id_)
    bound = f"{imported.address} is bound to {imported.id}"
    screen.did = f"{bound}."
    name = "" if imported.name is None else f', "{visible(imported.name)}"'
    screen.sentences(f"{bound}{name}. Nothing was sent.")
    plan = f"stemctl plan {shlex.quote(str(imported.address))}"
    screen.suggest((plan, "shows what differs"))
    return 0
