"""Where the mirrors are: in the user's cache, so that no checkout can contain one.

What is below a checkout may have come with it, and the settings of a git repository name commands.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

import platformdirs

from stemctl.util.late_pattern import late_pattern
from stemctl.util.user_folder import in_home

STATES = "states"
"""The mirror through which a state on a branch is read and written."""

HISTORY = "history"
"""The mirror that holds commits only: a partial clone without trees and files."""

CONTENT = "content"
"""The mirror that also holds trees, to compare commits by their content."""

_ROOT = "root"
"""The file beside the mirrors that names the folder of the metadata they are for."""

_LOGIN = late_pattern("://[^/@]*@")
"""User and password in a URL, which may differ for each job."""


def folder_for(root: Path, top: Path, remote: str, urls: list[str]) -> Path:
    """The private folder of the mirrors of a remote, for the metadata in `root`.

    `top` is the checkout that `root` is in. If the cache cannot be used, or is inside the checkout,
    it is a temporary folder of this process.
    """
    kept, name = of_root(root), _digest(remote, *(_LOGIN.sub("://", url) for url in urls))
    if kept is not None and not any(_is_below(kept, checkout) for checkout in (root, top)):
        try:
            is_new = not kept.exists()
            folder = _private(kept.parent.parent, kept.parent, kept, kept / name)
        except OSError:
            pass
        else:
            if is_new:
                _remember(kept, root)
                _forget_removed(kept.parent)
            return folder
    temporary = _of_this_process() / _digest(str(root.resolve()))
    return _private(temporary, temporary / name)


def of_root(root: Path) -> Path | None:
    """The folder of all mirrors for the metadata in `root`; None if there is no cache."""
    cache = in_home(lambda: platformdirs.user_cache_dir("stemctl", appauthor=False))
    return cache / "git" / _digest(str(root.resolve())) if cache else None


def _remember(kept: Path, root: Path) -> None:
    """Note which metadata the mirrors are for."""
    with contextlib.suppress(OSError):
        (kept / _ROOT).write_bytes(os.fsencode(root.resolve()))


def _forget_removed(cache: Path) -> None:
    """Remove the mirrors for metadata that is not on this machine any more, such as old jobs."""
    for note in cache.glob(f"*/{_ROOT}"):
        with contextlib.suppress(OSError, ValueError):
            if not os.path.lexists(os.fsdecode(note.read_bytes())):
                shutil.rmtree(note.parent, ignore_errors=True)


def has_states(root: Path) -> bool:
    """Whether a state on a branch was ever read for the metadata in `root` on this machine."""
    folder = of_root(root)
    return folder is not None and any(folder.glob(f"*/{STATES}"))


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()[:32]


def _is_below(path: Path, checkout: Path) -> bool:
    return path.resolve().is_relative_to(checkout.resolve())


def _private(first: Path, *others: Path) -> Path:
    """Create folders, each inside the one before, and return the last one.

    Raises:
        OSError: one of them cannot be created or written, or other users can open it.
    """
    first.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in others:
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} cannot be written")
        if os.name != "posix":
            continue
        is_open = bool(stat.S_IMODE(facts.st_mode) & 0o077)
        if is_open or facts.st_uid != os.geteuid():
            raise PermissionError(f"{folder} is open to others")
    return folder


@functools.cache
def _of_this_process() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="stemctl-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
