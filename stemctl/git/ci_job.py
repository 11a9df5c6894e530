"""The CI job that this runs in, and the summary that commands add to."""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path

from stemctl.errors import StateError
from stemctl.git.process import GitFailure, user_git

SUMMARY = "GITHUB_STEP_SUMMARY"
SUMMARY_BYTES = 2**20
"""The most that GitHub accepts for a step."""

_GITHUB = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")

_SLACK = 1000
"""Bytes that masking may add to a text, and the fewest that a summary needs."""


def job_url(environ: Mapping[str, str]) -> str | None:
    """The web page of the CI job that this runs in."""
    if environ.get("GITHUB_ACTIONS") and all(environ.get(name) for name in _GITHUB):
        server, repository, run = (environ[name] for name in _GITHUB)
        return f"{server}/{repository}/actions/runs/{run}"
    return environ.get("CI_JOB_URL") or None


def path_in_repository(root: Path, environ: Mapping[str, str]) -> str:
    """Where a folder is in its git repository, with a / at the end; empty for the top.

    If git does not tell, as in a container that it does not trust, the workspace of the job is the
    top.
    """
    with contextlib.suppress(GitFailure, StateError, OSError):
        prefix = user_git(root, environ).run("rev-parse", "--show-prefix")
        return os.fsdecode(prefix).removesuffix("\n")
    folder = root.resolve()
    workspace = Path(environ.get("GITHUB_WORKSPACE") or root).resolve()
    if folder == workspace or not folder.is_relative_to(workspace):
        return ""
    return f"{folder.relative_to(workspace).as_posix()}/"


def add_to_summary(environ: Mapping[str, str], render: Callable[[int], str]) -> str:
    """Add a text to the summary of the job, if it has one; `render` gets its limit in bytes.

    Returns:
        Why that was not possible, or nothing.
    """
    name = environ.get(SUMMARY)
    if not name:
        return ""
    try:
        with Path(name).open("ab") as file:
            room = SUMMARY_BYTES - file.tell() - _SLACK
            if room < _SLACK:
                return "The summary of the job is full. Nothing was added to it."
            file.write(f"{render(room)}\n".encode())
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = getattr(error, "strerror", None) or error
        return f"The summary of the job cannot be written: {reason}."
    return ""


def describe_owner(environ: Mapping[str, str]) -> str:
    """`GitHub Actions, job 8412`, `GitLab CI, job 77`, `mara@lab-7`."""
    if environ.get("GITHUB_ACTIONS"):
        return f"GitHub Actions, job {environ.get('GITHUB_RUN_ID', '?')}"
    if environ.get("GITLAB_CI"):
        return f"GitLab CI, job {environ.get('CI_JOB_ID', '?')}"
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may have no name for its user
        user = "unknown"
    return f"{user}@{platform.node() or 'this machine'}"
