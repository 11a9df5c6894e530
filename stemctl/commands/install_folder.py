"""The commit of a folder that stemctl runs from, if others can get it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from stemctl.errors import ConfigError
from stemctl.git.process import Git, GitFailure, NoGit, user_git


def published_commit(folder: Path, environ: Mapping[str, str]) -> tuple[str, str, str]:
    """The remote of a folder, the commit that it is at, and where it is below the root.

    Raises:
        ConfigError: it has changes, or its commit is on no remote.
    """
    git = user_git(folder, environ)
    try:
        place = git.text("rev-parse", "--show-prefix").rstrip("/")
        commit = git.text("rev-parse", "--verify", "HEAD")
        changes = git.text("status", "--porcelain", "--", ".")
        remote = _remote_with(git, commit)
        address = git.text("remote", "get-url", remote) if remote else ""
    except (GitFailure, NoGit, OSError) as error:
        raise ConfigError(f"stemctl runs from {folder}.", "It is in no git repository.") from error
    where = f"git -C {shlex.quote(str(folder))}"
    if changes:
        raise ConfigError(
            f"stemctl runs from {folder}, which has changes that are not committed.",
            "No job can get them.",
            [(f"{where} status", "shows them")],
        )
    if not remote:
        raise ConfigError(
            f"stemctl runs from {folder}, whose commit {commit[:7]} is on no remote.",
            "No job can get it.",
            [(f"{where} push", "publishes it")],
        )
    if not re.match("https?://|ssh://|git@", address):
        raise ConfigError(
            f"stemctl runs from {folder}, whose remote is on this machine too.",
            f"No job can get it from {address}.",
        )
    return address, commit, place


def _remote_with(git: Git, commit: str) -> str:
    """A remote that has a commit; empty if there is none."""
    known = git.text("remote").splitlines()
    pattern = "--format=%(refname:lstrip=2)"
    refs = git.text("for-each-ref", pattern, f"--contains={commit}", "refs/remotes").splitlines()
    for remote in sorted(known, key=lambda name: name != "origin"):
        if any(ref.startswith(f"{remote}/") for ref in refs):
            return remote
    return ""
