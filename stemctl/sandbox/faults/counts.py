"""Which fault strikes a request: the only memory that faults have."""

from __future__ import annotations

import random

from stemctl.sandbox.faults.script import Fault, IncomingRequest, Script


class Counts:
    """Counts for each fault, kept as long as the file says the same in the same place."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, Fault, int | None], _Count] = {}

    def striking(self, script: Script, request: IncomingRequest) -> Fault | None:
        """The first fault that strikes; those after it do not see the request."""
        keys = [(position, fault, script.seed) for position, fault in enumerate(script.faults)]
        self._counts = {key: self._counts.get(key) or _Count(key[0], key[2]) for key in keys}
        for key, count in self._counts.items():
            if key[1].matches(request) and count.strikes(key[1]):
                return key[1]
        return None


class _Count:
    """How many matching requests one fault has seen, and how often it struck."""

    def __init__(self, position: int, seed: int | None) -> None:
        self._seen = 0
        self._struck = 0
        # One for each fault, so that the requests of others do not change what it draws.
        self._random = random.Random(None if seed is None else f"{seed} {position}")

    def strikes(self, fault: Fault) -> bool:
        """Whether it strikes this request, which matches and is counted."""
        self._seen += 1
        if self._seen <= fault.after or (fault.times is not None and self._struck >= fault.times):
            return False
        if fault.chance is not None and self._random.random() >= fault.chance:
            return False
        self._struck += 1
        return True
