"""Which files git ignores, by the rules of a repository and of those nested in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

from stemctl.git import errors
from stemctl.git.process import GitFailure, NoGit, NoRepository, user_git

_SUBMODULE = "160000"
_ASK_DIFFERENTLY = ("is in submodule", "is beyond a symbolic link")
"""Errors of git for paths that it knows by another name, or in another repository."""


def not_ignored(root: Path, paths: Sequence[str], tracked: Set[str] = frozenset()) -> list[str]:
    """`paths` without those that git ignores; all of them without git or a repository.

    Git ignores no file that it tracks, so it is not asked about `tracked` ones.

    Raises:
        StateError: git fails.
    """
    ignored = _ignored(root, [path for path in paths if path not in tracked])
    return [path for path in paths if path not in ignored]


def _ignored(root: Path, paths: Sequence[str]) -> set[str]:
    found = _ignored_here(root, paths)
    for folder, inner in _nested(root, (path for path in paths if path not in found)).items():
        found |= {f"{folder}/{path}" for path in _ignored(root / folder, inner)}
    return found


def _nested(root: Path, paths: Iterable[str]) -> Mapping[str, list[str]]:
    """The nearest repositories below `root`, each with the paths that are in it."""
    repository: dict[str, str] = {"": ""}

    def repository_of(folder: str) -> str:
        if folder not in repository:
            above = repository_of(folder.rpartition("/")[0])
            itself = folder if os.path.lexists(root / folder / ".git") else ""
            repository[folder] = above or itself
        return repository[folder]

    found: dict[str, list[str]] = {}
    for path in paths:
        if folder := repository_of(path.rpartition("/")[0]):
            found.setdefault(folder, []).append(path[len(folder) + 1 :])
    return found


def _ignored_here(root: Path, paths: Sequence[str]) -> set[str]:
    """The paths that the rules of this repository ignore."""
    try:
        return _check(root, paths)
    except (NoRepository, NoGit):
        return set()
    except GitFailure as error:
        if not any(words in error.output for words in _ASK_DIFFERENTLY):
            raise errors.unanswered(error.output, root) from error
    try:
        named = _as_git_names_them(root, paths)
        ignored = _check(root, list(named))
    except GitFailure as error:
        raise errors.unanswered(error.output, root) from error
    return {path for name in ignored for path in named[name]}


def _check(root: Path, paths: Sequence[str]) -> set[str]:
    if not paths:
        return set()
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    answer = user_git(root).query("check-ignore", "--stdin", "-z", stdin=asked)
    return {os.fsdecode(path) for path in (answer or b"").split(b"\0")[:-1]}


def _as_git_names_them(root: Path, paths: Sequence[str]) -> Mapping[str, list[str]]:
    """Real paths, outside of submodules, to the paths as given: git accepts no others."""
    listed = user_git(root).run("ls-files", "--stage", "-z").split(b"\0")
    modules = {
        os.fsdecode(row.partition(b"\t")[2])
        for row in listed
        if row.startswith(_SUBMODULE.encode())
    }
    real_root = os.path.realpath(root)
    folders: dict[str, str] = {}
    named: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            relative = os.path.relpath(os.path.realpath(root / folder), real_root)
            folders[folder] = relative.replace(os.sep, "/")
        real = name if folders[folder] == "." else f"{folders[folder]}/{name}"
        if not _is_in_one_of(modules, real):
            named.setdefault(real, []).append(path)
    return named


def _is_in_one_of(folders: Set[str], path: str) -> bool:
    parts = path.split("/")
    return any("/".join(parts[:depth]) in folders for depth in range(1, len(parts)))
