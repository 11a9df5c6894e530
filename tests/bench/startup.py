"""How long it takes until stemctl says anything, beside a Python that does nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.bench import labs
from tests.bench.bench import PYTHON, Bench, stemctl
from tests.bench.measure import Command, figures, once
from tests.bench.report import Goal, Row

SMALL = 40
"""Records of a small repository."""

GOALS = {
    "--version": 3,
    "--help": 3,
    "validate of one file": 6,
    f"plan of {SMALL} records, sandbox in process": 12,
}
"""Times that of an empty process, at most."""


def rows(bench: Bench) -> Iterator[Row]:
    """`--version`, `--help`, and what people wait for in a small repository."""
    one = _repository(bench.folder / "one", 1)
    small = _repository(bench.folder / "small", SMALL)
    once(stemctl(small, "sandbox", "seed"))
    commands = [
        stemctl(None, "--version"),
        stemctl(None, "--help"),
        replace(stemctl(None, "validate"), cwd=one),  # as people type it
        replace(stemctl(None, "plan"), cwd=small),
    ]
    empty, *ours = figures(5 * bench.runs, Command([PYTHON, "-c", ""]), *commands)
    for (name, times), mine in zip(GOALS.items(), ours, strict=True):
        goal = Goal(times, mine.wall / empty.wall, f"at most {times} × Python", at_most=True)
        yield Row(f"stemctl {name}", mine, "python -c ''", empty, goals=[goal])


def _repository(folder: Path, count: int) -> Path:
    """A repository in git, as people have them."""
    labs.write_lab(folder, range(count), 10)
    author = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "-m", "Records"]):
        subprocess.run(["git", "-C", folder, *words], check=True)
    return folder
