"""The lease of our own run, and how long it still holds, also after a suspended machine wakes."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

from msgspec import Struct

from stemctl.core.lease import Lease, may_send, renewed
from stemctl.errors import LeaseEnded


class Moment:
    """How long ago something began, by both clocks: a suspended machine stops one of them."""

    def __init__(self, clock: Callable[[], datetime.datetime]) -> None:
        self.clock = clock
        self._wall = clock()
        self._ticks = time.monotonic()

    def ago(self) -> datetime.timedelta:
        """The longer one of what the two clocks say."""
        ticks = datetime.timedelta(seconds=time.monotonic() - self._ticks)
        return max(self.clock() - self._wall, ticks)


class LeaseHolder(Struct):
    """Our lease while its run is on. We count from before the push that made it, others from after.

    `push` renews it in the backend, `give_back` removes it there; `where` is that backend for
    people.
    """

    lease: Lease
    began: Moment
    where: str
    push: Callable[[Lease], None]
    give_back: Callable[[str], None]

    def check(self) -> None:
        """See whether something may still be sent.

        Raises:
            LeaseEnded: the lease is about to end, or ended: others may look for what we sent.
        """
        if not may_send(self.began.ago()):
            raise LeaseEnded(f"The lease on {self.where} could not be renewed in time.")

    def renew(self) -> None:
        """Start a new term of the lease; also after its end, if it was not taken over.

        Raises:
            LeaseEnded: it was taken over.
            StateError: the remote does not answer; the old term continues.
        """
        started = Moment(self.began.clock)
        lease = renewed(self.lease, self.began.clock())
        self.push(lease)
        self.lease, self.began = lease, started

    def release(self) -> None:
        """Give the lease back, if nothing was sent."""
        self.give_back(self.lease.run)
