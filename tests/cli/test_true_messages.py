"""Messages and exit codes claim only what was looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import Lab
from tests.support.paths import PROJECT


def test_a_sparse_checkout_does_not_make_the_configuration_wrong(lab: Lab) -> None:
    lab.sessions("{name: a}")
    git = ["git", "-C", str(lab.root), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["commit", "-qm", "first"],
        ["sparse-checkout", "set", "--no-cone", "/*", "!/records/"],
    ):
        subprocess.run([*git, *command], check=True, capture_output=True)
    for command in ("validate", "plan"):
        result = lab.run(command)
        assert result.code == 1
        assert "excluded by a sparse checkout" in result.out
        assert "does not exist" not in result.out
        assert "fix the name" not in result.out


def test_a_folder_in_the_place_of_a_file_says_what_to_do(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    (lab.root / ".stemctl" / "sandbox.journal").mkdir()
    result = lab.run("plan")
    assert result.code == 1
    assert "Move or rename the folder" in result.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_a_plan_that_was_saved_and_not_printed_is_no_plain_failure(lab: Lab) -> None:
    lab.sessions("{name: a}")
    command = [sys.executable, "-m", "stemctl", "-C", str(lab.root), "plan", "--out"]
    saved = lab.root / "plan.json"
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [*command, str(saved)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=PROJECT,
        )
    assert result.returncode == 3
    assert "Already done: the plan was saved to" in result.stderr
    assert saved.is_file()
