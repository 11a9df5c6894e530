"""Where tokens are found and saved, and which hosts may receive them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from stemctl.config.config import OFFICIAL_HOST, Server
from stemctl.errors import ConfigError, Untouched
from stemctl.util.late_pattern import late_pattern
from stemctl.util.redact import SANDBOX_PREFIX, VARIABLES, remember
from stemctl.util.user_folder import in_home

HOSTS_VARIABLE = "STEMCTL_TOKEN_HOSTS"
_SANDBOX_USER = "sandbox-user"
_SENDABLE = late_pattern(r"[ -~]+")
"""Characters that a header can carry unchanged."""


class Token:
    """The only secret. Its repr hides it, and it is written only to one header and one file."""

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


def token_file(host: str) -> Path | None:
    """stemctl's own token file for a host, with its port if the URL has one.

    None for a user without a home.
    """
    folder = in_home(lambda: platformdirs.user_config_dir("stemctl"))
    if folder is None:
        return None
    name = "".join(c if c.isalnum() or c in ".-" else "_" for c in host)
    if not name.strip("."):
        name = "_"
    return folder / "tokens" / name


def _official_file(home: Path | None) -> Path | None:
    """The token file of the official client."""
    try:
        return (home or Path.home()) / ".config" / "brainstem" / "token"
    except RuntimeError:
        return None


def find_token(
    server: Server, environ: Mapping[str, str], home: Path | None = None
) -> Token | None:
    """The token for a server: from the environment, stemctl's file, or the official client's file.

    A token of the environment is sent only to www.brainstem.org, to this machine and to the hosts
    in STEMCTL_TOKEN_HOSTS: a URL that was edited in a pull request must not receive it. The sandbox
    accepts only its own tokens.

    Raises:
        ConfigError: the text is not a token.
    """
    if server.is_sandbox:
        values = [environ.get(variable, "") for variable in VARIABLES]
        own = (text for text in values if text.startswith(SANDBOX_PREFIX))
        return _checked(next(own, _SANDBOX_USER), "the sandbox")
    if may_send_to(server, environ):
        for variable in VARIABLES:
            if environ.get(variable):
                return _secret(environ[variable].strip(), variable)
    paths = [token_file(server.host)]
    if server.host == OFFICIAL_HOST:
        paths.append(_official_file(home))
    for path in paths:
        if (
            path
            and path.is_file()
            and (text := path.read_text(encoding="utf-8", errors="replace").strip())
        ):
            return _secret(text, str(path))
    return None


def _secret(text: str, source: str) -> Token:
    """A token, masked in all output from now on.

    Raises:
        ConfigError: it has invalid characters, which an error of the connection would show.
    """
    remember(text)
    return _checked(text, source)


def _checked(text: str, source: str) -> Token:
    if not _SENDABLE.fullmatch(text):
        raise ConfigError(
            f"The token from {source} is not valid.",
            "It contains line ends or other characters that a token cannot have.",
            untouched=Untouched.NOTHING_SENT,
        )
    return Token(text, source)


def may_send_to(server: Server, environ: Mapping[str, str]) -> bool:
    """Whether a token of the environment may be sent to this server."""
    hosts = {host.strip().lower() for host in environ.get(HOSTS_VARIABLE, "").split(",")}
    return server.is_loopback or server.host == OFFICIAL_HOST or server.host in hosts - {""}


def withheld_variable(server: Server, environ: Mapping[str, str]) -> str | None:
    """The variable whose token is not sent because of the host; None if there is none."""
    if server.is_sandbox or may_send_to(server, environ):
        return None
    return next((variable for variable in VARIABLES if environ.get(variable)), None)


def place_to_save(host: str) -> Path:
    """The token file of a host that is about to be written.

    Raises:
        ConfigError: this user has no home.
    """
    path = token_file(host)
    if path is None:
        raise ConfigError(
            "This user has no home folder, so a token cannot be saved.",
            "Set HOME or XDG_CONFIG_HOME to a folder, or put a token into BRAINSTEM_TOKEN.",
            untouched=Untouched.NOTHING_SENT,
        )
    return path


def save_token(host: str, text: str) -> Path:
    """Write a token to stemctl's file for a host, readable only by its owner from the start."""
    path = place_to_save(host)
    # With several folders, mkdir gives its mode only to the last one.
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    fresh.replace(path)
    return path


def readable_by_others(path: Path) -> bool:
    """Whether other users of this machine can read a token file. Windows protects the folder."""
    return os.name == "posix" and path.is_file() and bool(path.stat().st_mode & 0o077)


def delete_token(host: str) -> Path | None:
    """Delete stemctl's token file of a host, and return its path if there was one."""
    path = token_file(host)
    if path is None or not path.is_file():
        return None
    path.unlink()
    return path
