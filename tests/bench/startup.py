"""How long it takes until stemctl says anything, beside a Python that does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.bench import PYTHON, Bench, stemctl
from tests.bench.measure import Command, figures
from tests.bench.report import Goal, Row


def rows(bench: Bench) -> Iterator[Row]:
    """`--version` and `--help`: at most three times an empty process."""
    empty, *ours = figures(
        5 * bench.runs,
        Command([PYTHON, "-c", ""]),
        stemctl(None, "--version"),
        stemctl(None, "--help"),
    )
    for name, mine in zip(("--version", "--help"), ours, strict=True):
        goal = Goal(3, mine.wall / empty.wall, "at most 3 × Python", at_most=True)
        yield Row(f"stemctl {name}", mine, "python -c ''", empty, goals=[goal])
