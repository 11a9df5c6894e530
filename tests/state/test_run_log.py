"""What was applied, and the records as they were before it."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest
import yaml

from tests.planning.test_in_doubt import Gone
from tests.support.lab import Lab

FIRST = '{name: a, description: First., tags: [x], extra_fields: {room: "B1"}}'


def runs(lab: Lab) -> list[str]:
    return [row["run"] for row in lab.run("runs", "list", "-o", "json").json]


def test_no_runs_yet(lab: Lab) -> None:
    lab.sessions(FIRST)
    lab.run("plan")
    assert "No runs yet" in lab.run("runs", "list").out
    assert lab.run("runs", "show", "2024").code == 1
    assert not (lab.root / ".stemctl" / "runs").exists()


def test_the_latest_run_comes_first_also_within_one_second(lab: Lab) -> None:
    for text in "abcdefghijkl":
        lab.sessions(f"{{name: a, description: {text}}}")
        lab.apply()
    described = [
        yaml.safe_load(lab.run("runs", "show", run, "-o", "yaml").out or "{}") for run in runs(lab)
    ]
    before = [row["sessions"][0]["description"] if row else None for row in described]
    assert before == [*"kjihgfedcba", None]


def test_a_run_tells_who_when_from_where_and_what(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_RUN_ID", "8412")
    lab.sessions(FIRST, "{name: b}")
    lab.apply()
    (run,) = runs(lab)
    listed = lab.run("runs", "list").out
    assert listed.split()[:1] == [run]
    assert "GitHub Actions, job 8412" in listed
    assert "2 applied" in listed
    shown = lab.run("runs", "show", run[:10])
    assert shown.code == 0
    assert lab.live("session", "a")["id"] in shown.out
    document = lab.run("runs", "show", run, "-o", "json").json
    assert document["digest"].startswith("sha256:")
    assert [o["status"] for o in document["outcomes"]] == ["applied", "applied"]


def test_what_was_edited_and_deleted_is_printed_as_it_was_and_brings_it_back(lab: Lab) -> None:
    lab.sessions(FIRST, "{name: b, date_time: 2024-03-12T09:00:00Z}", "{name: kept}")
    lab.apply()
    before = lab.live("session", "a"), lab.live("session", "b")
    lab.sessions(
        "{name: a, description: Second., tags: [y], extra_fields: {}}",
        "{name: kept, description: New.}",
    )
    lab.apply("--allow", "delete")
    text = lab.run("runs", "show", runs(lab)[0], "-o", "yaml").out
    (kept,) = (r for r in yaml.safe_load(text)["sessions"] if r["name"] == "kept")
    assert kept["description"] == ""  # what was empty and was filled is emptied again
    lab.write("records/sessions.yaml", text)
    assert lab.run("validate").code == 0
    lab.apply()
    after = lab.live("session", "a"), lab.live("session", "b")
    assert before[0] == after[0]
    assert {**before[1], "id": 0} == {**after[1], "id": 0}


def test_a_record_under_another_key_is_printed_under_its_key(lab: Lab) -> None:
    lab.sessions("{key: k, name: a}")
    lab.apply()
    lab.sessions("{key: k, name: b}")
    lab.apply()
    text = lab.run("runs", "show", runs(lab)[0], "-o", "yaml").out
    assert yaml.safe_load(text)["sessions"][0] == {
        "key": "k",
        "name": "a",
        "projects": ["Theta Maze Study"],
    }


def test_a_failed_change_changed_nothing(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}")

    def refuse(request: httpx.Request) -> httpx.Response | None:
        return (
            httpx.Response(400, json={"description": ["No."]})
            if request.method == "PATCH"
            else None
        )

    lab.intercept = refuse
    assert lab.run("apply", "--auto-approve").code == 1
    shown = lab.run("runs", "show", runs(lab)[0], "-o", "yaml")
    assert shown.out.strip() == ""
    assert "no existing records" in shown.err
    assert "1 failed" in lab.run("runs", "list").out


def test_a_run_that_broke_off_is_listed_before_and_after_it_is_taken_over(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}", "{name: c}")

    def die(request: httpx.Request) -> None:
        if request.method == "POST" and b'"b"' in request.content:
            raise Gone

    lab.intercept = die
    with pytest.raises(Gone):
        lab.run("apply", "--auto-approve", "--parallelism", "1")
    lab.intercept = lambda request: None
    words = "1 applied, 1 without an answer, 1 not begun, broke off"
    assert words in lab.run("runs", "list").out
    lab.apply()
    assert len(runs(lab)) == 2
    assert words in lab.run("runs", "list").out
    assert "no answer" in lab.run("runs", "show", runs(lab)[1]).out


def test_a_damaged_record_is_named(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    (path,) = (lab.root / ".stemctl" / "runs" / "sandbox").iterdir()
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.unlink()
    path = path.with_suffix("")
    path.write_text("\n".join([lines[0], "{", *lines[2:-1]]) + "\n")
    result = lab.run("runs", "list")
    assert result.code == 1
    assert f".stemctl/runs/sandbox/{path.name}:2 is not a line" in result.err
    assert json.loads(lab.run("state", "list", "-o", "json").out)
