"""`apply` beside a loop over the official client, and beside Terraform with one curl for each
record.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.bench import labs
from tests.bench.bench import Bench, peer, stemctl
from tests.bench.measure import Figure, figures, once
from tests.bench.peers import terraform
from tests.bench.report import Goal, Row
from tests.bench.served import Asked, serve

COUNT = 1000
LATENCY = 0.05
PARALLEL = 8
REQUESTS = {"create": 1, "update": 2, "delete": 2}
"""Of one change: what is there already is read before it is changed."""


def rows(bench: Bench) -> Iterator[Row]:
    """A thousand creates, updates and deletes, each request 50 ms; then how creating grows with the
    number.
    """
    for work in REQUESTS:
        yield from _beside(bench.folder / work, work)
    for count in (1, *bench.sizes):
        mine, asked = _everything_new(bench.folder / f"grow{count}", count)
        if count == 10_000 and bench.before:
            other, _ = _everything_new(bench.folder / "before", count, bench.before)
            goal = Goal(2, other.wall / mine.wall, "2 × faster than before")
            beside = ("the stemctl before", other)
            yield Row("apply, everything new", mine, *beside, (), asked, [goal], count)
        else:
            yield Row("apply, everything new", mine, asked=asked, records=count)


def _everything_new(folder: Path, count: int, program: str = "") -> tuple[Figure, Asked]:
    with serve(folder, 0) as server:
        lab = labs.write_lab(folder / "lab", range(count), 10, server.url)
        server.begin(0)
        command = stemctl(lab, "apply", "--auto-approve", program=program)
        (mine,) = figures(1, command, warm=False)
        return mine, server.begin(0)


def _beside(folder: Path, work: str) -> Iterator[Row]:
    name = f"apply, {COUNT:,} {work}s, 50 ms a request"
    there = 0 if work == "create" else COUNT
    least = COUNT * REQUESTS[work] * LATENCY / PARALLEL
    mine, asked = _ours(folder / "ours", work, there)
    with serve(folder / "client", there) as server:
        server.begin(LATENCY)
        (other,) = figures(1, peer("official", server.url, work, COUNT), warm=False)
    goals = [Goal(PARALLEL, asked.at_once, "at once: at most 8", at_most=True)]
    limits = [("of latency", least)]
    if work == "create":
        bare = _bare(folder / "bare")
        limits.append(("with a bare client", bare.wall))
        goals.append(Goal(6, other.wall / mine.wall, "6 × faster"))
        goals.append(Goal(1.1, mine.wall / least, "at most 1.1 × the latency", at_most=True))
        goals.append(Goal(1.1, mine.wall / bare.wall, "at most 1.1 × bare", at_most=True))
    yield Row(name, mine, "official client, a loop", other, limits, asked, goals)
    if work == "create" and terraform.is_here():
        other = _terraform(folder / "terraform")
        yield Row(
            name,
            mine,
            "Terraform 1.11, one curl each",
            other,
            goals=[Goal(1, other.wall / mine.wall, "faster")],
        )


def _ours(folder: Path, work: str, there: int) -> tuple[Figure, Asked]:
    with serve(folder, there) as server:
        lab = labs.write_lab(folder / "lab", range(there), 10, server.url)
        if there:
            once(stemctl(lab, "apply", "--auto-approve"))
            shutil.rmtree(lab / "records")
        labs.write_lab(
            lab,
            range(0 if work == "delete" else COUNT),
            10,
            server.url,
            lambda number: work == "update",
        )
        (lab / "records" / "none.yaml").write_text("sessions: []\n", encoding="utf-8")
        server.begin(LATENCY)
        allowed = ["--allow", f"delete={COUNT}"] if work == "delete" else []
        (mine,) = figures(1, stemctl(lab, "apply", "--auto-approve", *allowed), warm=False)
        return mine, server.begin(0)


def _bare(folder: Path) -> Figure:
    with serve(folder, 0) as server:
        server.begin(LATENCY)
        (found,) = figures(1, peer("bare", server.url, "create", COUNT), warm=False)
    return found


def _terraform(folder: Path) -> Figure:
    with serve(folder, 0) as server:
        terraform.write(folder / "module", server.url, COUNT)
        server.begin(LATENCY)
        (found,) = figures(1, peer("terraform", folder / "module"), warm=False)
        asked = server.begin(0)
        assert asked.requests == COUNT, asked
    return found
