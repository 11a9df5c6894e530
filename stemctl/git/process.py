"""The one way to git: as its user has configured it, and deaf to what a checkout wants it to run.

A checkout may be the pull request of someone else. What is in `.git` and in the user's own
configuration is the user's: remotes, ssh commands, credential helpers. Everything else is set here.
No other module starts git.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from stemctl.errors import StateError, Untouched
from stemctl.git import dot_git, errors
from stemctl.util.redact import without_tokens

PATIENCE = 60.0
"""Seconds after which a git that has not ended is killed; a lease lasts longer."""

_GRACE = 2.0
"""Seconds for a git that is killed to remove its lock files, also on a remote that is a folder."""

_KEPT = (
    "GIT_SSH",
    "GIT_SSL_",
    "GIT_HTTP_",
    "GIT_PROXY_",
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_TERMINAL_PROMPT",
    "GIT_TRACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    # Some CI services hand out their credentials by settings in these variables. The last one
    # holds what `git -c` was given, if stemctl runs in an alias or a hook.
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_",
    "GIT_CONFIG_VALUE_",
    "GIT_CONFIG_PARAMETERS",
)
"""The variables of git that are kept: how to reach a remote. Others, as set in a hook, would point
git at another repository.
"""

_ALLOWED = "GIT_ALLOW_PROTOCOL"
"""It overrides every setting of protocols, so ext has to be removed from it too."""

_SETTINGS = {
    # A bare repository can be committed, and its settings name commands.
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "protocol.ext.allow": "never",  # its addresses are commands
    "submodule.recurse": "false",  # .gitmodules comes with the checkout
    "fetch.recurseSubmodules": "false",
}
"""What applies to every call, whatever is configured elsewhere."""

_ARGUMENTS = (
    "--no-pager",
    *(word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")),
)

_NO_REPOSITORY = "not a git repository (or any"
"""What git prints in a folder that is in no repository. With a path after it, these words mean a
repository that is damaged.
"""


class GitFailure(Exception):
    """Git failed. `output` is all that it printed, `code` its exit code (None: we killed it)."""

    def __init__(self, output: str, code: int | None = None) -> None:
        super().__init__(output)
        self.output = output
        self.code = code


class TooLate(GitFailure):
    """Git did not end in time, and was killed."""


class NoRepository(GitFailure):
    """The folder is in no git repository. Every other failure means that git cannot tell."""


class NoGit(StateError):
    """Git is not installed on this machine."""


class Git(Struct, frozen=True):
    """A git to call: `arguments` come before every command, relative remotes begin at `cwd`."""

    arguments: tuple[str, ...]
    cwd: Path
    environ: Mapping[str, str]

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        detached: bool = False,
        timeout: float | None = None,
    ) -> bytes:
        """What a command prints.

        If `detached`, Ctrl-C in the terminal does not reach it, and it cannot ask anything there.

        Raises:
            GitFailure: it failed, or did not end in time; NoRepository: it has none to ask.
            StateError: it cannot be started, or the folder is a bare repository of the checkout.
            NoGit: git is not installed.
        """
        timeout = PATIENCE if timeout is None else timeout
        own_session = detached or not at_a_terminal()
        self._refuse_bare_checkout()
        process = self._start(args, own_session)
        with process:
            try:
                stdout, stderr = process.communicate(stdin, timeout)
            except BaseException as error:
                _end(process, own_session)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise TooLate(f"no answer within {timeout:.0f} s") from error
                raise
        if process.returncode != 0:
            output = (stdout + stderr).decode(errors="replace").strip()
            raise self._failure(output, process.returncode)
        return stdout

    def text(self, *args: str) -> str:
        """What a command prints, as text without its last newline; paths need not be UTF-8."""
        return self.run(*args).decode(errors="surrogateescape").rstrip("\n")

    def query(self, *args: str, stdin: bytes = b"") -> bytes | None:
        """The answer to a question; None if the answer is no, which is the exit code 1.

        Raises:
            GitFailure: git cannot answer, which is not a no.
        """
        try:
            return self.run(*args, stdin=stdin)
        except GitFailure as error:
            if error.code == 1:
                return None
            raise

    def query_or_stop(self, *args: str, stdin: bytes = b"") -> bytes | None:
        """The same, where a missing answer ends the command.

        Raises:
            NoRepository: there is none to ask.
            StateError: git cannot answer.
        """
        try:
            return self.query(*args, stdin=stdin)
        except NoRepository:
            raise
        except GitFailure as error:
            raise errors.unanswered(error.output, self.cwd) from error

    def has_commit(self, commit: str) -> bool:
        """Whether the repository has a commit."""
        question = ("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
        return self.query(*question) is not None

    def is_ancestor(self, before: str, after: str) -> bool:
        """Whether a commit is in the history of another one, or is that one."""
        return self.query("merge-base", "--is-ancestor", before, after) is not None

    def is_shallow(self) -> bool:
        """Whether the history of the repository is cut off."""
        return self.text("rev-parse", "--is-shallow-repository") == "true"

    def _start(self, args: tuple[str, ...], own_session: bool) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                ["git", *_ARGUMENTS, *self.arguments, *args],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.cwd,
                env=dict(self.environ),
                start_new_session=own_session,
            )
        except FileNotFoundError as error:
            raise NoGit(
                "git is not installed.", "The state of this server is kept in git."
            ) from error
        except OSError as error:
            raise StateError(
                "git cannot be started.",
                f"{error.strerror or error}.",
                untouched=Untouched.NOTHING_SENT,
            ) from error

    def _refuse_bare_checkout(self) -> None:
        if any(word.startswith("--git-dir=") for word in self.arguments):
            return
        bare = dot_git.bare_repository(self.cwd, self.environ)
        if bare is not None:
            raise errors.bare_in_checkout(bare)

    def _failure(self, output: str, code: int) -> GitFailure:
        if _NO_REPOSITORY not in output:
            return GitFailure(output, code)
        unusable = dot_git.unusable(self.cwd, self.environ)
        if unusable is None:
            return NoRepository(output, code)
        return GitFailure(f"{output}\n{unusable} exists, but is damaged or cannot be read.", code)


def at_a_terminal() -> bool:
    """Whether the user can be asked."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for git: no token, messages in English, no question that is not answered."""
    kept = {
        name: value
        for name, value in without_tokens(environ).items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    if _ALLOWED in kept:
        kept[_ALLOWED] = ":".join(name for name in kept[_ALLOWED].split(":") if name != "ext")
    prompt = {} if at_a_terminal() else {"GIT_TERMINAL_PROMPT": "0"}
    never = {"GIT_PAGER": "cat", "GIT_EDITOR": ":", "GIT_OPTIONAL_LOCKS": "0"}
    return {**kept, **prompt, **never, "LC_ALL": "C", "LANGUAGE": "C"}


def user_git(root: Path, environ: Mapping[str, str] | None = None) -> Git:
    """The git of the repository that a folder is in. It is only read."""
    return Git((), root, clean(os.environ if environ is None else environ))


def _end(process: subprocess.Popen[bytes], own_session: bool) -> None:
    """End a git and the programs that it started: a push must not arrive after we gave it up."""
    for number in (signal.SIGTERM, signal.SIGKILL if os.name == "posix" else signal.SIGTERM):
        with contextlib.suppress(OSError):
            if own_session and os.name == "posix":
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
