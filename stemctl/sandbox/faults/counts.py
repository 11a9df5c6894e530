"""Counts requests, and decides which fault strikes: the only state of faults."""

from __future__ import annotations

import random

from stemctl.sandbox.faults.script import Fault, IncomingRequest, Script


class Counts:
    """The counts of each fault, kept while its entry and position in the file do not change."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, Fault, int | None], _Count] = {}

    def striking(self, script: Script, request: IncomingRequest) -> Fault | None:
        """The first fault that strikes. Later ones do not count the request."""
        keys = [(position, fault, script.seed) for position, fault in enumerate(script.faults)]
        self._counts = {key: self._counts.get(key) or _Count(key[0], key[2]) for key in keys}
        for key, count in self._counts.items():
            if key[1].matches(request) and count.strikes(key[1]):
                return key[1]
        return None


class _Count:
    """How many matching requests a fault has seen, and how often it struck."""

    def __init__(self, position: int, seed: int | None) -> None:
        self._seen = 0
        self._struck = 0
        # Each fault has its own generator, so that requests of others do not change its numbers.
        self._random = random.Random(None if seed is None else f"{seed} {position}")

    def strikes(self, fault: Fault) -> bool:
        """Count a matching request, and decide whether the fault strikes it."""
        self._seen += 1
        if self._seen <= fault.after or (fault.times is not None and self._struck >= fault.times):
            return False
        if fault.chance is not None and self._random.random() >= fault.chance:
            return False
        self._struck += 1
        return True
