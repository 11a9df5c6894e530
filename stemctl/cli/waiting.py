"""What is said while an apply waits for the run of another machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemctl.cli.screen import Screen

if TYPE_CHECKING:
    from stemctl.core.lease import Lease

_EVERY = 30.0
"""Seconds between two lines that say that we still wait."""


@dataclass(slots=True)
class Waiting:
    """Told at each look of the claim that is in the way, and of how long we have waited."""

    screen: Screen
    where: str
    _run: str = ""
    _said: float = 0.0
    _seconds: float = 0.0

    def see(self, lease: Lease, seconds: float) -> None:
        """Say whom we wait for, once, and every half minute that we still do."""
        from stemctl.render.text.run_text import waiting_text

        self._seconds = seconds
        if lease.run != self._run:
            self.screen.note(waiting_text(lease, self.where))
            self._run, self._said = lease.run, seconds
        elif seconds - self._said >= _EVERY:
            self.screen.note(
                f"Still waiting after {seconds:.0f} s; its lease is until {lease.until:%H:%M:%SZ} now."
            )
            self._said = seconds

    def over(self) -> None:
        """Say that the wait is over."""
        if self._run:
            self.screen.note(f"The claim was free, or ended, after {self._seconds:.0f} s.\n")
