"""What the job of a forge tells the commands that run in it, and the summary that they add to."""

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
"""What GitHub takes of a step."""

_SLACK = 1000
"""Bytes that masking a text may add to it, and the fewest that a summary needs."""


def job_url(environ: Mapping[str, str]) -> str | None:
    """The page of the job that this runs in."""
    if environ.get("GITHUB_ACTIONS") and all(environ.get(name) for name in _GITHUB):
        server, repository, run = (environ[name] for name in _GITHUB)
        return f"{server}/{repository}/actions/runs/{run}"
    return environ.get("CI_JOB_URL") or None


_GITHUB = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")


def path_in_repository(root: Path, environ: Mapping[str, str]) -> str:
    """Where a folder is in its git repository, with a / at the end unless it is its root.

    Where git does not say, as in a container that it does not trust, the workspace of the job
    counts.
    """
    with contextlib.suppress(GitFailure, StateError, OSError):
        return os.fsdecode(user_git(root, environ).run("rev-parse", "--show-prefix")).removesuffix(
            "\n"
        )
    workspace = Path(environ.get("GITHUB_WORKSPACE") or root).resolve()
    below = (
        os.path.relpath(root.resolve(), workspace)
        if root.resolve().is_relative_to(workspace)
        else "."
    )
    return "" if below == "." else f"{Path(below).as_posix()}/"


def add_to_summary(environ: Mapping[str, str], render: Callable[[int], str]) -> str:
    """Add what `render` makes, of no more bytes than it is told, to the summary of the job, if
    there is one.

    Returns:
        why that was not possible, or nothing.
    """
    name = environ.get(SUMMARY)
    if not name:
        return ""
    try:
        with Path(name).open("ab") as file:
            room = SUMMARY_BYTES - file.tell() - _SLACK
            if room < _SLACK:
                return "The summary of the job is full; nothing was added to it."
            file.write(f"{render(room)}\n".encode())
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        return f"The summary of the job cannot be written: {getattr(error, 'strerror', None) or error}."
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
        user = "somebody"
    return f"{user}@{platform.node() or 'this machine'}"
