"""The commits between the one that was applied last and the one at hand.

The user's repository is only read. History that it lacks is fetched into a mirror.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from stemctl.errors import ConfigError, StateError
from stemctl.git import errors, mirror_cache
from stemctl.git import mirror as mirrors
from stemctl.git.process import Git, GitFailure, user_git

_MAX_COMMITS = 1000


class Commit(Struct, frozen=True):
    """A commit, with the first line of its message; empty if it is not known."""

    id: str
    subject: str


class CommitRange(Struct, frozen=True):
    """What HEAD has more and less than the commit that was applied last.

    Attributes:
        brought_in: the commits since then, the latest first.
        missing: the commits that were applied and are not in HEAD.
        known: False if the history here is cut off before the commit that was applied.
        found: False if that commit is neither here nor on the remote.
        only_here: no branch of a remote has the missing commits.
        contained: HEAD has the content of that commit, by a squash or a rebase.
    """

    brought_in: tuple[Commit, ...] = ()
    missing: tuple[Commit, ...] = ()
    known: bool = True
    found: bool = True
    only_here: bool = False
    contained: bool = False


def commit_range(
    root: Path, remote: str, applied: str, head: str, environ: Mapping[str, str]
) -> CommitRange:
    """The range between two commits of the repository around `root`.

    Raises:
        StateError: git cannot tell.
    """
    git = user_git(root, environ)
    if applied == head:
        return CommitRange()
    try:
        shallow = git.is_shallow()
        if git.has_commit(applied) and (git.is_ancestor(applied, head) or not shallow):
            return _range(git, applied, head)
    except GitFailure as error:
        raise errors.unanswered(error.output, root) from error
    try:
        mirror = mirrors.open_mirror(mirror_cache.HISTORY, root, remote, environ)
        try:
            return _fetched_range(mirror, git, applied, head, shallow=shallow)
        except GitFailure:  # the remote lacks a commit, or what was fetched before is damaged
            mirror.recreate()
            return _fetched_range(mirror, git, applied, head, shallow=shallow)
    except (GitFailure, ConfigError, StateError):
        return CommitRange(missing=(Commit(applied, ""),), known=not shallow, found=False)


def related(
    root: Path, remote: str, applied: str, head: str, environ: Mapping[str, str]
) -> bool | None:
    """Whether two commits have any commit in common; None if one of them cannot be fetched.

    In a shallow clone that cannot fetch more, the answer is yes.
    """
    git = user_git(root, environ)
    if applied == head:
        return True
    try:
        shallow = git.is_shallow()
        if git.has_commit(applied):
            if git.query("merge-base", applied, head) is not None:
                return True
            if not shallow:
                return False
    except GitFailure as error:
        raise errors.unanswered(error.output, root) from error
    try:
        mirror = mirrors.open_mirror(mirror_cache.HISTORY, root, remote, environ)
        _fetch(mirror, applied, head, shallow=shallow)
        if shallow:
            return mirror.git.query("merge-base", applied, head) is not None
        here = set(git.text("rev-list", head).split())
        return not here.isdisjoint(mirror.git.text("rev-list", applied).split())
    except (GitFailure, ConfigError, StateError):
        return True if shallow else None


def changed_between(
    root: Path, before: str, after: str, environ: Mapping[str, str]
) -> frozenset[str]:
    """The files below `root` that differ between two commits; none if a commit is not here."""
    options = (
        "--name-only",
        "-z",
        "--no-renames",
        "--relative",
        "--no-ext-diff",
        "--ignore-submodules=none",
    )
    try:
        listing = user_git(root, environ).run("diff-tree", "-r", *options, before, after)
    except GitFailure:
        return frozenset()
    return frozenset(map(os.fsdecode, listing.split(b"\0")[:-1]))


def _fetched_range(
    mirror: mirrors.Mirror, git: Git, applied: str, head: str, *, shallow: bool
) -> CommitRange:
    """The range, with what the remote has of it."""
    _fetch(mirror, applied, head, shallow=shallow)
    if shallow:
        return _range(mirror.git, applied, head)
    # A complete clone that lacks a commit does not descend from it.
    here = set(git.text("rev-list", head).split())
    missing = [commit for commit in _log(mirror.git, applied) if commit.id not in here]
    return CommitRange(missing=tuple(missing))


def _fetch(mirror: mirrors.Mirror, applied: str, head: str, *, shallow: bool) -> None:
    wanted = (applied, head) if shallow else (applied,)
    mirror.fetch_commits(*wanted)


def _range(git: Git, applied: str, head: str) -> CommitRange:
    brought_in = _log(git, f"{applied}..{head}")
    if git.is_ancestor(applied, head):
        return CommitRange(brought_in)
    shared = git.text("for-each-ref", "--count=1", f"--contains={applied}", "refs/remotes")
    return CommitRange(brought_in, _log(git, f"{head}..{applied}"), only_here=not shared)


def _log(git: Git, commits: str) -> tuple[Commit, ...]:
    """The commits of a range as git writes it, the latest first."""
    options = ("--no-show-signature", f"-{_MAX_COMMITS}", "--format=%H%x09%s")
    found = []
    for row in git.text("log", *options, commits, "--").splitlines():
        commit, _, subject = row.partition("\t")
        found.append(Commit(commit, subject))
    return tuple(found)
