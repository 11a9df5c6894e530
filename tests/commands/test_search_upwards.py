"""stemctl in a folder below stemctl.yaml."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stemctl.config import search
from stemctl.config.search import find_root
from tests.support.lab import Lab, run_in_process


@pytest.fixture
def below(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab of two manifests, in the folder of the second."""
    lab.sessions("{name: a}", name="records/a.yaml")
    lab.sessions("{name: b}", name="records/sub/b.yaml")
    monkeypatch.chdir(lab.root / "records" / "sub")
    return lab


def addresses(*words: str) -> list[str]:
    plan = run_in_process("plan", "-o", "json", *words).json
    return [change["address"] for change in plan["changes"]]


def test_the_nearest_is_found_and_said_once(below: Lab) -> None:
    result = run_in_process("plan")
    assert result.code == 0
    # What is to be typed names the folder, so that its paths mean the same wherever it is typed.
    said = below.run("plan").out.replace(str(below.root), "../..")
    assert result.out.split() == said.split()
    assert "stemctl -C ../.. apply" in result.out
    assert result.err == f"{below.root} has the nearest stemctl.yaml; paths are relative to it.\n\n"
    assert run_in_process("plan", "-q").err == ""
    assert (below.root / ".stemctl").is_dir()
    assert not (below.root / "records" / "sub" / ".stemctl").exists()


def test_paths_that_are_typed_are_relative_to_the_folder(below: Lab) -> None:
    assert addresses("b.yaml") == addresses(".") == ["session/b"]
    assert addresses("../a.yaml") == ["session/a"]
    assert addresses("--exclude", "b.yaml") == ["session/a"]
    assert addresses("records/a.yaml") == ["session/a"], "as it is printed"
    assert addresses("session/a") == addresses("a") == ["session/a"]
    (below.root / "records" / "sub" / "b.yaml").write_text("sessions: [\n")
    assert "records/sub/b.yaml:1:11" in run_in_process("validate", "b.yaml").out
    assert run_in_process("validate", "../a.yaml").code == 0
    (below.root / "records" / "a.yaml").write_text("sessions:   []\n")
    assert "formatted records/a.yaml" in run_in_process("fmt", "../a.yaml").out


def test_a_plan_is_saved_to_and_read_from_the_folder(below: Lab) -> None:
    assert run_in_process("plan", "--out", "plan.json").code == 0
    assert Path("plan.json").is_file()
    assert "2 to create" in run_in_process("show", "plan.json").out
    result = run_in_process("apply", "plan.json")
    assert (result.code, "2 created" in result.out) == (0, True)
    assert "records/a.yaml" in run_in_process("show", "a").out
    assert "1 record matches" in run_in_process("drift", "b.yaml").out


def test_minus_c_names_a_folder_to_search_from(below: Lab) -> None:
    result = run_in_process("-C", str(below.root / "records"), "plan", "a.yaml")
    assert (result.code, "1 to create" in result.out) == (0, True)


def test_the_nearest_wins_over_one_further_up(below: Lab) -> None:
    result = run_in_process("init")
    assert result.code == 0
    assert f"{below.root} has a stemctl.yaml already." in result.err
    assert Path("stemctl.yaml").is_file()
    assert "paths are relative" not in run_in_process("plan").err


def test_the_search_ends_at_the_top_of_a_repository(below: Lab) -> None:
    top = below.root / "records"
    (top / ".git").mkdir()
    assert find_root(top / "sub", {}) == top / "sub"
    (top / ".git").rmdir()
    (below.root / ".git").mkdir()
    assert find_root(top / "sub", {}) == below.root
    result = run_in_process("plan", "-C", str(below.root))
    assert result.code == 0


def test_the_search_ends_at_a_folder_of_another_user(
    below: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = below.root / "records" / "sub"
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(start).st_uid + 1)
    assert find_root(start, {}) == start
    assert find_root(below.root, {}) == below.root, "the folder itself is believed"
    result = run_in_process("plan")
    assert result.code == 1
    assert f"There is one in {below.root}; to use it, add -C {below.root}" in result.err


def test_a_file_of_another_user_in_a_folder_of_ours_is_not_used(
    below: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = below.root / "records" / "sub"
    owner = search._owner
    monkeypatch.setattr(
        search, "_owner", lambda path: -1 if path.name == "stemctl.yaml" else owner(path)
    )
    assert find_root(start, {}) == start


def test_a_link_above_is_not_used(below: Lab) -> None:
    start = below.root / "records" / "sub"
    (below.root / "stemctl.yaml").rename(below.root / "real.yaml")
    (below.root / "stemctl.yaml").symlink_to("real.yaml")
    assert find_root(start, {}) == start


def test_the_search_ends_at_the_border_of_a_file_system(
    below: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = below.root / "records" / "sub"
    monkeypatch.setattr(search, "_device", lambda path: 2 if path == start else 1)
    assert find_root(start, {}) == start


def test_behind_sudo_the_folders_of_the_caller_are_believed(
    below: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = below.root / "records" / "sub"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    owner = str(os.stat(start).st_uid)
    assert find_root(start, {"SUDO_UID": owner}) == below.root
    assert find_root(start, {"SUDO_UID": "4294967"}) == start
