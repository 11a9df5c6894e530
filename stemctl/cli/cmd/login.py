"""login: get a token from a server."""

from __future__ import annotations

import sys

import click

from stemctl.cli.browser import open_in_browser
from stemctl.cli.command import command, option
from stemctl.cli.screen import Screen
from stemctl.client.device_login import PendingLogin
from stemctl.commands import login as use_case
from stemctl.commands.event_loop import run_async
from stemctl.commands.workspace import Workspace
from stemctl.errors import ConfigError, Untouched
from stemctl.util.safe_text import visible


@command(
    examples=(
        ("stemctl login --server brainstem", "opens your browser"),
        (
            "stemctl login --headless",
            "prints an address and a code, for a machine without a browser",
        ),
    ),
)
@option(
    "--headless", is_flag=True, help="Print the address and the code instead of opening a browser."
)
@click.pass_obj
def login(screen: Screen, headless: bool) -> int:
    """Log in to a server with your browser.

    The token is saved in a file that only you can read.
    """
    workspace = screen.open()
    screen.did = log_in(screen, workspace, headless=headless)
    screen.out(screen.did)
    default, name = workspace.config.default_server, workspace.server.name
    if default not in (None, name) and name in workspace.config.servers:
        screen.note(
            f"Commands without --server still use {default}. To change this, write "
            f"default_server: {name} in stemctl.yaml."
        )
    screen.suggest(("stemctl doctor", "shows what your account can access"))
    return 0


def log_in(screen: Screen, workspace: Workspace, *, headless: bool = False) -> str:
    """Get a token with the user's consent in a browser; what was done.

    Raises:
        ConfigError: there is no terminal.
    """
    is_attended = headless or sys.stdin.isatty() or sys.stderr.isatty()
    if not is_attended and not workspace.server.is_sandbox:
        raise ConfigError(
            f"A login to {workspace.server.host} needs a terminal.",
            "Without one, set BRAINSTEM_TOKEN.",
            [
                ("stemctl login", "at a terminal, opens your browser"),
                (
                    "stemctl login --headless",
                    "prints an address and a code for a browser elsewhere",
                ),
            ],
            untouched=Untouched.NOTHING_SENT,
        )

    def show(pending: PendingLogin) -> None:
        code = visible(pending.user_code)
        if headless or not open_in_browser(pending.complete_uri):
            screen.ask(f"Open  {pending.uri}\nCode  {code}")
        else:
            screen.ask(f"Your browser opens {pending.uri}. Check that it shows the code {code}.")
        screen.ask("Waiting for you to confirm there. Press Ctrl-C to cancel.")

    path = run_async(use_case.login(workspace, show))
    return f"Logged in to {workspace.server.host}. The token is saved in {path}."
