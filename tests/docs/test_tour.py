"""The tours of the example labs, typed as their READMEs say, by real processes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import PROJECT

EXAMPLES = PROJECT / "examples"


def commands(text: str) -> list[tuple[str, int, list[str]]]:
    """Each command of the console blocks, its exit code, and the lines that its output must hold in
    their order.
    """
    found: list[tuple[str, int, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, code = line[2:].partition("  # exit code ")
                found.append((command, int(code or 0), []))
            else:
                found[-1][2].append(line)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lab", "rat-lab"])
def test_the_tour(tmp_path: Path, name: str) -> None:
    example, folder = EXAMPLES / name, tmp_path / "lab"
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns(".stemctl"))
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    steps = commands((example / "README.md").read_text(encoding="utf-8"))
    assert len(steps) > 15
    for command, code, lines in steps:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environ,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        place = 0
        for line in lines:
            place = done.stdout.find(line, place)
            assert place >= 0, f"{command}\ndid not say\n{line}\nbut\n{done.stdout}{done.stderr}"
