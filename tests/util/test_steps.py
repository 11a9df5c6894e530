"""Work in steps: at once, and while others wait."""

from __future__ import annotations

import asyncio

import pytest

from stemctl.commands.event_loop import going_on
from stemctl.util.steps import Steps, at_once, each


def doubled(seen: list[int], number: int = 5) -> Steps[list[int]]:
    def work(part: int) -> int:
        seen.append(part)
        return part * 2

    return (yield from each(work, range(number)))


def test_at_once() -> None:
    assert at_once(doubled)([], number=3) == [0, 2, 4]
    assert at_once(doubled)([], 0) == []


def test_others_go_on_between_steps() -> None:
    async def scenario() -> None:
        seen: list[int] = []
        async with going_on(doubled(seen)) as work:
            assert seen == []
            met = set()
            while not work.done():
                met.add(len(seen))
                await asyncio.sleep(0)
            assert met == {0, 1, 2, 3, 4}
            assert await work == [0, 2, 4, 6, 8]

    asyncio.run(scenario())


def test_what_takes_no_step_is_done_at_once() -> None:
    async def scenario() -> None:
        async with going_on(doubled([], 0)) as work:
            assert work.done()

    asyncio.run(scenario())


def test_who_leaves_ends_it() -> None:
    steps, seen = None, []

    async def scenario() -> None:
        nonlocal steps
        steps = doubled(seen)
        async with going_on(steps):
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(scenario())
    assert steps is not None
    assert steps.gi_frame is None  # closed: what it holds is let go
    assert seen == []
