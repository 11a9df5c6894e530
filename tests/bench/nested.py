"""Edition 2026: records inside records, most of them without a unique name, beside as many plain
sessions of edition 2024.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import labs, nested_labs
from tests.bench.bench import Bench, stemctl
from tests.bench.measure import figures, once
from tests.bench.report import Goal, Row
from tests.bench.served import serve

PAGE = 100
MODELS = 6
"""Models that the lab declares and that are listed by themselves: entries come with their logs."""

SLOWER = 1.2
"""The most that a record may cost in edition 2026, in times of one in edition 2024."""

UNUSED = "http://127.0.0.1:9/"


def rows(bench: Bench) -> Iterator[Row]:
    """`validate` of one file and of many; a plan with nothing to do."""
    for sessions in (1, *(size // nested_labs.PER_SESSION for size in bench.sizes)):
        yield _validate(bench, sessions)
    for sessions in (size // nested_labs.PER_SESSION for size in bench.sizes):
        yield _plan(bench, sessions)


def _validate(bench: Bench, sessions: int) -> Row:
    count = nested_labs.records(sessions) if sessions > 1 else 1
    nested = nested_labs.write_lab(bench.folder / f"deep{sessions}", sessions, UNUSED)
    plain = labs.write_lab(bench.folder / f"plain{count}", range(count), 10)
    mine, other = figures(
        bench.runs_of(count), stemctl(nested, "validate"), stemctl(plain, "validate")
    )
    goal = Goal(SLOWER, mine.cpu / other.cpu, "CPU: at most 1.2 × edition 2024", at_most=True)
    return Row("validate, nested records", mine, "edition 2024", other, goals=[goal], records=count)


def _plan(bench: Bench, sessions: int) -> Row:
    count = nested_labs.records(sessions)
    with serve(bench.folder / f"nested{sessions}", 0, "2026") as server:
        lab = nested_labs.write_lab(bench.folder / f"same{sessions}", sessions, server.url)
        once(stemctl(lab, "apply", "--auto-approve"))
        (mine,) = figures(bench.runs_of(count), stemctl(lab, "plan", "--detailed-exitcode"))
        server.begin(0)
        once(stemctl(lab, "plan", "--detailed-exitcode"))
        asked = server.begin(0)
    subjects = -(-sessions // 10)
    lists = (sessions, sessions, 2 * sessions, subjects, 2 * subjects, subjects)
    pages = sum(-(-length // PAGE) for length in lists)
    most = Goal(pages + MODELS + 3, asked.requests, "requests: pages + models + 3", at_most=True)
    return Row(
        "plan of nested records, nothing to do", mine, asked=asked, goals=[most], records=count
    )
