"""logout: remove the saved token of a server."""

from __future__ import annotations

import click

from stemctl.cli.command import command
from stemctl.cli.screen import Screen
from stemctl.client.tokens import delete_token


@command(
    examples=(("stemctl logout --server brainstem", "removes the token of one server"),),
)
@click.pass_obj
def logout(screen: Screen) -> int:
    """Remove the saved token of a server.

    The token stays valid until you revoke it in your BrainSTEM account.
    """
    server = screen.open().server
    host = server.host or server.name
    path = delete_token(host)
    if path is None:
        screen.out(f"No saved token for {host}.")
        return 0
    screen.did = f"Removed {path}."
    screen.out(screen.did)
    screen.note("The token stays valid until you revoke it in your BrainSTEM account.")
    return 0
