"""The server that is measured against, seen from the outside."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Asked:
    """What the server counted: requests, and the most of them at once."""

    requests: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Served:
    """A sandbox in a process of its own."""

    url: str

    def begin(self, latency: float) -> Asked:
        """The requests since the last call; from now on each takes `latency` seconds more."""
        with urllib.request.urlopen(f"{self.url}bench?latency={latency}") as answer:
            found = json.load(answer)
        return Asked(found["requests"], found["most"])


@contextlib.contextmanager
def serve(folder: Path, count: int, edition: str = "2024") -> Iterator[Served]:
    """Serve `count` sessions from a new database in `folder`; in edition 2026, what a nested lab
    refers to.
    """
    database = folder / f"{edition}-{count}.db"
    command = [sys.executable, "-m", "tests.bench.server", str(count), str(database), edition]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Served(process.stdout.readline().strip())
        finally:
            process.terminate()
            process.wait()
