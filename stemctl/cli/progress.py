"""The live line of a long run, on stderr: a bar at a terminal, a plain line every half minute
elsewhere.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from stemctl.core.report import Outcome, Status

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

LONG = 1.0
"""Seconds of work before anything is shown."""

PLAIN_EVERY = 30.0


class Progress:
    """Counts outcomes, and shows them once the work takes longer than a second."""

    def __init__(self, total: int, host: str, parallelism: int, shown: bool) -> None:
        self.total = total
        self.done = self.failed = 0
        self._intro = f"Sending {total:,} changes to {host}, {parallelism} at a time. Ctrl-C stops after those in flight."
        self._shown = shown
        self._began = self._said = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._harmless():
            if self._bar is not None:
                self._bar.stop()

    def outcome(self, outcome: Outcome) -> None:
        """Take one outcome in."""
        with self._harmless():
            self._count(outcome)

    @contextlib.contextmanager
    def _harmless(self) -> Iterator[None]:
        """Whatever keeps progress from being shown ends the showing, and never the run: its
        requests are on the way.
        """
        try:
            yield
        except Exception:
            self._shown, self._bar = False, None

    def _count(self, outcome: Outcome) -> None:
        self.done += 1
        self.failed += outcome.status in (Status.FAILED, Status.UNKNOWN)
        now = time.monotonic()
        if not self._shown or now - self._began < LONG:
            return
        if sys.stderr.isatty():
            self._draw(now)
        elif now - self._said >= PLAIN_EVERY:
            self._said = now
            click.echo(self._line(now), err=True)

    def paused(self, seconds: float) -> None:
        """The server asks for a pause: say so instead of standing still."""
        text = f"paused {seconds:.0f} s: the server asks for it"
        with self._harmless():
            if self._bar is not None:
                self._bar.update(
                    self._bar.task_ids[0], description=f"{self.done}/{self.total}   {text}"
                )
            elif self._shown:
                click.echo(text[0].upper() + text[1:] + ".", err=True)

    def _line(self, now: float) -> str:
        rate = self.done / (now - self._began)
        left = int((self.total - self.done) / rate)
        counts = f"{self.done - self.failed} done  {self.failed} failed"
        return f"{self.done}/{self.total}   {counts}   {rate:.0f}/s   {left // 60}:{left % 60:02d}"

    def _draw(self, now: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        if self._bar is None:
            click.echo(self._intro, err=True)
            self._bar = Progress(
                BarColumn(50),
                TextColumn("{task.description}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.add_task("", total=self.total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=self.done, description=self._line(now))
