"""Measure everything: `python -m tests.bench [PART ...] [--sizes 1000,10000] [--runs N]`.

Prints, in Markdown, what the machine is, one row for each piece of work, and which goals are met.
Nothing fails where one is not: a benchmark tells, and a person judges. All of it takes about half
an hour; the parts are `startup`, `files`, `plan`, `apply`, `nested` and `pull`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.bench import apply, files, machine, nested, plan, pull, report, startup
from tests.bench.bench import Bench

PARTS = {
    "startup": startup.rows,
    "files": files.rows,
    "plan": plan.rows,
    "apply": apply.rows,
    "nested": nested.rows,
    "pull": pull.rows,
}


def main() -> None:
    """Run the parts that are asked for, and print what came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all, if none is named")
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of records")
    parser.add_argument("--runs", type=int, default=5, help="of quick work")
    parser.add_argument("--before", default="", help="another stemctl, to compare an apply with")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    began, found = time.monotonic(), []
    print(f"{machine.describe()}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.parts or PARTS:
            for row in PARTS[name](Bench(Path(folder), sizes, asked.runs, asked.before)):
                print(f"- {report.line(row)}", flush=True)
                found.append(row)
    found = report.with_growth(found)
    print(f"\n{report.table([row for row in found if row.records != 1])}")
    if any(row.goals for row in found):
        print(f"\n{report.goals(found)}")
    print(f"\nMeasured in {(time.monotonic() - began) / 60:.0f} min.")


if __name__ == "__main__":
    main()
