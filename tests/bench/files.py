"""Work that needs no server: `validate` beside check-jsonschema with the same schema, and `fmt`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench import labs
from tests.bench.bench import PROGRAMS, Bench, peer, stemctl
from tests.bench.measure import Command, figures
from tests.bench.report import Goal, Row
from tests.support.paths import PROJECT

LARGEST_BESIDE = 10_000
"""Records with which check-jsonschema still comes to an end while one waits."""

SCHEMA = PROJECT / "schemas" / "2024" / "manifest.schema.json"


def rows(bench: Bench) -> Iterator[Row]:
    """Files of one record each, one file of many records, and the layout of files."""
    smaller = None
    for count in (1, *bench.sizes):
        lab = labs.write_lab(bench.folder / f"single{count}", range(count), 1)
        yield _validate(bench, lab, count, "validate, files of one record", smaller)
        smaller = (count, lab)
    count = min(10_000, bench.sizes[-1])
    lab = labs.write_lab(bench.folder / "one-file", range(count), count)
    yield _validate(bench, lab, count, "validate, one file of so many records")
    count = bench.sizes[0]
    lab = bench.folder / f"single{count}"
    mine, limit = figures(
        bench.runs, stemctl(lab, "fmt", "--check"), peer("parse", lab / "records")
    )
    yield Row(f"fmt --check of {count:,} files", mine, limits=[("to parse", limit.wall)])


def _validate(
    bench: Bench, lab: Path, count: int, work: str, smaller: tuple[int, Path] | None = None
) -> Row:
    runs = bench.runs_of(count)
    before = [stemctl(smaller[1], "validate")] if smaller and count > LARGEST_BESIDE else []
    commands = [stemctl(lab, "validate"), peer("parse", lab / "records"), *before]
    mine, limit, *others = figures(runs, *commands, warm=count <= 1000)
    limits = [("to parse", limit.wall)]
    if count == 1 or count > LARGEST_BESIDE:
        measured = (smaller[0], others[0]) if smaller and others else None
        return Row(work, mine, limits=limits, records=count, smaller=measured)
    files = [path.relative_to(lab) for path in sorted((lab / "records").rglob("*.yaml"))]
    command: list[str | Path] = [PROGRAMS / "check-jsonschema", "--schemafile", SCHEMA, *files]
    mine, other = figures(
        min(runs, 3), stemctl(lab, "validate"), Command(command, cwd=lab), warm=count <= 1000
    )
    goals = []
    if len(files) == 10_000:
        goals = [
            Goal(14, other.wall / mine.wall, "14 × faster"),
            Goal(2, mine.wall / limit.wall, "at most 2 × the C parser", at_most=True),
        ]
    return Row(work, mine, "check-jsonschema", other, limits, goals=goals, records=count)
