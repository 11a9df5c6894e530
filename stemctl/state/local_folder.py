"""The folder .stemctl: what stemctl keeps for one checkout on this machine. Nothing in it may come
from elsewhere.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from stemctl.errors import StateError
from stemctl.git.errors import unanswered
from stemctl.git.process import GitFailure, NoGit, NoRepository, user_git

FOLDER = ".stemctl"
"""Sandbox database and its state, journals, run records, locks; holds its own .gitignore."""

_IGNORE = ".gitignore"
_NEVER_READ = ("git", "history")
"""Where earlier versions had repositories of their own."""


def make(root: Path) -> Path:
    """The folder, made with a .gitignore of its own if it is not there.

    Raises:
        StateError: a link, or something else that is neither file nor folder, is in it.
    """
    folder = root / FOLDER
    _check_kinds(root)
    folder.mkdir(exist_ok=True)
    try:
        with open(folder / _IGNORE, "x", encoding="utf-8") as file:
            file.write("*\n")
    except FileExistsError:
        pass
    return folder


def check(root: Path, environ: Mapping[str, str]) -> Path:
    """The folder, whether or not it is there, with nothing in it that a checkout could have brought
    along.

    Raises:
        StateError: git tracks a file in it, or a link is in it.
    """
    if os.path.lexists(root / FOLDER):
        _check_kinds(root)
        _check_tracked(root, environ)
    return root / FOLDER


def _check_kinds(root: Path) -> None:
    """What is written below a link lands elsewhere, and what is read through it is not ours."""
    folder = root / FOLDER
    if not os.path.lexists(folder):
        return
    whole = folder.is_dir() and not folder.is_symlink()
    odd = next(_odd(folder, _NEVER_READ), None) if whole else folder
    if odd is None:
        return
    where = odd.relative_to(root).as_posix()
    remedy = [(f"rm {shlex.quote(where)}", "removes it")]
    if odd.is_symlink():
        why = "What is written there would land elsewhere. Nothing was read or sent."
        raise StateError(f"{where} is a link.", why, remedy)
    kind = "no folder" if odd == folder else "neither a file nor a folder"
    raise StateError(
        f"{where} is {kind}.", "stemctl did not make it. Nothing was read or sent.", remedy
    )


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
    """A journal, a run, a lock or a sandbox that was committed tells what somebody else wants to be
    believed.
    """
    try:
        listed = user_git(root, environ).run("ls-files", "-z", "--", f":(icase){FOLDER}")
    except (NoRepository, NoGit):
        return
    except GitFailure as error:
        raise unanswered(error.said, root) from error
    for path in map(os.fsdecode, listed.split(b"\0")[:-1]):
        name, _, rest = path.partition("/")
        if (
            rest != _IGNORE
            and os.path.lexists(root / name)
            and os.path.samefile(root / name, root / FOLDER)
        ):
            raise StateError(
                f"{path} came with the checkout.",
                f"git tracks it, so it may be from another machine, and what is in {FOLDER} is believed."
                " Nothing was read or sent.",
                [
                    (
                        f"git rm -r --cached {shlex.quote(name)}",
                        "if you made it: takes it out of git, not away",
                    ),
                    (f"git rm -r {shlex.quote(name)}", "if you did not: removes it"),
                ],
            )
