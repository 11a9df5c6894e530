"""The benchmarks run, and count what they say they count. What they measure is nobody's business
here.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.paths import PROJECT


@pytest.mark.slow
def test_the_benchmarks_run() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.bench",
        "startup",
        "files",
        "plan",
        "--sizes",
        "2",
        "--runs",
        "1",
    ]
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    rows = [
        [cell.strip() for cell in line.split("|")]
        for line in told.stdout.splitlines()
        if line.startswith("| ")
    ]
    asked = {row[1]: row[9:11] for row in rows if len(row) > 10}
    assert asked["plan, nothing to do, 20 ms a request, 2"] == ["2", "2"]
    assert asked["plan, everything new, 2"][0] == "2"
    goals = {(row[1], row[2]): row[4] for row in rows if len(row) == 6}
    assert goals["plan, nothing to do, 20 ms a request, 2", "requests: at most pages + 3"] == "yes"
