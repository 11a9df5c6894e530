"""Commands that need no network do not load it, since that takes longer than most of them run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stemctl.cli.main import COMMANDS

HEAVY = {"asyncio", "deepdiff", "httpx", "jsonschema", "rich", "sqlite3", "starlette", "uvicorn"}
QUICK = ["validate", "fmt", "show", "init", "state", "runs", "ci", "logout"]


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh Python has after running the code."""
    command = [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_command_loads_no_heavy_library(name: str) -> None:
    assert loaded_by(f"import stemctl.cli.cmd.{name}") & HEAVY == set()


def test_a_command_loads_no_other_command() -> None:
    code = "from stemctl.cli.main import run; run(['validate', '--help'])"
    commands = {name for name in loaded_by(code) if name.startswith("stemctl.cli.cmd.")}
    assert commands == {"stemctl.cli.cmd.validate"}
    assert "validate" in COMMANDS
