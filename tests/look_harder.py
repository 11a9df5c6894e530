"""Run the random tests with new examples, again and again, until the time is up.

`python -m tests.look_harder [--minutes N] [--seed N]`

Each round has its own seed and runs every test that draws at random, on all cores: those of
Hypothesis and the two tortures. In a long run, later rounds draw up to twenty times the usual
examples. A test that failed is left out of the rounds that follow. The exit code is 1 if anything
failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.support.paths import PROJECT

ROOT = PROJECT
MOST = 20
PASSED, FAILED = 0, 1
"""Exit codes of pytest."""


def look(seed: int, effort: int, ends: float, known: Iterable[str]) -> set[str]:
    """Run the tests once, without those that are known to fail; gives those that fail now."""
    with tempfile.TemporaryDirectory() as cache:
        words = [
            "-m",
            "hypothesis or torture",
            f"--hypothesis-seed={seed}",
            "--tb=short",
            "-o",
            f"cache_dir={cache}",
        ]
        command = [
            sys.executable,
            "-m",
            "pytest",
            *words,
            *(f"--deselect={test}" for test in known),
        ]
        environ = {**os.environ, "STEMCTL_EFFORT": str(effort), "STEMCTL_DEADLINE": str(ends)}
        code = subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
        if code not in (PASSED, FAILED):
            sys.exit(code)
        failed = Path(cache, "v", "cache", "lastfailed")
        return set(json.loads(failed.read_text(encoding="utf-8"))) if code == FAILED else set()


def repeat(test: str, seed: int, effort: int) -> str:
    """The command that runs a failed test again."""
    environ = f"STEMCTL_EFFORT={effort} " if effort > 1 else ""
    return f"{environ}.venv/bin/pytest -n0 -m '' --hypothesis-seed={seed} {shlex.quote(test)}"


def main() -> None:
    """Run rounds until the time is up, then print how to repeat what failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    options = parser.parse_args()
    print(
        f"python -m tests.look_harder --minutes {options.minutes:g} --seed {options.seed}",
        flush=True,
    )
    ends, rounds = time.time() + 60 * options.minutes, 0
    failed: dict[str, str] = {}
    while not rounds or time.time() < ends:
        # No test may take much longer than the time that is left, and pytest ends none early.
        seed, effort = options.seed + rounds, max(1, min(2**rounds, int(options.minutes / 4), MOST))
        rounds += 1
        print(f"\n== round {rounds}: seed {seed}, {effort} times the usual examples", flush=True)
        failed |= {test: repeat(test, seed, effort) for test in look(seed, effort, ends, failed)}
    print(f"\n{rounds} rounds from seed {options.seed}: {len(failed)} tests failed")
    for command in failed.values():
        print(command)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
