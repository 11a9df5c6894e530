"""`pull` of a whole lab of edition 2026 into an empty repository, beside `get -o json` of the same
records, model by model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench import nested_labs
from tests.bench.bench import PROGRAMS, TOKEN, Bench, stemctl
from tests.bench.measure import Command, figures, once
from tests.bench.report import Goal, Row
from tests.bench.served import serve

MODELS = ("session", "behavior", "dataacquisition", "subject", "procedure", "subjectlog")
SLOWER = 3
"""The most that a pull may take, in times of listing what it writes."""


def rows(bench: Bench) -> Iterator[Row]:
    """A pull of everything, and the same again with nothing to do."""
    for size in bench.sizes:
        yield from _pull(bench, size // nested_labs.PER_SESSION)


def _pull(bench: Bench, sessions: int) -> Iterator[Row]:
    count, folder = nested_labs.records(sessions), bench.folder / f"pull{sessions}"
    with serve(folder, 0, "2026") as server:
        lab = nested_labs.write_lab(folder / "lab", sessions, server.url)
        once(stemctl(lab, "apply", "--auto-approve"))
        config = (lab / "stemctl.yaml").read_text(encoding="utf-8")
        mine, other = figures(
            bench.runs_of(count), _fresh_pull(folder / "new", config), _gets(lab), warm=False
        )
        server.begin(0)
        (again,) = figures(1, stemctl(folder / "new", "pull", "--all"), warm=False)
        asked = server.begin(0)
    goal = Goal(SLOWER, mine.wall / other.wall, "at most 3 × get -o json", at_most=True)
    yield Row("pull of everything", mine, "get -o json", other, goals=[goal], records=count)
    yield Row("pull, nothing to do", again, asked=asked, records=count)


def _fresh_pull(folder: Path, config: str) -> Command:
    """A pull into a folder that has nothing but its configuration."""
    script = 'rm -rf "$1" && mkdir -p "$1" && printf %s "$2" > "$1/stemctl.yaml" && '
    script += '"$3" -C "$1" pull --all'
    program = PROGRAMS / "stemctl"
    return Command(["sh", "-c", script, "sh", folder, config, program], environ=TOKEN)


def _gets(lab: Path) -> Command:
    """Lists of all that the pull writes."""
    script = (
        'program=$1 lab=$2; shift 2; for model; do "$program" -C "$lab" get "$model" -o json; done'
    )
    words = ["sh", "-c", script, "sh", PROGRAMS / "stemctl", lab, *MODELS]
    return Command(words, environ=TOKEN)
