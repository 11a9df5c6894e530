"""Asynchronous work run from code that is not, and the other way round."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from stemctl.util.steps import Steps, keeping

T = TypeVar("T")

_TURNS = 5
"""Turns of the event loop after each step: in one alone, an answer would only wake who waits for
it, and the next request would leave some steps later.
"""


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run work in an event loop, and return its result. Work that was cancelled was interrupted.

    The task itself has no result: `asyncio.run` formats the task as text when it restores the
    signal handler (Python 3.11 to 3.13 at least), which for a plan of 10,000 records took a tenth
    of the time.
    """
    results: list[T] = []

    async def keep_result() -> None:
        results.append(await work)

    try:
        asyncio.run(keep_result())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return results[0]


@contextlib.asynccontextmanager
async def going_on(steps: Steps[T]) -> AsyncIterator[asyncio.Task[T]]:
    """A task that has done the first step, and does the others while this one waits. At the end, it
    is given up.
    """
    task = asyncio.create_task(_between_others(steps))
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _between_others(steps: Steps[T]) -> T:
    results: list[T] = []
    with contextlib.closing(keeping(steps, results)) as one_by_one:
        for _ in one_by_one:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
    return results[0]
