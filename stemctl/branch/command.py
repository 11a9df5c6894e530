"""Running git: as its user has configured it, without anything that hooks or callers left in the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stemctl.errors import StateError

PATIENCE = 60.0
"""Seconds after which a git that says nothing is ended; a lease outlives it."""

_KEPT = (
    *("GIT_SSH", "GIT_ASKPASS", "GIT_TRACE", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"),
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
)
"""What stays of git's own variables: how to reach a remote. Others point a git at the repository of a hook."""

_SETTINGS = (
    *("http.", "https.", "credential.", "url.", "ssh.", "protocol."),
    *("core.sshcommand", "core.gitproxy", "core.askpass", "user.name", "user.email"),
)
"""What says how a remote is reached, and who we are there."""
_REMOTE = ("url", "pushurl", "proxy", "proxyauthmethod", "uploadpack", "receivepack")


class GitFailure(Exception):
    """Git ended with an error; `said` is what it printed."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True, slots=True)
class Git:
    """A git to call: `arguments` stand before every command. `cwd` is where relative paths of remotes begin."""

    arguments: tuple[str, ...]
    cwd: Path
    environ: Mapping[str, str]

    def run(self, *words: str, given: bytes = b"", alone: bool = False, patience: float = PATIENCE) -> bytes:
        """What a command prints. `alone`: no Ctrl-C of the terminal reaches it, and it can ask nothing there.

        Raises:
            GitFailure: it ended with an error, or did not end in time.
            StateError: there is no git.
        """
        try:
            done = subprocess.run(
                ["git", *self.arguments, *words],
                input=given,
                capture_output=True,
                cwd=self.cwd,
                env=dict(self.environ),
                timeout=patience,
                check=False,
                start_new_session=alone or not sys.stdin.isatty(),
            )
        except FileNotFoundError as error:
            raise StateError("There is no git on this machine.", "The state of this server is kept in git.") from error
        except subprocess.TimeoutExpired as error:
            raise GitFailure(f"no answer within {patience:.0f} s") from error
        if done.returncode != 0:
            raise GitFailure((done.stdout + done.stderr).decode(errors="replace").strip())
        return done.stdout

    def text(self, *words: str) -> str:
        """What a command prints, as text without its last line end."""
        return self.run(*words).decode(errors="replace").rstrip("\n")


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a git of ours: its messages in English, nothing asked where nobody answers."""
    kept = {k: v for k, v in environ.items() if not k.startswith("GIT_") or k.startswith(_KEPT)}
    # What callers configure by GIT_CONFIG_COUNT is how some CI services hand out their credentials.
    kept |= {k: v for k, v in environ.items() if k.startswith(("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY", "GIT_CONFIG_VAL"))}
    prompt = {} if sys.stdin.isatty() else {"GIT_TERMINAL_PROMPT": "0"}
    return {**kept, **prompt, "LC_ALL": "C", "LANGUAGE": "C", "GIT_OPTIONAL_LOCKS": "0"}


def user_git(root: Path, environ: Mapping[str, str] | None = None) -> Git:
    """The git of the repository that a folder is in. It is only read."""
    return Git((), root, clean(os.environ if environ is None else environ))


def transport(settings: bytes, remote: str) -> Iterator[tuple[str, str]]:
    """How the user's repository reaches a remote: key and value, out of `git config --list -z --show-scope`.

    Only what is configured in the repository itself, or for this command; the rest every git finds by itself.
    """
    words = settings.decode(errors="surrogateescape").split("\0")
    for scope, setting in zip(words[::2], words[1::2], strict=False):
        key, _, value = setting.partition("\n")
        name = key.lower()
        of_remote = key.startswith(f"remote.{remote}.") and name.rpartition(".")[2] in _REMOTE
        if scope in ("local", "worktree", "command") and (of_remote or name.startswith(_SETTINGS)):
            yield key, value


def configured(environ: Mapping[str, str], settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The environment with settings for git in it, and nowhere on a disk: a token may be among them."""
    kept = {k: v for k, v in environ.items() if not k.startswith("GIT_CONFIG_")}
    kept |= {k: v for k, v in environ.items() if k in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")}
    pairs: dict[str, str] = {}
    for number, (key, value) in enumerate(settings):
        pairs |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**kept, **pairs, "GIT_CONFIG_COUNT": str(len(settings))}
