"""login, logout, doctor: the token, and what it may do."""

from __future__ import annotations

import click

from stemctl.cli.options import output
from stemctl.cli.running import finish
from stemctl.cli.screen import Screen
from stemctl.errors import ConfigError


@click.command()
@click.option(
    "--headless", is_flag=True, help="Open no browser here; print the address and the code."
)
@click.pass_obj
def login(screen: Screen, headless: bool) -> int:
    """Get a token for a server, in your browser."""
    from stemctl.cli.browser import show
    from stemctl.client import device_login, tokens
    from stemctl.commands import connection
    from stemctl.util.safe_text import visible

    workspace = screen.open()
    if workspace.server.is_sandbox:
        raise ConfigError(
            "The sandbox in this process needs no login.",
            "It acts as its user; BRAINSTEM_TOKEN=sandbox-admin, sandbox-user or sandbox-reader chooses another.",
        )

    async def run() -> str:
        async with connection.connect(workspace) as link:
            pending = await device_login.begin_login(link.http, link.base)
            if headless or not show(pending.complete_uri):
                screen.ask(f"Open  {pending.uri}\nCode  {visible(pending.user_code)}")
            else:
                screen.ask(
                    f"Your browser shows {pending.uri}; the code there is {visible(pending.user_code)}."
                )
            screen.ask("Waiting until you have agreed there. Ctrl-C gives up.")
            return await device_login.finish_login(link.http, link.base, pending)

    path = tokens.save_token(workspace.server.host, finish(run()))
    screen.did = (
        f"Logged in to {workspace.server.host}. The token is in {path}, for you alone to read."
    )
    screen.out(screen.did)
    screen.note("\n".join(screen.style().next([("stemctl doctor", "what you may see there")])))
    return 0


@click.command()
@click.pass_obj
def logout(screen: Screen) -> int:
    """Forget the token of a server."""
    from stemctl.client import tokens

    server = screen.open().server
    host = server.host or server.name
    path = tokens.delete_token(host)
    screen.did = f"Removed {path}." if path else ""
    screen.out(screen.did or f"There is no token of stemctl's for {host}.")
    if path:
        screen.note("It stays valid until you revoke it in BrainSTEM, under your account's tokens.")
    return 0


@click.command()
@output("text", "json")
@click.pass_obj
def doctor(screen: Screen, form: str) -> int:
    """Look at the server, the token and your rights."""
    from stemctl.client import diagnose
    from stemctl.client.diagnose import Check
    from stemctl.commands import connection
    from stemctl.render.text.plan_text import where_line

    workspace = screen.open()
    checks = diagnose.check_setup(workspace.server, workspace.environ)

    async def run() -> list[Check]:
        async with connection.connect(workspace) as link:
            return await diagnose.check_models(link.reader())

    checks += finish(run())
    if form == "json":
        screen.document(
            {"checks": [{"what": c.what, "good": c.good, "says": c.says} for c in checks]}
        )
    else:
        marks = {True: "ok", False: "no", None: "note"}
        screen.out(where_line(workspace.target, workspace.database))
        screen.out(
            "\n".join(
                screen.style().columns([(marks[c.good], c.what, c.says) for c in checks], indent=2)
            )
        )
        screen.note("Whether you may write is shown by BrainSTEM at the first write alone.")
    return 0 if all(check.good is not False for check in checks) else 1
