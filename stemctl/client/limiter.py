"""Limits the requests in flight, and pauses them when the server asks for it.

One limiter serves all requests of a command, so that all of them keep a pause. A pause halves the
limit. It grows back by one after each round of successful responses.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable


class Limiter:
    """Allows at most `slots` requests in flight. `on_pause` is called for pauses from a second."""

    def __init__(
        self, slots: int, on_pause: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self.limit = slots
        self._max = slots
        self.on_pause = on_pause
        self._in_flight = self._waiting = 0
        self._answers = 0
        self._resume_at = 0.0
        self._changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a free slot and for the end of a pause, and hold the slot."""
        await self._take_slot()
        try:
            yield
        finally:
            self._in_flight -= 1
            if self._waiting:
                async with self._changed:
                    self._changed.notify(max(1, self.limit - self._in_flight))

    async def _take_slot(self) -> None:
        if not self._waiting and self._in_flight < self.limit and not self.is_paused:
            self._in_flight += 1  # as nearly always in an apply
            return
        self._waiting += 1
        try:
            await self._wait_for_slot()
        finally:
            self._waiting -= 1

    async def _wait_for_slot(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._in_flight < self.limit)
                if not self.is_paused:
                    self._in_flight += 1
                    return
            await self.resumed()

    @property
    def is_paused(self) -> bool:
        """Whether the server asked for a pause that is not over."""
        return self._left() > 0

    async def resumed(self) -> None:
        """Wait for the end of a pause."""
        while self.is_paused:
            await asyncio.sleep(self._left())

    def _left(self) -> float:
        return self._resume_at - asyncio.get_running_loop().time()

    def pause(self, seconds: float) -> None:
        """Pause all requests. Several requests in flight together reduce the limit only once."""
        if self._left() <= 0:
            self.limit = max(1, self.limit // 2)
            self._answers = 0
            if seconds >= 1:
                self.on_pause(seconds)
        self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + seconds)

    def answered(self) -> None:
        """Count a successful response. After a round of them, the limit grows by one."""
        self._answers += 1
        if self._answers >= self.limit and self.limit < self._max:
            self.limit += 1
            self._answers = 0


class SharedSlot:
    """A slot that several requests in a row share, so that they do not wait between them."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self.pause = limiter.pause
        self.answered = limiter.answered

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for the end of a pause. The slot is held already."""
        await self._limiter.resumed()
        yield

    @property
    def is_paused(self) -> bool:
        """Whether the server asked for a pause that is not over."""
        return self._limiter.is_paused
