"""Run the random tests with new examples, again and again, until the time is up.

`python -m tests.look_harder [--minutes N] [--seed N]`

Each round has its own seed and runs every test that draws at random, on all cores: those of Hypothesis and the two
tortures. In a long run, later rounds draw up to twenty times the usual examples. A test that failed is left out of the
rounds that follow. The exit code is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.effort import DEADLINE

MOST_EFFORT = 20


@dataclass
class Round:
    """The outcome of one round; pytest reports to it."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "call" and report.passed:
            self.passed += 1


def look(seed: int, effort: int, known: list[str]) -> Round:
    """Run the tests once, without those that are known to fail."""
    os.environ["STEMCTL_EFFORT"] = str(effort)
    words = ["-m", "hypothesis or torture", f"--hypothesis-seed={seed}", "-p", "no:cacheprovider", "--tb=short"]
    found = Round()
    code = pytest.main([*words, *(f"--deselect={test}" for test in known)], plugins=[found])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        sys.exit(f"pytest ended with {code!r}")
    return found


def repeat(test: str, seed: int, effort: int) -> str:
    """The command that runs a failed test again."""
    environ = f"STEMCTL_EFFORT={effort} " if effort > 1 else ""
    return f"{environ}pytest -n0 -m '' --hypothesis-seed={seed} {shlex.quote(test)}"


def main() -> None:
    """Run rounds until the time is up, then print how to repeat what failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    options: Any = parser.parse_args()
    print(f"look_harder --seed {options.seed}", flush=True)
    ends = time.time() + 60 * options.minutes
    os.environ[DEADLINE] = str(ends)
    failed: dict[str, str] = {}
    passed = rounds = 0
    while time.time() < ends:
        seed, effort = options.seed + rounds, max(1, min(2**rounds, int(options.minutes / 4), MOST_EFFORT))
        print(f"\n== round {rounds + 1}: seed {seed}, {effort} times the usual examples", flush=True)
        found = look(seed, effort, list(failed))
        passed, rounds = passed + found.passed, rounds + 1
        failed |= {test: repeat(test, seed, effort) for test in found.failed}
    print(f"\nlook_harder --seed {options.seed}: {rounds} rounds, {passed} tests passed, {len(failed)} failed")
    for command in failed.values():
        print(command)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
