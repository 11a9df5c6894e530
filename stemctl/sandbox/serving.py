"""Marks a database as served, so that it is not deleted under a running server."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import filelock

_MARKS = "sandbox.serve-{}.lock"


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[None]:
    """Hold a lock of the operating system in the folder of the database, which dies with this
    process. Several servers may serve one database.
    """
    path = folder / _MARKS.format(f"{os.getpid()}-{uuid.uuid4().hex[:8]}")
    lock = filelock.FileLock(path)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()
        path.unlink(missing_ok=True)


def served_by(folder: Path) -> list[int]:
    """The processes that serve the database now. Marks of killed processes are removed."""
    found = []
    for path in sorted(folder.glob(_MARKS.format("*"))):
        lock = filelock.FileLock(path, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            process = path.name.removeprefix("sandbox.serve-").partition("-")[0]
            found.append(int(process) if process.isdigit() else 0)
            continue
        lock.release()
        path.unlink(missing_ok=True)
    return found
