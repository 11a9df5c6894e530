"""How many requests are in flight, and when: never more than allowed, fewer after the server asked
for a pause.

One limiter serves all requests of a command, so that a pause is kept by all of them. After a pause
the number in flight is halved, and grows back by one after each round of answers without a
complaint.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable


class Limiter:
    """`slots` is the most that may be in flight; `on_pause` is told of each pause of a second and more."""

    def __init__(
        self, slots: int, on_pause: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self.limit = slots
        self._most = slots
        self.on_pause = on_pause
        self._in_flight = 0
        self._answers = 0
        self._resume_at = 0.0
        self._changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a place and for the end of a pause, and hold the place."""
        await self._take_place()
        try:
            yield
        finally:
            self._in_flight -= 1
            async with self._changed:
                self._changed.notify(
                    max(1, self.limit - self._in_flight)
                )  # as many as have a place now

    async def _take_place(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._in_flight < self.limit)
                if not self.is_paused:
                    self._in_flight += 1
                    return
            await self.resumed()

    @property
    def is_paused(self) -> bool:
        """Whether the server has asked for a pause that is not over."""
        return self._left() > 0

    async def resumed(self) -> None:
        """Wait for the end of a pause."""
        while self.is_paused:
            await asyncio.sleep(self._left())

    def _left(self) -> float:
        return self._resume_at - asyncio.get_running_loop().time()

    def pause(self, seconds: float) -> None:
        """The server asks all of us to wait. What was in flight together counts as one complaint."""
        if self._left() <= 0:
            self.limit = max(1, self.limit // 2)
            self._answers = 0
            if seconds >= 1:
                self.on_pause(seconds)
        self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + seconds)

    def answered(self) -> None:
        """An answer without a complaint: after a round of them, one more may be in flight."""
        self._answers += 1
        if self._answers >= self.limit and self.limit < self._most:
            self.limit += 1
            self._answers = 0


class SharedSlot:
    """The one place that several requests in a row share, so that between them there is no wait for
    a place.
    """

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self.pause = limiter.pause
        self.answered = limiter.answered

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """It is held already; only a pause is waited for."""
        await self._limiter.resumed()
        yield

    @property
    def is_paused(self) -> bool:
        """Whether the server has asked for a pause that is not over."""
        return self._limiter.is_paused
