"""Work in steps, so that something else can go on in between."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Part = TypeVar("Part")

Steps = Generator[None, None, T]
"""Work that yields after each step, and returns its result."""


def at_once(work: Callable[P, Steps[T]]) -> Callable[P, T]:
    """The same work, for those who have nothing to do in between."""

    @functools.wraps(work)
    def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        results: list[T] = []
        for _ in keeping(work(*args, **kwargs), results):
            pass
        return results[0]

    return whole


def keeping(steps: Steps[T], results: list[T]) -> Steps[None]:
    """The same steps, for a loop, which would lose their result: it is added to `results`."""
    results.append((yield from steps))


def each(work: Callable[[Part], T], parts: Iterable[Part]) -> Steps[list[T]]:
    """What `work` makes of each part."""
    done = []
    for part in parts:
        yield
        done.append(work(part))
    return done
