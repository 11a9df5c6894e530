"""Whether what a commit holds is in another one, whatever their histories say: it was squashed,
rebased or picked.

Content decides: a commit is contained where merging it would change nothing in the folder of the
metadata.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from stemctl.errors import ConfigError, StateError
from stemctl.git.mirror import Mirror
from stemctl.git.mirror_cache import CONTENT
from stemctl.git.mirror_opening import open_own
from stemctl.git.process import Git, GitFailure, user_git

_MOST = 50
"""Commits that are looked at: what was merged further back is rather asked for with --allow-behind."""

_TREE = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def is_contained(
    root: Path,
    remote: str,
    applied: str,
    head: str,
    folders: Sequence[str],
    environ: Mapping[str, str],
) -> bool:
    """Whether HEAD has all that `applied` has in these folders; False where that commit cannot be had.

    The user's repository is only read. What it lacks is fetched into one of our own.
    """
    git = user_git(root, environ)
    if any("\n" in folder for folder in folders):
        return False  # git is asked line by line
    try:
        shallow = git.text("rev-parse", "--is-shallow-repository") == "true"
        objects = (root / git.text("rev-parse", "--git-path", "objects")).resolve()
        if _has(git, applied):
            with _scratch(git, objects) as scratch:
                if _contains(scratch, applied, head, folders):
                    return True
            if not shallow:
                return False
        fetched = open_own(CONTENT, root, remote, environ)
        wanted = (applied, head) if shallow else (applied,)
        try:
            return _contains(_with(fetched, wanted, objects), applied, head, folders)
        except GitFailure:  # the remote lacks it, or what was fetched before is damaged
            fetched.recreate()
            return _contains(_with(fetched, wanted, objects), applied, head, folders)
    except (GitFailure, ConfigError, StateError):
        return False


@contextmanager
def _scratch(git: Git, objects: Path) -> Iterator[Git]:
    """The same repository, with what a merge writes in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="stemctl-") as folder:
        yield _sees(git, objects, GIT_OBJECT_DIRECTORY=folder)


def _with(own: Mirror, commits: Sequence[str], objects: Path) -> Git:
    """Our repository with these commits in it, and those of the user's within sight."""
    own.fetch_commits(*commits, without="blob:none")
    return _sees(own.git, objects)


def _sees(git: Git, objects: Path, **more: str) -> Git:
    text = str(objects)
    if any(character in text for character in ':"\\\n'):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        text = f'"{escaped}"'
    return replace(git, environ={**git.environ, "GIT_ALTERNATE_OBJECT_DIRECTORIES": text, **more})


def _contains(git: Git, applied: str, head: str, folders: Sequence[str]) -> bool:
    commits = list(dict.fromkeys([head, *_first_parents(git, applied, head, folders)]))
    base = (git.says("merge-base", applied, head) or b"").decode().strip()
    known = _trees(git, [applied, *commits, *([base] if base else [])], folders)
    mine = known.pop(applied)
    if any(mine) and mine in known.values():
        return True
    return bool(base) and any(
        _adds_nothing(git, commit, applied, known[commit], folders) for commit in commits
    )


def _first_parents(git: Git, applied: str, head: str, folders: Sequence[str]) -> list[str]:
    """The commits that led to HEAD since it left the applied one and that changed the folders, the
    latest first.
    """
    paths = [f":(top,literal){folder}" for folder in folders if folder]
    where = ["--", *paths] if len(paths) == len(folders) else []
    return git.text("rev-list", "--first-parent", f"-{_MOST}", head, f"^{applied}", *where).split()


def _adds_nothing(
    git: Git, commit: str, applied: str, before: Sequence[str], folders: Sequence[str]
) -> bool:
    """Whether `applied`, merged into a commit, leaves the folders as they are, and in no conflict."""
    words = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", commit, applied)
    try:
        told, clean = os.fsdecode(git.run(*words)), True
    except GitFailure as error:
        told, clean = error.said, False
    tree, *conflicts = told.split("\0")
    if not _TREE.fullmatch(tree):
        return False  # a git before 2.38, or histories that have nothing in common
    if not clean and any(_is_in(path, folder) for path in conflicts if path for folder in folders):
        return False
    return any(before) and _trees(git, [tree], folders)[tree] == before


def _is_in(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _trees(git: Git, commits: Sequence[str], folders: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Commit, or tree, to what it has as these folders; an empty text where it has no such folder."""
    asked = "".join(f"{commit}:{folder}\n" for commit in commits for folder in folders)
    told = git.run("cat-file", "--batch-check=%(objectname)", given=os.fsencode(asked)).splitlines()
    names = [name if _TREE.fullmatch(name) else "" for name in map(os.fsdecode, told)]
    size = len(folders)
    return {commit: tuple(names[n * size : (n + 1) * size]) for n, commit in enumerate(commits)}


def _has(git: Git, commit: str) -> bool:
    return git.says("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is not None
