"""The folder .stemctl: what stemctl keeps for one checkout on this machine.

It must not contain anything that came from elsewhere.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from stemctl.errors import StateError, Untouched
from stemctl.git import errors
from stemctl.git.process import GitFailure, NoGit, NoRepository, user_git

if TYPE_CHECKING:
    from stemctl.config.config import Server

FOLDER = ".stemctl"
"""Sandbox database and its state, journals, run records, locks; holds its own .gitignore."""

_IGNORE = ".gitignore"
_NEVER_READ = ("git", "history")
"""Where earlier versions had repositories of their own."""


class LocalFolder(Struct, frozen=True, dict=True):
    """What is kept of one server on this machine."""

    root: Path
    server: str
    environ: Mapping[str, str]

    def __repr__(self) -> str:
        # Without the environment: a token may be in it.
        return f"LocalFolder(root={self.root!r}, server={self.server!r})"

    @cached_property
    def path(self) -> Path:
        """The folder, checked before anything in it is believed; it may not exist.

        Raises:
            StateError: git tracks a file in it, or a link is in it.
        """
        return _checked(self.root, self.environ)

    def make(self) -> Path:
        """The folder, created with a .gitignore of its own if it does not exist.

        Raises:
            StateError: it holds a link, or something else that is neither file nor folder.
        """
        folder = self.path
        _check_kinds(self.root)
        folder.mkdir(exist_ok=True)
        try:
            with open(folder / _IGNORE, "x", encoding="utf-8") as file:
                file.write("*\n")
        except FileExistsError:
            pass
        return folder

    @property
    def journal(self) -> Path:
        """The journal of the run that is on, or broke off."""
        return self.path / f"{self.server}.journal"

    @property
    def runs(self) -> Path:
        """The folder of the records of past runs."""
        return self.path / "runs" / self.server

    @property
    def lock(self) -> Path:
        """The file that the lock of this machine is on."""
        return self.path / f"{self.server}.lock"

    @property
    def owner(self) -> Path:
        """Who holds the lock."""
        return self.path / f"{self.server}.owner.json"

    def shown(self, path: Path) -> str:
        """A path in this folder, as shown to people."""
        return path.relative_to(self.root).as_posix()


def state_file(root: Path, server: Server) -> tuple[Path, str]:
    """`<server>.state.json`, below .stemctl for a sandbox; and its path for people."""
    name = f"{server.name}.state.json"
    where = f"{FOLDER}/{name}" if server.is_sandbox else name
    return root / where, where


def refuse_link(path: Path, where: str) -> None:
    """Check that a state file is no link: a checkout can bring one along, and the next write would
    replace it.

    Raises:
        StateError: it is one.
    """
    if path.is_symlink():
        raise StateError(
            f"{where} is a link.",
            "It may point to a file that is not your state.",
            [(f"rm {where}", "removes it")],
            Untouched.NOTHING_SENT,
        )


def _checked(root: Path, environ: Mapping[str, str]) -> Path:
    if os.path.lexists(root / FOLDER):
        _check_kinds(root)
        _check_tracked(root, environ)
    return root / FOLDER


def _check_kinds(root: Path) -> None:
    """Refuse links: a write through one lands elsewhere, and what is read through it is foreign."""
    folder = root / FOLDER
    if not os.path.lexists(folder):
        return
    if folder.is_dir() and not folder.is_symlink():
        odd = next(_odd(folder, _NEVER_READ), None)
    else:
        odd = folder
    if odd is None:
        return
    where = odd.relative_to(root).as_posix()
    what = f"{where} is neither a file nor a folder."
    why = "stemctl did not create it."
    if odd == folder:
        what = f"{where} is not a folder."
    if odd.is_symlink():
        what = f"{where} is a link."
        why = "Files that stemctl writes there would end up elsewhere."
    remedy = (f"rm {shlex.quote(where)}", "removes it")
    raise StateError(what, why, [remedy], Untouched.NOTHING_READ)


def _odd(folder: Path, without: tuple[str, ...] = ()) -> Iterator[Path]:
    """Whatever is neither a regular file nor a folder, at any depth."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in without:
                    yield from _odd(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _check_tracked(root: Path, environ: Mapping[str, str]) -> None:
    """Refuse files that were committed: a journal, a run, a lock or a sandbox of someone else."""
    try:
        listed = user_git(root, environ).run("ls-files", "-z", "--", f":(icase){FOLDER}")
    except (NoRepository, NoGit):
        return
    except GitFailure as error:
        raise errors.unanswered(error.output, root) from error
    for path in map(os.fsdecode, listed.split(b"\0")[:-1]):
        name, _, rest = path.partition("/")
        if rest == _IGNORE or not os.path.lexists(root / name):
            continue
        if os.path.samefile(root / name, root / FOLDER):
            raise _tracked(path, shlex.quote(name))


def _tracked(path: str, name: str) -> StateError:
    return StateError(
        f"{path} is tracked by git.",
        f"It may come from another machine, and stemctl trusts the files in {FOLDER}.",
        [
            (f"git rm -r --cached {name}", "if it is yours: stops tracking it, keeps the file"),
            (f"git rm -r {name}", "if it is not: removes it"),
        ],
        Untouched.NOTHING_READ,
    )
