"""Changes that take several requests: what a creation ignores is sent right after it."""

from __future__ import annotations

import json

import httpx
import pytest

from stemctl.client import retry
from tests.support.lab import Lab
from tests.support.writes_struck import STRIKES, Killed, apply_struck

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: "2026", seed: seed.yaml}
"""
OTHER = "other@elsewhere.example"
PROJECT = f"projects:\n  - name: Maze\n    users: {{{OTHER}: {{can_change: true}}}}\n"


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(retry, "backoff", lambda attempt: 0.0)
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", "projects: [{name: Theta}]\n")
    lab.write("records/projects.yaml", PROJECT)
    return lab


def projects(lab: Lab) -> list[dict[str, object]]:
    found = lab.api("GET", "stem/project/")["projects"]
    return [record for record in found if record["name"] == "Maze"]


def sent(lab: Lab) -> list[tuple[str, object]]:
    return [(write.method, write.body) for write in lab.writes]


def test_the_second_request_follows_the_first_with_the_new_id(lab: Lab) -> None:
    plan = lab.plan()
    (change,) = plan["changes"]
    assert plan["format"] == 3
    assert change["then"] == [
        {
            "method": "PATCH",
            "path": "stem/project/{project/Maze}/",
            "body": {"users": {OTHER: {"can_change": True}}},
        }
    ]
    assert "users" not in change["request"]["body"]
    lab.apply()
    (record,) = projects(lab)
    assert sent(lab) == [
        ("POST", {"name": "Maze", "tags": []}),
        ("PATCH", {"users": {OTHER: {"can_change": True}}}),
    ]
    assert lab.writes[1].path == f"stem/project/{record['id']}/"
    assert lab.plan()["changes"] == []


def test_a_project_without_members_is_planned_as_ever(lab: Lab) -> None:
    lab.write("records/projects.yaml", "projects: [{name: Maze, users: {}}]\n")
    plan = lab.plan()
    assert plan["format"] == 1
    assert "then" not in plan["changes"][0]
    lab.apply()
    assert lab.plan()["changes"] == []


def test_nothing_follows_a_request_that_was_refused(lab: Lab) -> None:
    theirs = {"name": "Maze", "users": {OTHER: {"can_change": True}}}
    lab.write("seed.yaml", json.dumps({"projects": [theirs]}))  # hidden from us
    result = lab.run("apply", "--auto-approve")
    assert result.code == 1
    assert "project/Maze" in result.out
    assert [write.method for write in lab.writes] == ["POST"]


def test_a_saved_plan_sends_both(lab: Lab) -> None:
    lab.run("plan", "--out", "plan.json")
    assert lab.run("apply", "plan.json").code == 0
    assert [write.method for write in lab.writes] == ["POST", "PATCH"]


@pytest.mark.parametrize(
    "path", ["stem/project/", "stem/project/{project/Theta}/", "stem/session/{project/Maze}/"]
)
def test_a_saved_plan_cannot_lead_the_second_request_elsewhere(lab: Lab, path: str) -> None:
    from stemctl.core.plan_codec import plan_document, plan_of
    from stemctl.util.canonical_json import hash_of

    document = json.loads(lab.run("plan", "-o", "json").out)
    document["changes"][0]["then"][0]["path"] = path
    document["digest"] = plan_of(document).digest
    document = plan_document(plan_of(document))
    body = {key: value for key, value in document.items() if key != "checksum"}
    lab.write("plan.json", json.dumps({**body, "checksum": hash_of(body)}))
    result = lab.run("apply", "plan.json")
    assert result.code == 1
    assert "a request for project/Maze that does not match its change" in result.err
    assert lab.writes == []


@pytest.mark.parametrize(("name", "arrives"), STRIKES)
@pytest.mark.parametrize("number", [1, 2])
def test_whatever_happens_to_a_request_it_is_done_exactly_once(
    lab: Lab, number: int, name: str, arrives: bool
) -> None:
    apply_struck(lab, number, name, arrives)
    lab.run("apply", "--auto-approve")
    (record,) = projects(lab)
    assert isinstance(record["users"], dict)
    assert record["users"][OTHER]["can_change"] is True
    assert record["users"]["user@lab.example"]["is_owner"] is True
    lab.apply()
    assert lab.writes == []
    plan = lab.plan()
    assert (plan["changes"], plan["bookkeeping"], plan["settled"]) == ([], [], [])


def test_a_run_that_dies_between_them_is_known_to_have_done_the_first(lab: Lab) -> None:
    """The journal says so, and the creation is not looked for by its name."""

    def die(request: httpx.Request) -> None:
        if request.method == "GET" and any(write.method == "POST" for write in lab.requests):
            raise Killed

    lab.intercept = die
    with pytest.raises(Killed):
        lab.run("apply", "--auto-approve")
    lab.intercept = lambda request: None
    (record,) = projects(lab)
    journal = (lab.root / ".stemctl" / "sandbox.journal").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in journal.splitlines()]
    (part,) = [line for line in lines if "part" in line]
    assert (part["part"], part["requests"], part["id"]) == ("project/Maze", 1, record["id"])
    plan = lab.plan()
    (change,) = plan["changes"]
    assert plan["settled"] == []
    assert (change["action"], change["reason"], change["id"]) == ("update", "edited", record["id"])
    lab.apply()
    assert sent(lab) == [("PATCH", {"users": {OTHER: {"can_change": True}}})]
    assert lab.plan()["changes"] == []


def test_a_refusal_of_the_second_request_says_what_was_done(lab: Lab) -> None:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            return httpx.Response(400, json={"users": ["Unknown user."]})
        return None

    lab.intercept = refuse
    result = lab.run("apply", "--auto-approve")
    (record,) = projects(lab)
    assert result.code == 3
    assert "+ project/Maze    failed    created, then 400 users: Unknown user." in result.out
    assert f"It was created, id {record['id']}. The next plan shows users as an edit." in result.out
    assert "State saved in" in result.out
    assert lab.state["records"]["project/Maze"]["applied"] == {"name": "Maze"}
    run = lab.run("runs", "list", "-o", "json").json[0]["run"]
    shown = lab.run("runs", "show", run)
    assert "created, then 400 users: Unknown user." in shown.out
    assert lab.run("runs", "show", run, "-o", "yaml").out.strip() in ("", "{}")
    lab.intercept = lambda request: None
    (change,) = lab.plan()["changes"]
    assert [field["path"] for field in change["fields"]] == [f"users.{OTHER}"]
    lab.apply()
    assert lab.plan()["changes"] == []


def test_the_report_says_in_json_what_was_done(lab: Lab) -> None:
    lab.intercept = lambda request: (
        httpx.Response(403, json={"detail": "No."}) if request.method == "PATCH" else None
    )
    report = lab.run("apply", "--auto-approve", "-o", "json").json
    (outcome,) = report["outcomes"]
    assert (outcome["status"], outcome["done"]) == ("failed", "created")
    assert report["exit_code"] == 3


def test_what_waits_for_a_record_that_is_not_finished_is_done_later(lab: Lab) -> None:
    lab.write("records/sessions.yaml", "sessions: [{name: s, projects: [Maze]}]\n")
    apply_struck(lab, 2, "500", False)
    lab.apply()
    assert lab.plan()["changes"] == []


def test_nothing_is_left_over_if_a_disk_is_full_between_them(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stemctl.errors import JournalError
    from stemctl.state.journal import Journal

    def full(self: Journal, *arguments: object) -> None:
        raise JournalError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "note_part", full)
        result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "created, then Not sent: The disk is full." in result.out
    assert [write.method for write in lab.writes] == ["POST"]
    lab.apply()
    assert len(projects(lab)) == 1
    assert lab.plan()["changes"] == []
