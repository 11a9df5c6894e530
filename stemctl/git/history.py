"""What lies between the commit that was applied last and the one at hand. The user's repository is
only read; history that a shallow clone lacks is fetched beside it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from stemctl.errors import ConfigError, StateError
from stemctl.git.commit_range import Commit, CommitRange
from stemctl.git.errors import unanswered
from stemctl.git.mirror import Mirror
from stemctl.git.mirror_cache import HISTORY
from stemctl.git.mirror_opening import open_own
from stemctl.git.process import Git, GitFailure, user_git

_MOST = 1000


def compare(
    root: Path, remote: str, applied: str, head: str, environ: Mapping[str, str]
) -> CommitRange:
    """The range between two commits of the repository that `root` is in; what it lacks of it is
    fetched beside it.

    Raises:
        StateError: git cannot tell.
    """
    git = user_git(root, environ)
    if applied == head:
        return CommitRange()
    try:
        shallow = git.text("rev-parse", "--is-shallow-repository") == "true"
        if _has(git, applied) and (_is_ancestor(git, applied, head) or not shallow):
            return _range(git, applied, head)
    except GitFailure as error:
        raise unanswered(error.said, root) from error
    try:
        fetched = open_own(HISTORY, root, remote, environ)
        try:
            return _fetched(fetched, git, applied, head, shallow)
        except GitFailure:  # the remote lacks them, or what was fetched before is damaged
            fetched.recreate()
            return _fetched(fetched, git, applied, head, shallow)
    except (GitFailure, ConfigError, StateError):
        return CommitRange(missing=(Commit(applied, ""),), known=not shallow, found=False)


def related(
    root: Path, remote: str, applied: str, head: str, environ: Mapping[str, str]
) -> bool | None:
    """Whether two commits have any commit in common; None where that cannot be told, as one of them
    cannot be had.

    In a shallow clone that cannot fetch more, they are taken to have.
    """
    git = user_git(root, environ)
    if applied == head:
        return True
    try:
        shallow = git.text("rev-parse", "--is-shallow-repository") == "true"
        if _has(git, applied):
            if git.says("merge-base", applied, head) is not None:
                return True
            if not shallow:
                return False
    except GitFailure as error:
        raise unanswered(error.said, root) from error
    try:
        fetched = open_own(HISTORY, root, remote, environ)
        fetched.fetch_commits(applied, *((head,) if shallow else ()))
        if shallow:
            return fetched.git.says("merge-base", applied, head) is not None
        here = set(git.text("rev-list", head).split())
        return not here.isdisjoint(fetched.git.text("rev-list", applied).split())
    except (GitFailure, ConfigError, StateError):
        return True if shallow else None


def changed_between(
    root: Path, before: str, after: str, environ: Mapping[str, str]
) -> frozenset[str]:
    """The files below `root` that two commits have in different forms; none where one of them is
    not here.
    """
    quiet = (
        "--name-only",
        "-z",
        "--no-renames",
        "--relative",
        "--no-ext-diff",
        "--ignore-submodules=none",
    )
    try:
        listing = user_git(root, environ).run("diff-tree", "-r", *quiet, before, after)
    except GitFailure:
        return frozenset()
    return frozenset(map(os.fsdecode, listing.split(b"\0")[:-1]))


def _fetched(own: Mirror, git: Git, applied: str, head: str, shallow: bool) -> CommitRange:
    """The range, with what the remote has of it."""
    own.fetch_commits(applied, *((head,) if shallow else ()))
    if shallow:
        return _range(own.git, applied, head)
    # A whole clone that lacks a commit does not descend from it; somebody else has it, and knows
    # what it is called.
    here = set(git.text("rev-list", head).split())
    return CommitRange(missing=tuple(one for one in _log(own.git, applied) if one.id not in here))


def _range(git: Git, applied: str, head: str) -> CommitRange:
    brought_in = _log(git, f"{applied}..{head}")
    if _is_ancestor(git, applied, head):
        return CommitRange(brought_in)
    shared = git.text("for-each-ref", "--count=1", f"--contains={applied}", "refs/remotes")
    return CommitRange(brought_in, _log(git, f"{head}..{applied}"), only_here=not shared)


def _log(git: Git, commits: str) -> tuple[Commit, ...]:
    """The commits that git's words for a range mean, the latest first."""
    rows = git.text(
        "log", "--no-show-signature", f"-{_MOST}", "--format=%H%x09%s", commits, "--"
    ).splitlines()
    return tuple(Commit(sha, subject) for sha, _, subject in (row.partition("\t") for row in rows))


def _is_ancestor(git: Git, before: str, after: str) -> bool:
    return git.says("merge-base", "--is-ancestor", before, after) is not None


def _has(git: Git, commit: str) -> bool:
    return git.says("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is not None
