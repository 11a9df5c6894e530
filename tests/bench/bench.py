"""What every benchmark needs: a folder to work in, the sizes to measure, and the programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import Command

PYTHON = sys.executable
PROGRAMS = Path(PYTHON).parent
TOKEN = {"BRAINSTEM_TOKEN": "sandbox-user"}


@dataclass(frozen=True, slots=True)
class Bench:
    """A run of the benchmarks, at several numbers of records."""

    folder: Path
    sizes: Sequence[int]
    runs: int
    before: str = ""
    """Another stemctl, to compare an apply with."""

    def runs_of(self, count: int) -> int:
        """How often work of this size is measured: three times if one takes a minute."""
        return self.runs if count <= 1000 else min(self.runs, 3)


def stemctl(
    lab: Path | None, *arguments: str, expect: int = 0, program: str | Path = ""
) -> Command:
    """A command of stemctl, as a user starts it."""
    where = ["-C", str(lab)] if lab else []
    return Command(
        [program or PROGRAMS / "stemctl", *where, *arguments], expect=expect, environ=TOKEN
    )


def peer(name: str, *arguments: object) -> Command:
    """One of the programs in `peers`."""
    return Command([PYTHON, "-m", f"tests.bench.peers.{name}", *map(str, arguments)])
