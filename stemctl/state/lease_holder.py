"""Our claim on a state branch while its run is on: how long it holds, also by a clock that a sleep
does not stop.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stemctl.core.lease import Lease, may_send, renewed
from stemctl.errors import LeaseEnded


@dataclass
class Moment:
    """How long ago something began, by every clock we have: a suspended machine stops one of them."""

    clock: Callable[[], datetime.datetime]
    _wall: datetime.datetime = field(init=False)
    _ticks: float = field(init=False)

    def __post_init__(self) -> None:
        self._wall, self._ticks = self.clock(), time.monotonic()

    def ago(self) -> datetime.timedelta:
        """The longest of what the clocks say."""
        return max(
            self.clock() - self._wall, datetime.timedelta(seconds=time.monotonic() - self._ticks)
        )


@dataclass
class LeaseHolder:
    """Our claim while its run is on. It counts from before the push that made it: others count from
    after that.

    `push` renews it where it is kept, `give_back` takes it away there; `where` is that place for
    people.
    """

    claim: Lease
    began: Moment
    where: str
    push: Callable[[Lease], None]
    give_back: Callable[[str], None]

    def check(self) -> None:
        """See whether something may still be sent.

        Raises:
            LeaseEnded: the lease ends soon, or ended: others may look for what we sent.
        """
        if not may_send(self.began.ago()):
            raise LeaseEnded(f"The claim on {self.where} could not be renewed in time.")

    def renew(self) -> None:
        """Have the lease begin anew; also after its end, if nobody has taken over.

        Raises:
            LeaseEnded: somebody has.
            StateError: the remote does not answer; the old lease goes on.
        """
        started = Moment(self.began.clock)
        claim = renewed(self.claim, self.began.clock())
        self.push(claim)
        self.claim, self.began = claim, started

    def release(self) -> None:
        """Give it back, where nothing was sent."""
        self.give_back(self.claim.run)
