"""login: get a token from a server with the user's consent in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stemctl.client import device_login, tokens
from stemctl.client.device_login import PendingLogin
from stemctl.commands.connection import connect
from stemctl.commands.workspace import Workspace
from stemctl.errors import ConfigError


async def login(workspace: Workspace, on_pending: Callable[[PendingLogin], None]) -> Path:
    """Get a token and save it; the path of its file. `on_pending` sends the user to the browser.

    Raises:
        ConfigError: the server is a sandbox.
        LoginFailed: the login was refused, or took too long.
    """
    if workspace.server.is_sandbox:
        raise ConfigError(
            "The built-in sandbox needs no login.",
            "It has a built-in user. To use another one, set BRAINSTEM_TOKEN to sandbox-admin, "
            "sandbox-user or sandbox-reader.",
        )
    tokens.place_to_save(workspace.server.host)
    async with connect(workspace) as link:
        pending = await device_login.begin_login(link.http, link.base)
        on_pending(pending)
        token = await device_login.finish_login(link.http, link.base, pending)
    return tokens.save_token(workspace.server.host, token)
