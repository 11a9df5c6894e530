"""Where stemctl's own bare repositories are: in the user's cache, so that no checkout can hold one.

What lies below a checkout may have come with it, and a git repository names commands that git runs.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

import platformdirs

STATES = "states"
"""The repository that a state on a branch is read and written through."""

HISTORY = "history"
"""One that holds commits alone: a partial clone, which lacks all files."""

CONTENT = "content"
"""The folder of another one, which holds trees too: fetched where a commit is compared by what it
has.
"""

_LOGIN = re.compile("://[^/@]*@")
"""Who asks, and the password, which may be another one for each job."""


def folder_for(root: Path, top: Path, remote: str, urls: list[str]) -> Path:
    """The folder, for this user alone, of what was fetched from a remote for the metadata in `root`.

    `top` is the checkout that `root` is in. Where the cache cannot be used, or is inside the
    checkout, it is a folder that ends with this process.
    """
    kept, name = of_root(root), _digest(remote, *(_LOGIN.sub("://", url) for url in urls))
    if kept is not None and not any(_is_below(kept, checkout) for checkout in (root, top)):
        try:
            return _private(kept.parent.parent, kept.parent, kept, kept / name)
        except OSError:
            pass
    passing = _of_this_process() / _digest(str(root.resolve()))
    return _private(passing, passing / name)


def of_root(root: Path) -> Path | None:
    """The folder of all that was fetched for the metadata in `root`; None where there is no cache."""
    cache = Path(platformdirs.user_cache_dir("stemctl", appauthor=False))
    return cache / "git" / _digest(str(root.resolve())) if cache.is_absolute() else None


def has_states(root: Path) -> bool:
    """Whether a state on a branch was ever read for the metadata in `root` on this machine."""
    folder = of_root(root)
    return folder is not None and any(folder.glob(f"*/{STATES}"))


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()[:32]


def _is_below(path: Path, checkout: Path) -> bool:
    return path.resolve().is_relative_to(checkout.resolve())


def _private(first: Path, *others: Path) -> Path:
    """Make folders, the last one in all others.

    Raises:
        OSError: one of them cannot be made, cannot be written, or is not for this user alone.
    """
    first.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in others:
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} cannot be written")
        if os.name == "posix" and (
            facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077
        ):
            raise PermissionError(f"{folder} is open to others")
    return folder


@functools.cache
def _of_this_process() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="stemctl-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
