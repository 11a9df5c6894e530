"""The state of one server on a branch of a git remote, which machines share."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from stemctl.config.config import Server
from stemctl.core.state import State
from stemctl.render import commit_message
from stemctl.state.backend import Busy, state_moved
from stemctl.state.git_lock import GitLock
from stemctl.state.state_branch import StateBranch, Tip
from stemctl.util.timestamps import utc_now


class GitBackend:
    """A state on a branch, with the lock that is on the same branch."""

    def __init__(
        self,
        root: Path,
        server: Server,
        environ: Mapping[str, str],
        clock: Callable[[], datetime.datetime] = utc_now,
    ) -> None:
        self.branch = StateBranch(root, server, environ, clock)
        self.lock = GitLock(self.branch)

    @property
    def where(self) -> str:
        """The branch, as shown to people."""
        return self.branch.where

    def load(self) -> State | None:
        """The state on the branch; None if it has none of this server.

        Raises:
            StateError: it is damaged, or the remote cannot be reached.
        """
        return self.branch.load_state()

    def save(self, state: State, who: str, what: str) -> None:
        """Replace the state on the branch.

        Raises:
            StateMoved: someone else's state came first; nothing was changed.
            StateError: the branch cannot be pushed to, or a run is on.
        """
        branch = self.branch
        before = branch.state_blobs()

        def make(tip: Tip) -> str:
            if branch.state_blobs() != before:
                raise state_moved(self.where)
            if lease := self.lock.lease():
                raise Busy(lease, self.where)
            message = commit_message.state_message(branch.name, state, who, what)
            return branch.commit(tip, message, branch.state_files(state))

        branch.push(make)

    def remove(self, who: str) -> None:
        """Remove the state from the branch, after it was moved elsewhere. Its history stays."""
        branch = self.branch
        message = f"{branch.name}: the state was moved elsewhere [skip ci]\n\nBy {who}.\n"

        def make(tip: Tip) -> str:
            return branch.commit(tip, message, dict.fromkeys(branch.state_blobs()))

        if branch.state_blobs():
            branch.push(make)
