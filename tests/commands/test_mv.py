"""mv: records keep their ids under other names, and what refers to them follows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stemctl.commands import rewrite
from stemctl.util.atomic_file import replace_file
from tests.support.edition_2026 import CONFIG, LAB, begin
from tests.support.lab import Lab, run_in_process
from tests.support.paths import PROJECT

DAYS = """\
# Recordings.
defaults:
  behaviors: {setup: Maze room, behavioralassay: Forced alternation, subjects: [rat12]}
sessions:
  - name: rat17_1   # first
    projects: [Theta]
    behaviors:
      - {key: maze}
    manipulations: []

  - name: rat17_2
    projects: [Theta]
    behaviors:
      - notes: Without a key.
"""
MORE = """\
collections:
  - {name: Best, project: Theta, sessions: [rat17_1, monday]}
"""


@pytest.fixture
def day(lab: Lab) -> Lab:
    begin(lab)
    lab.write("records/days.yaml", DAYS.replace("    manipulations: []\n", ""))
    lab.write("records/more.yaml", MORE)
    lab.apply()
    return lab


def text(lab: Lab, name: str = "records/days.yaml") -> str:
    return (lab.root / name).read_text(encoding="utf-8")


def planned(lab: Lab) -> dict[str, tuple[str, str]]:
    return {c["address"]: (c["action"], c["reason"]) for c in lab.plan()["changes"]}


def test_forty_renames_are_one_command(lab: Lab) -> None:
    lab.sessions(*(f"{{name: rat17_{n:02}}}" for n in range(40)), "{name: rat18_00}")
    lab.apply()
    result = lab.run("mv", "session/rat17_*", "session/rat17b_*")
    assert result.code == 0, result.said
    assert lab.requests == []
    lines = text(lab, "records/sessions.yaml")
    assert lines.count("session/") == 2
    assert {*planned(lab).values()} == {("update", "renamed")}
    lab.apply()
    assert [sent.method for sent in lab.writes] == ["PATCH"] * 40
    assert all(sent.body.keys() == {"name"} for sent in lab.writes)
    assert lab.plan()["changes"] == []


def test_references_and_children_follow(day: Lab) -> None:
    result = day.run("mv", "session/rat17_*", "rat17b_*")
    assert result.code == 0, result.said
    assert "sessions: [rat17b_1, monday]" in text(day, "records/more.yaml")
    assert "# first" in text(day)
    assert planned(day) == {
        "session/rat17b_1": ("update", "renamed"),
        "session/rat17b_2": ("update", "renamed"),
    }
    day.apply()
    assert [sent.body for sent in day.writes] == [{"name": "rat17b_1"}, {"name": "rat17b_2"}]
    assert day.plan()["changes"] == []


def test_references_in_defaults_follow(day: Lab) -> None:
    assert day.run("mv", "subject/rat12", "subject/rat12b").code == 0
    assert "subjects: [rat12b]}" in text(day)
    assert planned(day) == {"subject/rat12b": ("update", "renamed")}


def test_a_key_alone_sends_nothing(day: Lab) -> None:
    assert day.run("mv", "behavior/rat17_1/maze", "behavior/rat17_1/arena").code == 0
    assert "{key: arena}" in text(day)
    assert day.run("mv", "behavior/rat17_2", "behavior/rat17_2/late").code == 0
    day.apply()
    assert day.writes == []
    assert day.plan()["changes"] == []


def test_a_key_and_a_name_that_are_alike_change_together(day: Lab) -> None:
    assert day.run("mv", "setup/Maze room", "setup/Big room").code == 0
    assert "{key: Big room, name: Big room" in text(day, "records/lab.yaml")
    assert "{setup: Big room," in text(day)
    assert planned(day) == {"setup/Big room": ("update", "renamed")}


@pytest.mark.parametrize("applied", [(), ("first",), ("first", "second")])
def test_there_and_back(day: Lab, applied: tuple[str, ...]) -> None:
    assert day.run("mv", "session/rat17_*", "session/x_*").code == 0
    if applied:
        day.apply()
    assert day.run("mv", "session/x_*", "session/rat17_*").code == 0
    assert day.run("validate").code == 0
    assert len(planned(day)) == 2 * len(applied[:1])
    if applied[1:]:
        day.apply()
        assert planned(day) == {}
    assert text(day, "records/more.yaml") == MORE


def test_one_and_then_a_pattern_before_it_is_applied(lab: Lab) -> None:
    """The pattern moves on what the first entry renamed, so that is kept."""
    lab.sessions("{name: a}", "{name: b}")
    lab.apply()
    for words in (["session/a", "session/c"], ["session/*", "session/*_x"], ["c_x", "session/d"]):
        assert lab.run("mv", *words).code == 0
    lab.apply()
    assert [sent.method for sent in lab.writes] == ["PATCH", "PATCH"]
    assert [sent.body for sent in lab.writes] == [{"name": "b_x"}, {"name": "d"}]
    assert lab.plan()["changes"] == []


def test_twice_before_it_is_applied(day: Lab) -> None:
    assert day.run("mv", "session/rat17_*", "session/x_*").code == 0
    assert day.run("mv", "session/x_1", "session/y").code == 0
    assert planned(day) == {
        "session/x_2": ("update", "renamed"),
        "session/y": ("update", "renamed"),
    }
    assert day.run("mv", "session/x_2", "session/z").code == 0
    assert planned(day) == {
        "session/y": ("update", "renamed"),
        "session/z": ("update", "renamed"),
    }, text(day)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("session/rat17_1", "session/monday", "session/monday is declared in records/lab.yaml"),
        ("session/rat17_1", "subject/x", "A session cannot become a subject"),
        ("session/rat17_?", "session/x_?", "one `*` in the old name"),
        ("session/rat17_*", "session/x", "one `*` in the old name"),
        ("session/rat17_1", "session/x_*", "has a wildcard"),
        ("session/rat18_*", "session/x_*", "No record matches"),
        ("session", "session/x", "write session/NAME"),
        ("session/*", "session/", "new name is empty"),
        ("behavior/rat17_1/maze", "behavior/monday/maze", "begins with rat17_1/"),
        ("session/rat17_1", "session/rat17_1", "has this name already"),
    ],
)
def test_what_cannot_be_renamed(day: Lab, old: str, new: str, said: str) -> None:
    before = text(day)
    result = day.run("mv", old, new)
    assert result.code == 1
    assert said in result.err, result.err
    assert text(day) == before


def test_a_name_that_another_record_had_is_refused(day: Lab) -> None:
    assert day.run("mv", "session/rat17_1", "session/x").code == 0
    result = day.run("mv", "session/rat17_2", "session/rat17_1")
    assert result.code == 1
    assert "says that session/rat17_1 is session/x now" in result.err


@pytest.fixture
def many(tmp_path: Path) -> tuple[Path, dict[str, bytes], dict[str, bytes]]:
    """A lab with a record in each of many files, which refers to another; all files, and what they
    are after a rename.
    """
    lab = tmp_path / "lab"
    (lab / "records").mkdir(parents=True)
    (lab / "stemctl.yaml").write_text(CONFIG)
    (lab / "records/lab.yaml").write_text(LAB)
    for number in range(12):
        (lab / f"records/day{number:02}.yaml").write_text(
            f"sessions:\n  - name: rat17_{number}\n    projects: [Theta]\n"
            f"projects:\n  - name: P{number}\n    collections:\n"
            f"      - {{name: c, sessions: [rat17_{(number + 5) % 12}]}}\n"
        )
    old = files_of(lab)
    assert rename_in(lab).wait() == 0
    return lab, old, files_of(lab)


def test_writes_that_stop_are_finished_by_typing_it_again(
    many: tuple[Path, dict[str, bytes], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, old, new = many
    for most in range(0, 12, 3):
        for name, data in old.items():
            (lab / name).write_bytes(data)
        written = iter(range(most))

        def stop(path: Path, text: str, mode: int | None, left: Iterator[int] = written) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            replace_file(path, text, mode)

        with monkeypatch.context() as patch:
            patch.setattr(rewrite, "replace_file", stop)
            assert run_in_process("-C", str(lab), *WORDS).code == 130
        assert changed_files(lab, old) == most
        assert run_in_process("-C", str(lab), *WORDS).code == 0
        assert files_of(lab) == new, most


@pytest.mark.slow
def test_a_killed_process_leaves_files_old_or_new(
    many: tuple[Path, dict[str, bytes], dict[str, bytes]],
) -> None:
    lab, old, new = many
    for strike in (1, 3, 7, 0):
        for name, data in old.items():
            (lab / name).write_bytes(data)
        running = rename_in(lab)
        while running.poll() is None and changed_files(lab, old) < strike:
            pass
        running.kill()
        running.wait()
        now = files_of(lab)
        assert all(now[name] in (old[name], new[name]) for name in old)
        if now != new:
            assert rename_in(lab).wait() == 0
        assert files_of(lab) == new


WORDS = ("mv", "session/rat17_*", "session/x_*")


def rename_in(lab: Path) -> subprocess.Popen[bytes]:
    words = ["-m", "stemctl", "-C", str(lab), *WORDS]
    return subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=PROJECT
    )


def files_of(lab: Path) -> dict[str, bytes]:
    return {f"records/{path.name}": path.read_bytes() for path in (lab / "records").glob("*.yaml")}


def changed_files(lab: Path, old: dict[str, bytes]) -> int:
    return sum((lab / name).read_bytes() != data for name, data in old.items())
