"""Commands that need no network do not load it, since that takes longer than most of them run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stemctl.cli.main import COMMANDS

HEAVY = {"asyncio", "deepdiff", "httpx", "jsonschema", "rich", "sqlite3", "uvicorn"}
QUICK = ["validate", "fmt", "show", "report", "init", "state", "runs", "ci", "logout"]


def loaded_by(code: str, told: str = "print(*sys.modules)") -> set[str]:
    """The words of the last line that a fresh Python prints after running the code: its modules."""
    command = [sys.executable, "-c", f"import sys\n{code}\n{told}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_command_loads_no_heavy_library(name: str) -> None:
    assert loaded_by(f"import stemctl.cli.cmd.{name}") & HEAVY == set()


def test_a_valid_file_loads_nothing_that_explains_errors(tmp_path: Path) -> None:
    (tmp_path / "stemctl.yaml").write_text("manifests: [a.yaml]\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("sessions: []\n", encoding="utf-8")
    code = f"from stemctl.cli.main import run; run(['-C', {str(tmp_path)!r}, 'validate'])"
    loaded = loaded_by(code)
    assert "stemctl.manifests.validation" in loaded
    assert loaded & {"stemctl.manifests.messages", "stemctl.render.github"} == set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "https://lab.example/"])
def test_a_plan_loads_only_what_it_needs(url: str) -> None:
    code = "import stemctl.cli.cmd.plan, stemctl.sandbox.in_process\n"
    code += f"from stemctl.client.proxy import transport\ntransport({url!r}, {{}})"
    loaded = loaded_by(code)
    assert {"asyncio", "stemctl.client.direct"} <= loaded
    assert loaded & {"httpx", "jsonschema", "pygments", "rich", "uvicorn"} == set()


def test_a_proxy_loads_no_command_line_of_its_library() -> None:
    loaded = loaded_by("import stemctl.client.over_httpx")
    assert "httpx" in loaded
    assert loaded & {"pygments", "rich"} == set()


def test_classes_of_values_are_quick_to_make() -> None:
    """A class of dataclasses takes ten times as long to make as a Struct, at each start."""
    code = "import dataclasses\nmade = []\nplain = dataclasses._process_class\n"
    code += "dataclasses._process_class = lambda c, *a: made.append(c) or plain(c, *a)\n"
    code += "import stemctl.cli.cmd.plan, stemctl.sandbox.in_process\n"
    code += "print(*[c.__module__ for c in made if c.__module__.startswith('stemctl.')])"
    made = loaded_by(code, "")
    assert len(made) < 8, made


def test_a_command_loads_no_other_command() -> None:
    code = "from stemctl.cli.main import run; run(['validate', '--help'])"
    commands = {name for name in loaded_by(code) if name.startswith("stemctl.cli.cmd.")}
    assert commands == {"stemctl.cli.cmd.validate"}
    assert "validate" in COMMANDS
