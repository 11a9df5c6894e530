"""Which files git ignores: by the rules of the repository that a folder is in, and of those nested
in that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stemctl.git.errors import unanswered
from stemctl.git.process import GitFailure, NoGit, NoRepository, user_git

_SUBMODULE = "160000"
_ASK_OTHERWISE = ("is in submodule", "is beyond a symbolic link")
"""What git says of paths whose answer it has under another name, or in another repository."""


def not_ignored(root: Path, paths: Sequence[str]) -> list[str]:
    """`paths` without those that git ignores; all of them where there is no git or no repository.

    Raises:
        StateError: git cannot tell.
    """
    ignored = _ignored(root, paths)
    return [path for path in paths if path not in ignored]


def _ignored(root: Path, paths: Sequence[str]) -> set[str]:
    found = _ignored_here(root, paths)
    for folder, inner in _nested(root, (path for path in paths if path not in found)).items():
        found |= {f"{folder}/{path}" for path in _ignored(root / folder, inner)}
    return found


def _nested(root: Path, paths: Iterable[str]) -> Mapping[str, list[str]]:
    """The repositories that are the next ones below `root`, each with those of the paths that are
    in it.
    """
    repository: dict[str, str] = {"": ""}

    def of(folder: str) -> str:
        if folder not in repository:
            above = of(folder.rpartition("/")[0])
            itself = folder if os.path.lexists(root / folder / ".git") else ""
            repository[folder] = above or itself
        return repository[folder]

    found: dict[str, list[str]] = {}
    for path in paths:
        if folder := of(path.rpartition("/")[0]):
            found.setdefault(folder, []).append(path[len(folder) + 1 :])
    return found


def _ignored_here(root: Path, paths: Sequence[str]) -> set[str]:
    """Those that the rules of this repository ignore."""
    try:
        return _check(root, paths)
    except (NoRepository, NoGit):
        return set()
    except GitFailure as error:
        if not any(words in error.output for words in _ASK_OTHERWISE):
            raise unanswered(error.output, root) from error
    try:
        named = _as_git_names_them(root, paths)
        ignored = _check(root, list(named))
    except GitFailure as error:
        raise unanswered(error.output, root) from error
    return {path for name in ignored for path in named[name]}


def _check(root: Path, paths: Sequence[str]) -> set[str]:
    if not paths:
        return set()
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    answer = user_git(root).query("check-ignore", "--stdin", "-z", stdin=asked)
    return {os.fsdecode(path) for path in (answer or b"").split(b"\0")[:-1]}


def _as_git_names_them(root: Path, paths: Sequence[str]) -> Mapping[str, list[str]]:
    """What git can be asked about: paths without links in them, outside of submodules; to the paths
    as they came.
    """
    listed = user_git(root).run("ls-files", "--stage", "-z").split(b"\0")
    modules = {
        os.fsdecode(row.partition(b"\t")[2])
        for row in listed
        if row.startswith(_SUBMODULE.encode())
    }
    real_root, folders = os.path.realpath(root), dict[str, str]()
    named: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = os.path.relpath(os.path.realpath(root / folder), real_root).replace(
                os.sep, "/"
            )
        real = name if folders[folder] == "." else f"{folders[folder]}/{name}"
        above = real.split("/")[:-1]
        if not any("/".join(above[:depth]) in modules for depth in range(1, len(above) + 1)):
            named.setdefault(real, []).append(path)
    return named
