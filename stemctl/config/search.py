"""The folder of a stemctl.yaml, searched upwards as git searches its repository."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Mapping
from pathlib import Path

NAME = "stemctl.yaml"


def find_root(start: Path, environ: Mapping[str, str]) -> Path:
    """The nearest folder with a stemctl.yaml, from `start` upwards; without any, `start`.

    A folder above is only believed if it and its stemctl.yaml belong to this user, so that others
    cannot leave one in a shared folder. The search ends at the top of a git repository, at a folder
    of another user, and at the border of a file system.
    """
    if (start / NAME).is_file():
        return start
    user, device = _user(environ), _device(start)
    for below, folder in itertools.pairwise((start, *start.parents)):
        if os.path.lexists(below / ".git"):
            return start
        if _owner(folder) != user or _device(folder) != device:
            return start
        if (folder / NAME).is_file():
            return folder if _owner(folder / NAME) == user else start
    return start


def _user(environ: Mapping[str, str]) -> int | None:
    """The user who runs this; behind sudo, the one who called it, as git does. None on Windows."""
    if not hasattr(os, "geteuid"):
        return None
    user = os.geteuid()
    caller = environ.get("SUDO_UID", "")
    return int(caller) if user == 0 and caller.isascii() and caller.isdigit() else user


def _owner(path: Path) -> int | None:
    found = _status(path)
    return found.st_uid if found is not None and hasattr(os, "geteuid") else None


def _device(path: Path) -> int | None:
    found = _status(path)
    return found.st_dev if found is not None else None


def _status(path: Path) -> os.stat_result | None:
    """What a path is, without following a link at its end."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return None if stat.S_ISLNK(found.st_mode) and path.name == NAME else found
