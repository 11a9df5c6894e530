"""Files that were meant to be manifests, but are called otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stemctl.core.diagnostics import Severity
from stemctl.manifests.discovery import find_manifests
from stemctl.manifests.file_names import corrected
from tests.support.lab import Lab

RIGHT = {
    "RAT.YAML": "RAT.yaml",
    "rat.Yml": "rat.yml",
    "rat.yaml.txt": "rat.yaml",
    "rat.yaml.TXT": "rat.yaml",
    "rat.yaml.bak": "rat.yaml",
    "rat.yaml~": "rat.yaml",
    "rat.YAML.orig": "rat.yaml",
    "rat.yml-old": "rat.yml",
    "rat.yaml.disabled": "rat.yaml",
    "rat.ymal": "rat.yaml",
    "_defaults.YAML": "_defaults.yaml",
    "_Defaults.yaml": "_defaults.yaml",
    "_defaults.yml": "_defaults.yaml",
    "_defaults.YML": "_defaults.yaml",
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_name(name: str) -> None:
    assert corrected(name) == RIGHT[name]


@pytest.mark.parametrize(
    "name",
    [
        "a.yaml",
        "a.yml",
        "_defaults.yaml",
        "a.json",
        "a.txt",
        "a.py",
        "yaml",
        "a.yaml.j2",
        "my.data",
    ],
)
def test_other_names_are_left_alone(name: str) -> None:
    assert corrected(name) is None


@pytest.mark.parametrize(
    "entry", ["records", ".", "records/**/*.yaml", "rec*", "records/x/RAT.YAML"]
)
def test_every_entry_finds_it(tmp_path: Path, entry: str) -> None:
    (tmp_path / "records/x").mkdir(parents=True)
    (tmp_path / "records/x/RAT.YAML").write_text("sessions: []\n")
    found = find_manifests(tmp_path, [entry])
    assert found.manifests == ()
    (problem,) = found.problems
    assert problem.severity is Severity.ERROR
    assert problem.remedy.startswith("rename the file to `RAT.yaml`")


def test_a_copy_beside_the_manifest_is_no_finding(tmp_path: Path) -> None:
    for name in ("a.yaml", "a.yaml.bak", "a.yaml~", "a.yaml.txt"):
        (tmp_path / name).write_text("sessions: []\n")
    assert find_manifests(tmp_path, ["."]).problems == ()


@pytest.mark.skipif(os.path.exists(__file__.upper()), reason="the file system ignores case")
def test_a_renamed_file_does_not_leave_the_files(lab: Lab) -> None:
    lab.sessions("{name: a}", name="records/a.yaml")
    lab.sessions("{name: b}", name="records/b.yaml")
    lab.apply()
    (lab.root / "records/a.yaml").rename(lab.root / "records/a.YAML")
    for command in (["validate"], ["plan"], ["apply", "--auto-approve"], ["fmt"]):
        result = lab.run(*command)
        assert result.code == 1, command
        assert "records/a.YAML:1:1: error: `a.YAML` is not read" in result.out
        assert lab.writes == []


def test_a_file_that_was_set_aside_is_a_warning(lab: Lab) -> None:
    lab.sessions("{name: a}", name="records/a.yaml")
    lab.sessions("{name: b}", name="records/b.yaml")
    (lab.root / "records/a.yaml").rename(lab.root / "records/a.yaml.bak")
    result = lab.run("plan")
    assert result.code == 0
    assert "warning: `a.yaml.bak` is not read" in result.out


def test_a_copy_of_folder_defaults_beside_them_is_no_finding(lab: Lab) -> None:
    lab.sessions("{name: a}")
    for name in ("_defaults.yaml", "_defaults.yaml.bak", "_defaults.yaml~"):
        lab.write(f"records/{name}", "defaults: {sessions: {tags: [x]}}\n")
    assert lab.run("validate", "-o", "json").json["diagnostics"] == []
    (lab.root / "records/_defaults.yaml").unlink()
    found = lab.run("validate", "-o", "json").json["diagnostics"]
    assert {(finding["severity"], finding["code"]) for finding in found} == {
        ("warning", "not-read")
    }
