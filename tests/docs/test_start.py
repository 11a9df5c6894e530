"""What docs/start.md shows beside the commands that a test types: see test_typed_pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.terminal import environ
from tests.support.lab import Lab
from tests.support.paths import PROJECT

PAGE = (PROJECT / "docs" / "start.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_example_lab(tmp_path: Path) -> None:
    shutil.copytree(
        PROJECT / "examples/lab", tmp_path / "lab", ignore=shutil.ignore_patterns(".stemctl")
    )
    found = re.search(r"```\n\. \.venv/bin/activate .*?\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    done = subprocess.run(
        [
            "bash",
            "-e",
            "-c",
            "stemctl apply -y\n" + re.sub("stemctl apply", "stemctl apply -y", found[1]),
        ],
        cwd=tmp_path / "lab",
        env=environ(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing to send: 37 records on the server match the files" in done.stdout
    assert "0 to create, 32 to update" in done.stdout


def test_the_servers_of_the_page_are_accepted(lab: Lab) -> None:
    found = re.search(r"```yaml\n(default_server:.*?)```", PAGE, re.DOTALL)
    assert found is not None
    lab.write("stemctl.yaml", found[1])
    assert lab.run("explain").code == 0
