"""The lock of this machine: one process at a time writes to a server from one folder."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator

from msgspec import Struct

from stemctl.errors import StateError, Untouched
from stemctl.state.local_folder import LocalFolder
from stemctl.util.atomic_file import replace_file
from stemctl.util.timestamps import stamp, utc_now

_PATIENCE = 1.0
"""Seconds to wait for the lock: `is_held` takes it for a moment too."""


class FolderLock(Struct, frozen=True):
    """A lock of the operating system, which dies with its process."""

    local: LocalFolder

    @contextlib.contextmanager
    def hold(self, who: str) -> Iterator[None]:
        """Keep other writers of this folder and server out.

        Raises:
            StateError: another process holds the lock.
        """
        import filelock  # a command that only reads does not need it

        self.local.make()
        lock = filelock.FileLock(self.local.lock, timeout=_PATIENCE)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise StateError(
                f"Another stemctl process is writing to {self.local.server} from this folder"
                f"{self._holder()}.",
                "Wait until it ends, then try again.",
                untouched=Untouched.NOTHING_SENT,
            ) from error
        try:
            self._sign(who)
            yield
        finally:
            with contextlib.suppress(OSError):
                self.local.owner.unlink(missing_ok=True)
            lock.release()

    def is_held(self) -> bool:
        """Whether a process of this machine is writing at this moment."""
        if not self.local.lock.exists():
            return False
        import filelock

        lock = filelock.FileLock(self.local.lock, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            return True
        lock.release()
        return False

    def _sign(self, who: str) -> None:
        """Write down who holds the lock. Only the message for others depends on it."""
        owner = {"who": who, "pid": os.getpid(), "since": stamp(utc_now())}
        with contextlib.suppress(OSError):
            replace_file(self.local.owner, json.dumps(owner))

    def _holder(self) -> str:
        """Who holds the lock, as far as it is written down."""
        try:
            owner = json.loads(self.local.owner.read_text(encoding="utf-8"))
            return f": {owner['who']}, process {owner['pid']}, since {owner['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return ""
