"""`plan` beside the official client, which merely lists the records; and how it grows with their
number.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.bench import labs
from tests.bench.bench import Bench, peer, stemctl
from tests.bench.measure import figures, once
from tests.bench.report import Goal, Row
from tests.bench.served import Served, serve

PER_FILE = 10
PAGE = 100
PARALLEL = 8


def rows(bench: Bench) -> Iterator[Row]:
    """Nothing to do, one record in a hundred changed, everything new."""
    with contextlib.ExitStack() as servers:
        smaller = None
        for count in (1, *bench.sizes):
            server = servers.enter_context(serve(bench.folder, count))
            same = labs.write_lab(bench.folder / f"plan{count}", range(count), PER_FILE, server.url)
            once(stemctl(same, "apply", "--auto-approve"))  # adopts all that is there
            for latency in (0, 0.02):
                yield _listed(
                    bench,
                    server,
                    same,
                    count,
                    latency,
                    smaller if count == bench.sizes[-1] else None,
                )
            yield _edited(bench, server, same, count)
            if count > 50 * PAGE:
                yield _few(bench, server, count)
            empty = servers.enter_context(serve(bench.folder / f"empty{count}", 0))
            lab = labs.write_lab(bench.folder / f"new{count}", range(count), PER_FILE, empty.url)
            yield _plan(bench, empty, lab, count, "plan, everything new")
            smaller = (count, same)


def _listed(
    bench: Bench,
    server: Served,
    lab: Path,
    count: int,
    latency: float,
    smaller: tuple[int, Path] | None,
) -> Row:
    server.begin(latency)
    mine, other, bare, *before = figures(
        bench.runs_of(count),
        stemctl(lab, "plan"),
        peer("official", server.url, "list", count),
        peer("bare", server.url, "list", count),
        *([stemctl(smaller[1], "plan")] if smaller and not latency else []),
        warm=count <= 1000,
    )
    server.begin(latency)
    once(stemctl(lab, "plan"))
    asked, pages = server.begin(0), -(-count // PAGE)
    goals = [
        Goal(pages + 3, asked.requests, "requests: at most pages + 3", at_most=True),
        Goal(PARALLEL, asked.at_once, "at once: at most 8", at_most=True),
    ]
    if count == 10_000:
        times = 2.5 if latency else 0.6
        goals.append(Goal(times, other.wall / mine.wall, f"{times} × as fast as listing"))
    limits = [
        ("with a bare client", bare.wall),
        *([("of latency", pages * latency / PARALLEL)] if latency else []),
    ]
    work = f"plan, nothing to do, {latency * 1000:.0f} ms a request"
    measured = (smaller[0], before[0]) if smaller and before else None
    return Row(work, mine, "official client, listing", other, limits, asked, goals, count, measured)


def _edited(bench: Bench, server: Served, same: Path, count: int) -> Row:
    """One record in a hundred has another description in the files."""
    lab = labs.write_lab(
        bench.folder / f"edited{count}", range(count), PER_FILE, server.url, lambda n: n % 100 == 0
    )
    shutil.copy(same / "bench.state.json", lab)
    return _plan(bench, server, lab, count, "plan, 1 % changed")


def _few(bench: Bench, server: Served, count: int) -> Row:
    """Fifty of many records are read one by one: fewer requests than pages."""
    lab = labs.write_lab(
        bench.folder / f"few{count}", range(0, count, count // 50), PER_FILE, server.url
    )
    once(stemctl(lab, "apply", "--auto-approve"))
    row = _plan(bench, server, lab, 50, f"plan of 50 records, {count:,} on the server")
    assert row.asked is not None
    goal = Goal(53, row.asked.requests, "requests: at most 50 + 3", at_most=True)
    return replace(row, records=None, goals=[goal])


def _plan(bench: Bench, server: Served, lab: Path, count: int, work: str) -> Row:
    (mine,) = figures(bench.runs_of(count), stemctl(lab, "plan"), warm=count <= 1000)
    server.begin(0)
    once(stemctl(lab, "plan"))
    return Row(work, mine, asked=server.begin(0), records=count)
