"""Who runs this: a job of a CI service by its number, else somebody at a machine."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Mapping


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
