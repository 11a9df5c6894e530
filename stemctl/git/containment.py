"""Whether a commit has the content of another one although its history does not: after a squash, a
rebase or a cherry-pick.

A commit is contained if merging it would change nothing in the folders of the metadata.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from stemctl.errors import ConfigError, StateError
from stemctl.git import mirror as mirrors
from stemctl.git import mirror_cache
from stemctl.git.process import Git, GitFailure, user_git
from stemctl.util.late_pattern import late_pattern

_MAX_COMMITS = 50
"""Commits that are looked at. For what was merged earlier there is --allow-behind."""

_TREE = late_pattern("[0-9a-f]{40}|[0-9a-f]{64}")

Trees = tuple[str, ...]
"""The ids of some folders in one commit, each empty if the commit does not have the folder."""


def is_contained(
    root: Path,
    remote: str,
    applied: str,
    head: str,
    folders: Sequence[str],
    environ: Mapping[str, str],
) -> bool:
    """Whether HEAD has all that `applied` has in these folders; False if that commit is not found.

    The user's repository is only read. What it lacks is fetched into a mirror.
    """
    git = user_git(root, environ)
    if any("\n" in folder for folder in folders):
        return False  # git is asked line by line
    try:
        shallow = git.is_shallow()
        objects = (root / git.text("rev-parse", "--git-path", "objects")).resolve()
        if git.has_commit(applied):
            with _scratch(git, objects) as scratch:
                if _contains(scratch, applied, head, folders):
                    return True
            if not shallow:
                return False
        mirror = mirrors.open_mirror(mirror_cache.CONTENT, root, remote, environ)
        wanted = (applied, head) if shallow else (applied,)
        try:
            return _contains(_fetched(mirror, wanted, objects), applied, head, folders)
        except GitFailure:  # the remote lacks it, or what was fetched before is damaged
            mirror.recreate()
            return _contains(_fetched(mirror, wanted, objects), applied, head, folders)
    except (GitFailure, ConfigError, StateError):
        return False


@contextmanager
def _scratch(git: Git, objects: Path) -> Iterator[Git]:
    """The same repository, with a temporary folder for what a merge writes."""
    with tempfile.TemporaryDirectory(prefix="stemctl-") as folder:
        yield _seeing(git, objects, GIT_OBJECT_DIRECTORY=folder)


def _fetched(mirror: mirrors.Mirror, commits: Sequence[str], objects: Path) -> Git:
    """The mirror with these commits in it, which also sees those of the user."""
    mirror.fetch_commits(*commits, without="blob:none")
    return _seeing(mirror.git, objects)


def _seeing(git: Git, objects: Path, **more: str) -> Git:
    """A git that also sees the objects of a folder."""
    text = str(objects)
    if any(character in text for character in ':"\\\n'):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        text = f'"{escaped}"'
    return replace(git, environ={**git.environ, "GIT_ALTERNATE_OBJECT_DIRECTORIES": text, **more})


def _contains(git: Git, applied: str, head: str, folders: Sequence[str]) -> bool:
    commits = list(dict.fromkeys([head, *_first_parents(git, applied, head, folders)]))
    base = (git.query("merge-base", applied, head) or b"").decode().strip()
    trees = _trees(git, [applied, *commits, *filter(None, [base])], folders)
    applied_trees = trees.pop(applied)
    if any(applied_trees) and applied_trees in trees.values():
        return True
    if not base:
        return False
    return any(_adds_nothing(git, commit, applied, trees[commit], folders) for commit in commits)


def _first_parents(git: Git, applied: str, head: str, folders: Sequence[str]) -> list[str]:
    """The commits that led to HEAD since it left the applied one and that changed the folders, the
    latest first.
    """
    paths = [f":(top,literal){folder}" for folder in folders if folder]
    limits = ["--", *paths] if len(paths) == len(folders) else []
    question = ("rev-list", "--first-parent", f"-{_MAX_COMMITS}", head, f"^{applied}")
    return git.text(*question, *limits).split()


def _adds_nothing(
    git: Git, commit: str, applied: str, before: Trees, folders: Sequence[str]
) -> bool:
    """Whether merging `applied` into a commit leaves the folders as they are, without conflict."""
    options = ("--write-tree", "--name-only", "--no-messages", "-z")
    try:
        output, clean = os.fsdecode(git.run("merge-tree", *options, commit, applied)), True
    except GitFailure as error:
        output, clean = error.output, False
    tree, *conflicts = output.split("\0")
    if not _TREE.fullmatch(tree):
        return False  # a git before 2.38, or unrelated histories
    if not clean and any(_is_in_one(path, folders) for path in conflicts if path):
        return False
    return any(before) and _trees(git, [tree], folders)[tree] == before


def _is_in_one(path: str, folders: Sequence[str]) -> bool:
    return any(not folder or path == folder or path.startswith(f"{folder}/") for folder in folders)


def _trees(git: Git, commits: Sequence[str], folders: Sequence[str]) -> dict[str, Trees]:
    """Each commit, or tree, with the ids of its folders."""
    question = "".join(f"{commit}:{folder}\n" for commit in commits for folder in folders)
    answer = git.run("cat-file", "--batch-check=%(objectname)", stdin=os.fsencode(question))
    names = [os.fsdecode(line) for line in answer.splitlines()]
    ids = [name if _TREE.fullmatch(name) else "" for name in names]
    size = len(folders)
    return {
        commit: tuple(ids[number * size : (number + 1) * size])
        for number, commit in enumerate(commits)
    }
