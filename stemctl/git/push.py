"""A push to a branch of a mirror's remote that succeeds only if no other push came first."""

from __future__ import annotations

import contextlib
import time

from msgspec import Struct

from stemctl.errors import StateError
from stemctl.git import errors
from stemctl.git.mirror import Mirror
from stemctl.git.process import GitFailure

_READ_BACK = (0, 0.5, 2)
"""Seconds to wait before each look for a push where the remote is read: a replica may lag."""

_PATIENCE = 25.0
"""Seconds that a push may take. A slower renewal is tried again before the lease ends."""


class LostRace(Exception):
    """Someone else's push came first; `output` is what git printed."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


def push(mirror: Mirror, branch: str, new: str, old: str | None, *, detached: bool) -> None:
    """Move the remote's branch from one commit (None: it does not exist) to another, or not at all.

    Raises:
        LostRace: the branch is not at the old commit any more.
        StateError: the branch cannot be pushed to, or did not move when we looked again. Or it is
            pushed to another repository than it is read from.
    """
    attempt = _Push(mirror, branch, new, old, detached)
    try:
        attempt.send(new, old)
    except GitFailure as error:
        if not attempt.has_arrived():
            if errors.lost_race(error.output):
                attempt.refuse_other_repository()
                raise LostRace(error.output) from error
            raise errors.not_pushed(error.output, mirror.remote, branch) from error
    else:
        attempt.read_back()
    with contextlib.suppress(GitFailure):  # it only saves the next fetch
        mirror.git.run("update-ref", mirror.seen_ref(branch), new, detached=detached)


class _Push(Struct, frozen=True):
    mirror: Mirror
    branch: str
    new: str
    old: str | None
    detached: bool

    def send(self, new: str | None, old: str | None) -> None:
        target = f"refs/heads/{self.branch}"
        self.mirror.git.run(
            "push",
            "--quiet",
            "--porcelain",
            f"--force-with-lease={target}:{old or ''}",
            self.mirror.remote,
            f"{new or ''}:{target}",
            detached=self.detached,
            timeout=_PATIENCE,
        )

    def has_arrived(self) -> bool:
        """Whether a push whose answer was lost has moved the branch all the same."""
        try:
            return self._ask() == self.new
        except GitFailure:
            return False

    def refuse_other_repository(self) -> None:
        """After a lost race: if the branch did not move where it is read, that is another
        repository.
        """
        addresses = self.mirror.addresses
        if addresses is None or addresses.proved:
            return
        with contextlib.suppress(GitFailure):
            if self._ask() == self.old:
                raise addresses.differ(self.branch)

    def read_back(self) -> None:
        """Look for the first push where the remote is read, if that is another address; undo the
        push if it is not there.
        """
        addresses = self.mirror.addresses
        if addresses is None or addresses.proved:
            return
        addresses.proved = self._is_read()
        if addresses.proved:
            return
        failed = None
        try:
            self.send(self.old, self.new)
        except GitFailure as error:
            failed = error.output
        raise addresses.led_elsewhere(self.branch, failed)

    def _is_read(self) -> bool:
        """Whether the branch, where it is read, is at our commit or at a descendant of it."""
        for pause in _READ_BACK:
            time.sleep(pause)
            with contextlib.suppress(GitFailure, StateError):
                there = self._ask()
                if there == self.new:
                    return True
                self.mirror.fetch_branch(self.branch)
                if there is not None and self.mirror.git.is_ancestor(self.new, there):
                    return True
        return False

    def _ask(self) -> str | None:
        return self.mirror.ask(self.branch, self.detached, _PATIENCE)
