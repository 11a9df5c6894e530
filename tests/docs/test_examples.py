"""The examples are as stemctl writes them today."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path

import pytest

from stemctl.commands.ci_forms import LOCK, WORKFLOW_FOLDERS
from tests.git.team import SOURCE, git
from tests.support.lab import run_in_process
from tests.support.paths import PROJECT

EXAMPLES = PROJECT / "examples"


@pytest.mark.parametrize("forge", WORKFLOW_FOLDERS)
def test_the_workflows_of_the_example_are_those_of_today(tmp_path: Path, forge: str) -> None:
    folder = tmp_path / "ci"
    shutil.copytree(EXAMPLES / "ci", folder, ignore=shutil.ignore_patterns(".stemctl"))
    shutil.rmtree(folder / WORKFLOW_FOLDERS[forge])
    git(folder, "init", "-q", "--initial-branch=main")
    (folder / f".{forge}" / LOCK).unlink(missing_ok=True)
    command = ("-C", str(folder), "ci", "init", forge, "--source", SOURCE)
    result = run_in_process(*command)
    assert result.code == 0, result.said
    written = [line.removeprefix("wrote ") for line in result.out.splitlines()]
    assert len(written) > 1
    if os.environ.get("STEMCTL_UPDATE"):
        for name in written:
            shutil.copyfile(folder / name, EXAMPLES / "ci" / name)
    _, other, missing = filecmp.cmpfiles(folder, EXAMPLES / "ci", written, False)
    assert other + missing == []
    assert run_in_process(*command).code == 0  # again: nothing to write, nothing touched


@pytest.mark.parametrize("name", ["ci"])
def test_the_files_for_editors_are_those_of_today(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".stemctl"))
    said = run_in_process("-C", str(folder), "init")
    assert said.code == 0
    assert "refreshed" not in said.out
    assert "wrote" not in said.out


@pytest.mark.parametrize("name", ["lab", "ci"])
def test_the_examples_are_laid_out(name: str) -> None:
    result = run_in_process("-C", str(EXAMPLES / name), "fmt", "--check")
    assert result.code == 0, result.said


@pytest.mark.parametrize("forge", WORKFLOW_FOLDERS)
def test_no_workflow_is_written_through_a_link(tmp_path: Path, forge: str) -> None:
    folder, elsewhere = tmp_path / "ci", tmp_path / "elsewhere"
    shutil.copytree(EXAMPLES / "ci", folder, ignore=shutil.ignore_patterns(".stemctl", ".git*"))
    git(folder, "init", "-q", "--initial-branch=main")
    elsewhere.mkdir()
    (folder / WORKFLOW_FOLDERS[forge].split("/")[0]).symlink_to(elsewhere)
    result = run_in_process("-C", str(folder), "ci", "init", forge)
    assert result.code == 1
    assert "is a link to a place outside the repository." in result.err
    assert list(elsewhere.iterdir()) == []
