"""The one door to git: as its user has configured it, and deaf to what a checkout would have it
run.

A checkout may be somebody else's pull request. What is in `.git` and in the user's own
configuration is the user's: remotes, ssh commands, credential helpers. All else is set here. No
other module starts a program.
"""

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
from stemctl.git import dot_git
from stemctl.git.errors import in_disguise, unanswered
from stemctl.util.redact import without_tokens

PATIENCE = 60.0
"""Seconds after which a git that is not done is ended; a lease outlives it."""

_GRACE = 2.0
"""Seconds that a git which is ended has to take its lock files away, here and on a remote that is a
folder.
"""

_KEPT = (
    *(
        "GIT_SSH",
        "GIT_SSL_",
        "GIT_HTTP_",
        "GIT_PROXY_",
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_TERMINAL_PROMPT",
    ),
    *("GIT_TRACE", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"),
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    # What callers configure by these is how some CI services hand out their credentials.
    # The last one holds what `git -c` was given, by whoever runs stemctl from an alias or a hook.
    *("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_CONFIG_PARAMETERS"),
)
"""What stays of git's own variables: how to reach a remote. Others point a git at the repository of
a hook.
"""

_ALLOWED = "GIT_ALLOW_PROTOCOL"
"""It outweighs every setting of protocols, so ext has to be taken out of it too."""

_SETTINGS = {
    "safe.bareRepository": "explicit",  # a bare repository can be committed, and its config names commands
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "protocol.ext.allow": "never",  # its addresses are commands
    "submodule.recurse": "false",  # .gitmodules comes with the checkout
    "fetch.recurseSubmodules": "false",
}
"""What holds for every call, whatever is configured elsewhere."""

_DOOR = (
    "--no-pager",
    *(word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")),
)

_NO_REPOSITORY = "not a git repository (or any"
"""Git's words for a folder that is in none. With a path behind it they mean a repository that is
damaged.
"""


class GitFailure(Exception):
    """Git ended with an error; `said` is what it printed, `code` its exit code (None: it was ended
    by us).
    """

    def __init__(self, said: str, code: int | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.code = code


class TooLate(GitFailure):
    """It was not done in time, and was ended."""


class NoRepository(GitFailure):
    """The folder is in no git repository. Every other failure means that git cannot tell."""


class NoGit(StateError):
    """There is no git on this machine."""


@dataclass(frozen=True, slots=True)
class Git:
    """A git to call: `arguments` stand before every command. `cwd` is where relative paths of
    remotes begin.
    """

    arguments: tuple[str, ...]
    cwd: Path
    environ: Mapping[str, str]

    def run(
        self, *words: str, given: bytes = b"", alone: bool = False, patience: float | None = None
    ) -> bytes:
        """What a command prints. `alone`: no Ctrl-C of the terminal reaches it, and it can ask
        nothing there.

        Raises:
            GitFailure: it ended with an error, or did not end in time. NoRepository: there is none
            to ask.
            StateError: it cannot be started, or only in a folder that a checkout made for it.
            NoGit: there is no git.
        """
        patience = PATIENCE if patience is None else patience
        apart = alone or not at_a_terminal()
        self._refuse_a_disguise()
        try:
            process = subprocess.Popen(
                ["git", *_DOOR, *self.arguments, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.cwd,
                env=dict(self.environ),
                start_new_session=apart,
            )
        except FileNotFoundError as error:
            raise NoGit(
                "There is no git on this machine.", "The state of this server is kept in git."
            ) from error
        except OSError as error:
            raise StateError(
                "git cannot be started.", f"{error.strerror or error}. Nothing was sent."
            ) from error
        with process:
            try:
                out, said = process.communicate(given, patience)
            except BaseException as error:
                _end(process, apart)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise TooLate(f"no answer within {patience:.0f} s") from error
                raise
        if process.returncode != 0:
            raise self._failure((out + said).decode(errors="replace").strip(), process.returncode)
        return out

    def text(self, *words: str) -> str:
        """What a command prints, as text without its last line end; a path that is not UTF-8 still
        leads there.
        """
        return self.run(*words).decode(errors="surrogateescape").rstrip("\n")

    def says(self, *words: str, given: bytes = b"") -> bytes | None:
        """What a question is answered with; None where the answer is no, which git tells by the
        exit code 1.

        Raises:
            GitFailure: it cannot answer, which is not a no.
        """
        try:
            return self.run(*words, given=given)
        except GitFailure as error:
            if error.code == 1:
                return None
            raise

    def answer(self, *words: str, given: bytes = b"") -> bytes | None:
        """The same, where no answer ends the command.

        Raises:
            NoRepository: there is none to ask.
            StateError: git cannot answer.
        """
        try:
            return self.says(*words, given=given)
        except NoRepository:
            raise
        except GitFailure as error:
            raise unanswered(error.said, self.cwd) from error

    def _refuse_a_disguise(self) -> None:
        if not any(word.startswith("--git-dir=") for word in self.arguments):
            bare = dot_git.bare_repository(self.cwd, self.environ)
            if bare is not None:
                raise in_disguise(bare)

    def _failure(self, said: str, code: int) -> GitFailure:
        if _NO_REPOSITORY not in said:
            return GitFailure(said, code)
        unusable = dot_git.unusable(self.cwd, self.environ)
        if unusable is None:
            return NoRepository(said, code)
        return GitFailure(f"{said}\n{unusable} is there, but is damaged or may not be read.", code)


def at_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a git of ours: no token, messages in English, nothing asked where nobody
    answers.
    """
    kept = {
        k: v
        for k, v in without_tokens(environ).items()
        if not k.startswith("GIT_") or k.startswith(_KEPT)
    }
    if _ALLOWED in kept:
        kept[_ALLOWED] = ":".join(name for name in kept[_ALLOWED].split(":") if name != "ext")
    prompt = {} if at_a_terminal() else {"GIT_TERMINAL_PROMPT": "0"}
    never = {"GIT_PAGER": "cat", "GIT_EDITOR": ":", "GIT_OPTIONAL_LOCKS": "0"}
    return {**kept, **prompt, **never, "LC_ALL": "C", "LANGUAGE": "C"}


def user_git(root: Path, environ: Mapping[str, str] | None = None) -> Git:
    """The git of the repository that a folder is in. It is only read."""
    return Git((), root, clean(os.environ if environ is None else environ))


def _end(process: subprocess.Popen[bytes], apart: bool) -> None:
    """End a git, and with it those that it has started: a push must not arrive after we have given
    it up.
    """
    for number in (signal.SIGTERM, signal.SIGKILL if os.name == "posix" else signal.SIGTERM):
        with contextlib.suppress(OSError):
            if apart and os.name == "posix":
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
