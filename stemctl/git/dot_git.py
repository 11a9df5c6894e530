"""Which git repository a folder is in, looked at without git: what git would find there, and what
it would miss.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_DOT_GIT = ".git"


def bare_repository(folder: Path, environ: Mapping[str, str]) -> Path | None:
    """The folder, at or above this one, that git would take for a bare repository before it finds a
    .git.

    Files of these names can be committed, and the settings among them name commands. Newer versions
    of git refuse it with `safe.bareRepository=explicit`; those before 2.38 do not know that
    setting.
    """
    for at in _searched(folder, environ):
        if os.path.lexists(at / _DOT_GIT):
            return None
        if _looks_bare(at):
            return at
    return None


def unusable(folder: Path, environ: Mapping[str, str]) -> Path | None:
    """The .git, at or above a folder, that git passes over because it is damaged or may not be read.

    Git says then that there is no repository. An empty folder of that name is none.
    """
    for at in _searched(folder, environ):
        path = at / _DOT_GIT
        if os.path.lexists(path) and not _is_empty_folder(path):
            return path
    return None


def _looks_bare(folder: Path) -> bool:
    parts = os.path.exists(folder / "objects") and os.path.exists(folder / "refs")
    return os.path.lexists(folder / "HEAD") and (parts or os.path.lexists(folder / "commondir"))


def _is_empty_folder(path: Path) -> bool:
    try:
        return path.is_dir() and not any(path.iterdir())
    except OSError:
        return False


def _searched(folder: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """The folders that git looks into, from this one upwards to where it stops."""
    real = Path(os.path.realpath(folder))
    ceilings = {
        os.path.realpath(part)
        for part in environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
        if os.path.isabs(part)
    }
    across = environ.get("GIT_DISCOVERY_ACROSS_FILESYSTEM", "").lower() in (
        "1",
        "true",
        "yes",
        "on",
    )
    device = os.stat(real).st_dev
    for at in (real, *real.parents):
        if at != real and (str(at) in ceilings or (not across and os.stat(at).st_dev != device)):
            return
        yield at
