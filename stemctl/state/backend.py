"""What every backend of a state can do, and what only one that machines share can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from stemctl.config.config import Server
from stemctl.core.lease import Lease
from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.errors import Hint, StateError, Untouched
from stemctl.state.lease_holder import LeaseHolder

Lines = Callable[[], bytes]
"""Reads the lines of a journal, for a backend that keeps them with the state."""


class StateBackend(Protocol):
    """Where the state of one server is kept."""

    @property
    def where(self) -> str:
        """The location, as shown to people."""

    @property
    def lock(self) -> RemoteLock | None:
        """The lock between machines; None where only this machine writes."""

    def load(self) -> State | None:
        """The state as it was written; None if there is none."""

    def save(self, state: State, who: str, what: str) -> None:
        """Replace the state for another reason than a run; `who` and `what` are for its history."""

    def remove(self, who: str) -> None:
        """Remove the state, after it was moved to another backend."""


class RemoteLock(Protocol):
    """A lock between machines: the lease of the run that writes.

    A remote is seen as it was when it was last looked at, until `refresh`. A run takes the lease
    before its first write and gives it back in the same step that saves its state.
    """

    def refresh(self) -> None:
        """Look at the remote again."""

    def use_last_seen(self) -> None:
        """Go by what was fetched last, without the network."""

    def lease(self) -> Lease | None:
        """The lease that some run holds, on any machine."""

    def is_dead(self) -> bool:
        """Whether the holder of the lease is known to send nothing more."""

    def leased_run(self) -> Run:
        """The run that holds the lease, as far as the remote knows it."""

    def is_held_by(self, run: str) -> bool:
        """Whether this run holds the lease; if not, another machine has settled it."""

    def acquire(self, run: Run) -> LeaseHolder:
        """Take the lease for a run; raises Busy or StateMoved."""

    def finish(self, run: Run, state: State, lines: Lines) -> None:
        """Save the state after a run, with the lines of its journal, and give its lease back."""

    def release(self, run: str) -> None:
        """Give the lease of a run back that changed nothing."""

    def past_runs(self, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
        """The records of the wanted runs that are kept with the state, the latest first."""


class StateMoved(StateError):
    """Someone else changed the state since it was read, or a dead run was settled (`settled`)."""

    def __init__(
        self,
        what: str,
        why: str = "",
        hints: Sequence[Hint] = (),
        untouched: Untouched | None = None,
        settled: Run | None = None,
    ) -> None:
        super().__init__(what, why, hints, untouched)
        self.settled = settled


def state_moved(where: str) -> StateMoved:
    """The state in a shared backend is not the one that was read."""
    return StateMoved(
        f"The state on {where} has changed.",
        "Someone else applied in the meantime.",
        [("stemctl plan", "shows the changes that are left")],
        Untouched.NOTHING_SENT,
    )


class Busy(StateError):
    """Another run holds the lease."""

    def __init__(self, lease: Lease, where: str) -> None:
        super().__init__(
            f"Another run holds the lease on {where}.",
            f"It is run {lease.run} of {lease.owner}, until {lease.until:%H:%M:%SZ}.",
            [("stemctl apply", "waits until that run has ended")],
            Untouched.NOTHING_SENT,
        )
        self.lease = lease


def wrong_server(where: str, url: str, server: Server) -> StateError:
    """A state or a journal that was written for another URL than the one of the server."""
    return StateError(
        f"{where} belongs to another server.",
        f"It was written for {url}, but the URL of {server.name} is {server.url}.\n"
        "If the server only moved, change the url in the state. Otherwise, rename the server.",
        untouched=Untouched.NOTHING_SENT,
    )
