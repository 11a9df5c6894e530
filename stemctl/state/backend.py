"""Where the state of a server is kept: what a file and a branch have in common, and how writers get
in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from stemctl.core.lease import Lease
from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.errors import Hint, StateError
from stemctl.state.lease_holder import LeaseHolder

Lines = Callable[[], bytes]
"""The lines of a journal, for a place that keeps them with the state."""


class StateBackend(Protocol):
    """Where the state of a server is kept, and who else may write to it. `where` is for people."""

    @property
    def where(self) -> str:
        """The place as people see it."""

    def refresh(self) -> None:
        """Look at it again; else a command sees it as it was at its first look."""

    def look_without_asking(self) -> None:
        """Take what was seen last, without a network."""

    def load(self) -> State | None:
        """The state as it was written; None if there is none."""

    def save(self, state: State, run: Run | None, lines: Lines, who: str, what: str) -> None:
        """Replace it, after a run (with the lines of its journal, and its claim given back) or for
        another reason.
        """

    def release(self, run: str) -> None:
        """Give the claim of a run back that changed nothing."""

    def remove(self, who: str) -> None:
        """Take it away, after it was put elsewhere."""

    def claimed(self) -> Lease | None:
        """Which run of any machine holds it."""

    def dead(self) -> bool:
        """Whether that run is known to send nothing more."""

    def claimed_run(self) -> Run:
        """That run as far as its claim tells."""

    def still_claimed(self, run: str) -> bool:
        """Whether nobody else has settled a run of this folder."""

    def claim(self, run: Run) -> LeaseHolder | None:
        """Keep other machines out; raises Busy or StateMoved."""

    def past_runs(self) -> dict[str, bytes]:
        """The records of runs that are kept with the state."""


class StateMoved(StateError):
    """Somebody else changed the state since it was read, or `settled` did: a run that died and was
    folded in.
    """

    def __init__(
        self, what: str, why: str = "", hints: Sequence[Hint] = (), settled: Run | None = None
    ) -> None:
        super().__init__(what, why, hints)
        self.settled = settled


def moved_on(where: str) -> StateMoved:
    """The state on a branch is not the one that was read."""
    return StateMoved(
        f"The state on {where} has moved on.",
        "Somebody else applied meanwhile. Nothing was sent.",
        [("stemctl plan", "shows it as it is now")],
    )


class Busy(StateError):
    """Another run holds the claim."""

    def __init__(self, lease: Lease, where: str) -> None:
        super().__init__(
            f"Another run holds the claim on {where}.",
            f"It is run {lease.run} of {lease.owner}, until {lease.until:%H:%M:%SZ}. Nothing was sent.",
            [("stemctl apply", "waits until it is over")],
        )
        self.lease = lease
