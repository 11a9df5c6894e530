"""Where tokens are found and kept, and which hosts they may go to."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from stemctl.config.config import OFFICIAL_HOST, Server
from stemctl.errors import ConfigError
from stemctl.util.redact import SANDBOX_PREFIX, VARIABLES, remember

HOSTS_VARIABLE = "STEMCTL_TOKEN_HOSTS"
_SANDBOX_USER = "sandbox-user"
_SENDABLE = re.compile(r"[ -~]+")
"""What a header carries as it is."""


class Token:
    """The one secret. It has no repr, and is written into one header and one file only."""

    __slots__ = ("_text", "source")

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self.source = source

    def __repr__(self) -> str:
        return f"Token(from {self.source})"

    def header(self) -> dict[str, str]:
        """The header that carries it."""
        return {"Authorization": f"Bearer {self._text}"}

    def reveal(self) -> str:
        """The text, for the token file."""
        return self._text


def token_file(host: str) -> Path:
    """stemctl's own token file for a host (with its port, if the URL names one)."""
    safe = "".join(c if c.isalnum() or c in ".-" else "_" for c in host)
    return (
        Path(platformdirs.user_config_dir("stemctl"))
        / "tokens"
        / (safe if safe.strip(".") else "_")
    )


def find_token(
    server: Server, environ: Mapping[str, str], home: Path | None = None
) -> Token | None:
    """The token for a server: from the environment, stemctl's own file, then the official client's
    file.

    Tokens of the environment go to www.brainstem.org, to this machine and to the hosts in
    STEMCTL_TOKEN_HOSTS: whoever edits a URL in a pull request must not be sent them. The sandbox
    takes its own tokens and no other.

    Raises:
        ConfigError: it is not the text of a token.
    """
    if server.is_sandbox:
        text = next(
            (environ[v] for v in VARIABLES if environ.get(v, "").startswith(SANDBOX_PREFIX)),
            _SANDBOX_USER,
        )
        return _sound(text, "the sandbox")
    if may_send_to(server, environ):
        for variable in VARIABLES:
            if environ.get(variable):
                return _secret(environ[variable].strip(), variable)
    paths = [token_file(server.host)]
    if server.host == OFFICIAL_HOST:
        paths.append((home or Path.home()) / ".config" / "brainstem" / "token")
    for path in paths:
        if path.is_file() and (text := path.read_text(encoding="utf-8", errors="replace").strip()):
            return _secret(text, str(path))
    return None


def _secret(text: str, source: str) -> Token:
    """A token that no output names from now on.

    Raises:
        ConfigError: it has characters that no token has; a fault of the connection would quote
        them.
    """
    remember(text)
    return _sound(text, source)


def _sound(text: str, source: str) -> Token:
    if not _SENDABLE.fullmatch(text):
        raise ConfigError(
            f"The token from {source} is no token.",
            "It has line ends or other characters in it that no token has. Nothing was sent.",
        )
    return Token(text, source)


def may_send_to(server: Server, environ: Mapping[str, str]) -> bool:
    """Whether a token out of the environment may go to this server."""
    hosts = {host.strip().lower() for host in environ.get(HOSTS_VARIABLE, "").split(",")}
    return server.is_loopback or server.host == OFFICIAL_HOST or server.host in hosts - {""}


def withheld_variable(server: Server, environ: Mapping[str, str]) -> str | None:
    """The variable whose token exists and was not sent, because of the host."""
    if server.is_sandbox or may_send_to(server, environ):
        return None
    return next((variable for variable in VARIABLES if environ.get(variable)), None)


def save_token(host: str, text: str) -> Path:
    """Write a token to stemctl's file for a host, readable by its owner alone from the first byte."""
    path = token_file(host)
    for folder in (
        path.parent.parent,
        path.parent,
    ):  # mkdir gives its mode to the last of several folders alone
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text + "\n")
    fresh.replace(path)
    return path


def readable_by_others(path: Path) -> bool:
    """Whether other users of this machine can read a token file (which Windows keeps among its
    user's own).
    """
    return os.name == "posix" and path.is_file() and bool(path.stat().st_mode & 0o077)


def delete_token(host: str) -> Path | None:
    """Remove stemctl's token file of a host; the path if there was one."""
    path = token_file(host)
    if not path.is_file():
        return None
    path.unlink()
    return path
