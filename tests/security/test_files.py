"""No content of a repository makes stemctl read or write another file, or run a program."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stemctl.git import process
from stemctl.manifests import reader
from tests.security.wire import ADDRESS, CANARY, tapped
from tests.support.lab import Lab

SECRET = "a secret beside the repository"


@pytest.fixture
def beside(lab: Lab) -> Path:
    """A folder that is not of the repository, with a manifest and a text in it."""
    folder = lab.root.parent / f"{lab.root.name}-beside"
    folder.mkdir()
    (folder / "other.yaml").write_text(
        f"sessions:\n  - name: {SECRET}\n    projects: [Theta Maze Study]\n"
    )
    (folder / "_defaults.yaml").write_text(f"defaults:\n  sessions: {{description: {SECRET}}}\n")
    (folder / "seed.yaml").write_text(f"projects:\n  - name: {SECRET}\n")
    (folder / "notes.txt").write_text(SECRET)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


COMMANDS = [
    ["validate"],
    ["plan"],
    ["plan", "-o", "json"],
    ["apply", "-y"],
    ["report", "--out", "-"],
    ["get", "project"],
    ["sandbox", "seed"],
]


def learns_nothing(lab: Lab, beside: Path) -> None:
    """Whatever comes of the commands, what is beside is not shown, not sent and not changed."""
    before = contents(beside)
    for command in COMMANDS:
        result = lab.run(*command)
        assert result.code in (0, 1), (command, result.said)
        assert SECRET not in result.said, command
        assert SECRET not in json.dumps([sent.body for sent in lab.requests])
    assert contents(beside) == before


@pytest.mark.parametrize(
    "way",
    [
        "../{0}",
        "records/../../{0}",
        "{1}",
        "{1}/other.yaml",
        "../{0}/*.yaml",
        "records/*/../../../{0}",
        "~",
    ],
)
def test_manifests_are_below_the_repository(lab: Lab, beside: Path, way: str) -> None:
    lab.sessions("{name: a}")
    entry = json.dumps(way.format(beside.name, beside))
    config = (lab.root / "stemctl.yaml").read_text()
    lab.write("stemctl.yaml", config.replace("[records]", f"[records, {entry}]"))
    learns_nothing(lab, beside)


def test_links_that_lead_out_are_not_followed(lab: Lab, beside: Path) -> None:
    lab.sessions("{name: a}", name="records/sub/a.yaml")
    (lab.root / "records" / "link.yaml").symlink_to(beside / "other.yaml")
    (lab.root / "records" / "folder").symlink_to(beside)
    (lab.root / "records" / "sub" / "_defaults.yaml").symlink_to(beside / "_defaults.yaml")
    learns_nothing(lab, beside)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_was_moved_behind_a_link_has_not_left_the_files(
    lab: Lab, beside: Path, what: str
) -> None:
    lab.sessions("{name: a}", name="records/sub/a.yaml")
    lab.sessions("{name: b}", name="records/b.yaml")
    lab.apply()
    moved = lab.root / "records" / ("sub" if what == "folder" else "sub/a.yaml")
    moved.rename(beside / moved.name)
    moved.symlink_to(beside / moved.name)
    result = lab.run("apply", "-y", "--allow", "delete")
    assert (result.code, lab.requests) == (1, [])
    link = moved.relative_to(lab.root).as_posix()
    assert f"error: `{link}` is a link that leads outside of the manifests" in result.said
    assert "sessions:" not in result.said


def test_a_pipe_among_the_manifests_is_not_waited_for(lab: Lab) -> None:
    lab.sessions("{name: a}")
    os.mkfifo(lab.root / "records" / "pipe.yaml")
    result = lab.run("validate")
    assert result.code == 1
    assert "records/pipe.yaml:1:1: error: not a regular file" in result.said


@pytest.mark.parametrize(
    "way", ["../{0}/seed.yaml", "{1}/seed.yaml", "link.yaml", "records/../../{0}/seed.yaml"]
)
def test_a_seed_is_below_the_repository(lab: Lab, beside: Path, way: str) -> None:
    lab.sessions("{name: a}")
    (lab.root / "link.yaml").symlink_to(beside / "seed.yaml")
    seed = way.format(beside.name, beside)
    lab.write("stemctl.yaml", f"servers:\n  sandbox: {{url: 'sandbox:', seed: '{seed}'}}\n")
    learns_nothing(lab, beside)
    assert "is outside this repository" in lab.run("plan").err


LINKS = [
    ".stemctl",
    ".stemctl/sandbox.db",
    ".stemctl/.gitignore",
    ".stemctl/sandbox.state.json.new",
    ".stemctl/sandbox.journal.new",
    ".stemctl/sandbox.owner.json.new",
    "mine.state.json.new",
    "plan.json",
]


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("there", [False, True], ids=["to what is not there", "to what is there"])
def test_nothing_is_written_through_a_link(
    lab: Lab, beside: Path, monkeypatch: pytest.MonkeyPatch, name: str, there: bool
) -> None:
    """Links can be committed; where they lead to is not of the repository."""
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    lab.sessions("{name: a}")
    target = beside / ("notes.txt" if there else "not-there")
    if name == ".stemctl":
        target = beside
    (lab.root / name).parent.mkdir(exist_ok=True)
    (lab.root / name).symlink_to(target)
    before = contents(beside)
    if name == "mine.state.json.new":
        lab.write("stemctl.yaml", f"servers:\n  mine: {{url: '{ADDRESS}', edition: 2024}}\n")
        with tapped(monkeypatch):
            assert lab.run("apply", "-y", token=CANARY).code == 0
    for command in (["plan", "--out", "plan.json"], ["apply", "-y"], ["sandbox", "reset"]):
        assert lab.run("--server", "sandbox", *command).code in (0, 1)
    assert contents(beside) == before


@pytest.mark.parametrize(
    "name", [".stemctl-schema.json", "records/first.yaml", "sandbox-seed.yaml"]
)
def test_a_new_repository_is_written_into_its_folder(lab: Lab, beside: Path, name: str) -> None:
    (lab.root / "stemctl.yaml").unlink()
    (lab.root / name).parent.mkdir(exist_ok=True, parents=True)
    (lab.root / name).symlink_to(beside / "not-there")
    before = contents(beside)
    assert lab.run("init").code == 0
    assert contents(beside) == before


@pytest.mark.parametrize(
    "name", ["../x", "/tmp/x", "..", "a/b", "a\\b", ".hidden", "", " ", "a\nb", "\u202ex"]
)
def test_the_name_of_a_server_is_a_name(lab: Lab, beside: Path, name: str) -> None:
    """Its state file is called so."""
    lab.sessions("{name: a}")
    lab.write("stemctl.yaml", f"servers:\n  {json.dumps(name)}: {{url: 'sandbox:'}}\n")
    for command in (["plan"], ["apply", "-y"], ["state", "list"]):
        assert lab.run(*command).code == 1
    assert not (lab.root / ".stemctl").exists()
    learns_nothing(lab, beside)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch ran']",
        "!!python/object/new:subprocess.Popen [['touch', 'ran']]",
        "!!python/name:os.system",
        "!!python/module:os",
        "!include ../notes.txt",
        "!env HOME",
        "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch ran']",
    ],
)
def test_a_tag_makes_nothing_happen(lab: Lab, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab.root)
    for where in ("sessions: {}\n", "sessions:\n  - {{name: a, description: {}}}\n", "{}: 1\n"):
        document = reader.parse(where.format(text).encode(), "f.yaml")
        assert {problem.code for problem in document.problems} <= {"tag", "syntax"}
        assert document.problems
    for name in ("records/a.yaml", "stemctl.yaml", "seed.yaml"):
        lab.write(name, f"sessions: {text}\n")
        assert lab.run("plan").code == 1
    assert not list(lab.root.rglob("ran"))


def test_git_is_the_only_program_and_is_told_nothing_of_the_files(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    real = subprocess.Popen

    class Noted(real):  # type: ignore[misc, valid-type]
        def __init__(self, command: Any, *arguments: Any, **options: Any) -> None:
            assert not options.get("shell")
            started.append(list(command))
            super().__init__(command, *arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    lab.sessions(
        "{name: '--upload-pack=touch ran', description: $(touch ran)}",
        name="records/--exec=touch ran;.yaml",
    )
    for command in (
        *COMMANDS,
        ["drift"],
        ["show", "session/--upload-pack=touch ran"],
        ["approvals", "list"],
    ):
        lab.run(*command)
    door = ("git", *process._ARGUMENTS)
    assert {tuple(command[: len(door)]) for command in started} == {door}
    assert {tuple(command[len(door) :]) for command in started} == {
        ("check-ignore", "--stdin", "-z"),
        ("rev-parse", "--verify", "--quiet", "HEAD^{commit}"),
        ("ls-files", "-z", "--", ":(icase).stemctl"),
        ("ls-files", "-v", "--stage", "-z"),
    }


def test_a_proposed_command_can_be_typed_whatever_a_record_is_called(lab: Lab) -> None:
    """What stands after Next goes to a shell as it is."""
    name = "$(touch ran); `touch ran` 'touch' \"ran\" | tee -- *"
    lab.sessions(f"{{name: {json.dumps(name)}, description: One.}}")
    lab.apply()
    lab.edit("session", name, description="Theirs.")
    drift = lab.run("drift").out
    lab.sessions(f"{{name: {json.dumps(name)}, description: Two.}}")
    lab.edit("session", name, description="Theirs again.")
    found = []
    for text in (drift, lab.run("plan").out, lab.run("plan", f"session/{name}").out):
        _, _, after = text.partition("\nNext  ")
        for line in after.split("\nTo ")[0].splitlines():
            words = shlex.split(line.strip().split("    ")[0])
            assert words[:3] == ["stemctl", "-C", str(lab.root)]
            found += words
            for word in words:
                assert word == f"session/{name}" or not set(word) & set("$`;&|<>*'\"")
    assert f"session/{name}" in found
