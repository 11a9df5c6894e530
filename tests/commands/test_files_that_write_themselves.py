"""What all commands have in common that write manifests: they send nothing, and `--dry-run` shows
exactly what they would write.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.lab import Lab

SESSIONS = """\
# The maze study
defaults:
  sessions: {projects: [Theta Maze Study]}

sessions:
  - name: rat1_a   # the first
    description: First day
    tags: [maze, sleep]
  - name: rat1_b
    extra_fields: {room: B115}
"""
SHEET = "name,description,tags\nrat1_a,By sheet,maze\nrat1_c,New,maze;sleep\n"

COMMANDS = {
    "pull": ["pull", "--all"],
    "load": ["load", "sheet.csv", "--as", "session"],
    "new": ["new", "session", "--like", "session/rat1_a", "name=rat1_d"],
    "set": ["set", "session/*", "description=The same", "tags+=published"],
    "mv": ["mv", "session/rat1_*", "session/rat1b_*"],
    "rm": ["rm", "session/rat1_b"],
}
"""A command line of each, all of which change files."""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab whose records are applied, with an edit of a colleague and a record in no file."""
    lab = Lab(tmp_path, monkeypatch)
    lab.write("records/sessions.yaml", SESSIONS)
    lab.write("sheet.csv", SHEET)
    lab.apply()
    project = lab.live("session", "rat1_a")["projects"]
    lab.edit("session", "rat1_b", description="Changed in the browser")
    lab.edit("session", "rat1_a", tags=["maze", "sleep", "ripples"])
    lab.api("POST", "stem/session/", {"name": "rat2_x", "projects": project, "tags": []})
    for words in (["init", "-q"], ["add", "-A", "--", "records"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return lab


def manifests(lab: Lab) -> dict[str, bytes]:
    return {
        path.relative_to(lab.root).as_posix(): path.read_bytes()
        for path in sorted((lab.root / "records").rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_nothing_but_get_is_sent(lab: Lab, words: list[str]) -> None:
    before = manifests(lab)
    result = lab.run(*words)
    assert result.code == 0, result.said
    assert manifests(lab) != before
    assert {sent.method for sent in lab.requests} <= {"GET"}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_dry_run_prints_the_patch_and_writes_nothing(lab: Lab, words: list[str]) -> None:
    before, state = manifests(lab), lab.state
    patch = lab.run(*words, "--dry-run")
    assert patch.code == 0, patch.said
    assert (manifests(lab), lab.state) == (before, state)
    assert {sent.method for sent in lab.requests} <= {"GET"}
    subprocess.run(["git", "apply"], input=patch.out.encode(), cwd=lab.root, check=True)
    patched = manifests(lab)
    for path, content in before.items():
        (lab.root / path).write_bytes(content)
    for path in patched.keys() - before.keys():
        (lab.root / path).unlink()
    lab.run(*words)
    assert manifests(lab) == patched


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_the_document_names_files_and_records(lab: Lab, words: list[str]) -> None:
    document = json.loads(lab.run(*words, "-o", "json").out)
    assert document["records"]
    assert all(file["written"] for file in document["files"])
    assert document["left"] == []
    assert document["exit_code"] == 0


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_nothing_outside_of_the_manifests_is_written(lab: Lab, words: list[str]) -> None:
    outside = {
        path: path.read_bytes()
        for path in lab.root.rglob("*")
        if path.is_file() and "records" not in path.parts and ".stemctl" not in path.parts
    }
    lab.run(*words)
    after = [
        path
        for path in lab.root.rglob("*")
        if path.is_file() and "records" not in path.parts and ".stemctl" not in path.parts
    ]
    assert sorted(after) == sorted(outside)
    assert all(path.read_bytes() == content for path, content in outside.items())


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_files_with_errors_are_left_alone(lab: Lab, words: list[str]) -> None:
    lab.write("records/wrong.yaml", "sessions:\n  - {name: z, projcts: [x]}\n")
    before = manifests(lab)
    result = lab.run(*words)
    assert result.code == 1
    assert "Nothing was written." in result.said
    assert manifests(lab) == before


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_file_that_is_a_link_is_left_and_named(lab: Lab, words: list[str]) -> None:
    file = lab.root / "records/sessions.yaml"
    target = lab.root / "records/real.txt"
    file.rename(target)
    file.symlink_to("real.txt")
    before = target.read_bytes()
    result = lab.run(*words)
    assert result.code == 3, result.said
    assert "is a link" in result.said
    assert target.read_bytes() == before
    assert file.is_symlink()
