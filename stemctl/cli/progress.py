"""What a long run shows on stderr while it works or waits: a bar at a terminal, and elsewhere a
line every half minute.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
from msgspec import Struct

from stemctl.cli.screen import Screen, pause_text
from stemctl.core.apply_report import Outcome, Status
from stemctl.render.text import run_text
from stemctl.render.width import broken
from stemctl.util.plural import counted

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from stemctl.core.lease import Lease

LONG = 1.0
"""Seconds of work before anything is shown."""

PLAIN_EVERY = 30.0
"""Seconds between two lines where there is no bar."""


class Progress:
    """Counts outcomes, and shows the counts once the work takes longer than a second."""

    def __init__(
        self, total: int, host: str, parallelism: int, *, shown: bool, colour: bool = False
    ) -> None:
        self.total = total
        self._colour = colour
        self.done = self.failed = 0
        self._intro = (
            f"Sending {counted(total, 'change')} to {host}, {parallelism} at a time. "
            "Press Ctrl-C to stop after the requests in flight."
        )
        self._shown = shown
        self._began = self._last_line = time.monotonic()
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
        """Count the outcome of one change."""
        with self._harmless():
            self._count(outcome)

    def paused(self, seconds: float) -> None:
        """Say that the server asked for a pause."""
        text = pause_text(seconds)
        with self._harmless():
            if self._bar is not None:
                self._bar.update(
                    self._bar.task_ids[0], description=f"{self._count_done()}   {text}"
                )
            elif self._shown:
                click.echo(text, err=True)

    @contextlib.contextmanager
    def _harmless(self) -> Iterator[None]:
        """Stop showing progress if that fails, and never the run: its requests are on their way."""
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
        elif now - self._last_line >= PLAIN_EVERY:
            self._last_line = now
            click.echo(self._line(now), err=True)

    def _line(self, now: float) -> str:
        rate = self.done / (now - self._began)
        left = int((self.total - self.done) / rate)
        counts = f"{self.done - self.failed:,} done  {self.failed:,} failed"
        time_left = f"{left // 60:,}:{left % 60:02d}"
        return f"{self._count_done()}   {counts}   {rate:,.0f}/s   {time_left}"

    def _count_done(self) -> str:
        return f"{self.done:,}/{self.total:,}"

    def _draw(self, now: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        if self._bar is None:
            console = Console(stderr=True, no_color=not self._colour)
            click.echo("\n".join(broken(self._intro, console.width)), err=True)
            self._bar = Progress(
                BarColumn(None, complete_style="green", finished_style="green"),
                TextColumn("{task.description}", style="default"),
                console=console,
                transient=True,
                expand=True,
            )
            self._bar.add_task("", total=self.total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=self.done, description=self._line(now))


class Waiting(Struct):
    """Shows that an apply waits for the run of another machine, and for whose."""

    screen: Screen
    where: str
    _run: str = ""
    _last_line: float = 0.0
    _seconds: float = 0.0

    def update(self, lease: Lease, seconds: float) -> None:
        """Describe the run once, and say every half minute that it still holds the lease."""
        self._seconds = seconds
        if lease.run != self._run:
            self.screen.note(run_text.waiting_text(lease, self.where))
            self._run, self._last_line = lease.run, seconds
        elif seconds - self._last_line >= PLAIN_EVERY:
            self.screen.note(
                f"Still waiting after {seconds:.0f} s; the lease now ends at "
                f"{lease.until:%H:%M:%SZ}."
            )
            self._last_line = seconds

    def end(self) -> None:
        """Say that the lease is free, if it was waited for."""
        if self._run:
            self.screen.note(f"The lease is free after {self._seconds:.0f} s.\n")
