"""Running git: as its user has configured it, without anything that hooks or callers left in the environment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stemctl.errors import StateError

PATIENCE = 60.0
"""Seconds after which a git that is not done is ended; a lease outlives it."""

_GRACE = 2.0
"""Seconds that a git which is ended has to take its lock files away, here and on a remote that is a folder."""

_KEPT = (
    *("GIT_SSH", "GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_", "GIT_ALLOW_PROTOCOL", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT"),
    *("GIT_TRACE", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"),
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    # What callers configure by these is how some CI services hand out their credentials.
    *("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"),
)
"""What stays of git's own variables: how to reach a remote. Others point a git at the repository of a hook."""


class GitFailure(Exception):
    """Git ended with an error; `said` is what it printed."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class TooLate(GitFailure):
    """It was not done in time, and was ended."""


@dataclass(frozen=True, slots=True)
class Git:
    """A git to call: `arguments` stand before every command. `cwd` is where relative paths of remotes begin."""

    arguments: tuple[str, ...]
    cwd: Path
    environ: Mapping[str, str]

    def run(self, *words: str, given: bytes = b"", alone: bool = False, patience: float | None = None) -> bytes:
        """What a command prints. `alone`: no Ctrl-C of the terminal reaches it, and it can ask nothing there.

        Raises:
            GitFailure: it ended with an error, or did not end in time.
            StateError: there is no git.
        """
        patience = PATIENCE if patience is None else patience
        apart = alone or not sys.stdin.isatty()
        try:
            process = subprocess.Popen(
                ["git", *self.arguments, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.cwd,
                env=dict(self.environ),
                start_new_session=apart,
            )
        except FileNotFoundError as error:
            raise StateError("There is no git on this machine.", "The state of this server is kept in git.") from error
        with process:
            try:
                out, said = process.communicate(given, patience)
            except BaseException as error:
                _end(process, apart)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise TooLate(f"no answer within {patience:.0f} s") from error
                raise
        if process.returncode != 0:
            raise GitFailure((out + said).decode(errors="replace").strip())
        return out

    def text(self, *words: str) -> str:
        """What a command prints, as text without its last line end; a path that is not UTF-8 still leads there."""
        return self.run(*words).decode(errors="surrogateescape").rstrip("\n")


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a git of ours: its messages in English, nothing asked where nobody answers."""
    kept = {k: v for k, v in environ.items() if not k.startswith("GIT_") or k.startswith(_KEPT)}
    prompt = {} if sys.stdin.isatty() else {"GIT_TERMINAL_PROMPT": "0"}
    return {**kept, **prompt, "LC_ALL": "C", "LANGUAGE": "C", "GIT_OPTIONAL_LOCKS": "0"}


def user_git(root: Path, environ: Mapping[str, str] | None = None) -> Git:
    """The git of the repository that a folder is in. It is only read."""
    return Git((), root, clean(os.environ if environ is None else environ))


def _end(process: subprocess.Popen[bytes], apart: bool) -> None:
    """End a git, and with it those that it has started: a push must not arrive after we have given it up."""
    for number in (signal.SIGTERM, signal.SIGKILL if os.name == "posix" else signal.SIGTERM):
        with contextlib.suppress(OSError):
            if apart and os.name == "posix":
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
