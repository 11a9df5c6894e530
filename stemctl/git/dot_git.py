"""Which git repository a folder is in, found without git: what git would find, and what it would
miss.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_DOT_GIT = ".git"
_TRUE = ("1", "true", "yes", "on")


def bare_repository(folder: Path, environ: Mapping[str, str]) -> Path | None:
    """The folder, at or above this one, that git takes for a bare repository before a .git.

    Such files can be committed, and the settings among them name commands. git refuses them with
    `safe.bareRepository=explicit`, but versions before 2.38 do not know that setting.
    """
    for at in _searched(folder, environ):
        if os.path.lexists(at / _DOT_GIT):
            return None
        if _looks_bare(at):
            return at
    return None


def unusable(folder: Path, environ: Mapping[str, str]) -> Path | None:
    """The .git, at or above a folder, that git skips because it is damaged or cannot be read.

    git then says that there is no repository. An empty folder of that name does not count.
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
    """The folders that git looks into, from this one up to where it stops."""
    real = Path(os.path.realpath(folder))
    ceilings = {
        os.path.realpath(part)
        for part in environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
        if os.path.isabs(part)
    }
    across = environ.get("GIT_DISCOVERY_ACROSS_FILESYSTEM", "").lower() in _TRUE
    device = os.stat(real).st_dev
    for at in (real, *real.parents):
        if at != real:
            is_ceiling = str(at) in ceilings
            if is_ceiling or (not across and os.stat(at).st_dev != device):
                return
        yield at
