"""Entries of logs: written by actions of their log, told apart by their moment."""

from __future__ import annotations

import datetime
import json
from typing import Any

import httpx
import pytest

from stemctl.client import retry
from stemctl.commands import plan
from tests.support.lab import Lab
from tests.support.writes_struck import STRIKES, apply_struck

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: "2026", seed: seed.yaml}
"""
SEED = {
    "species": [{"name": "Rattus"}],
    "strains": [{"name": "LE", "species": "Rattus"}],
    "projects": [{"name": "Theta"}],
}
DAYS = "subjectlogentry/rat12/weight/2024-03-"
ONE = "{date_time: 2024-03-12T08:00:00Z, details: {weight: 312 g}}"
TWO = "{date_time: 2024-03-13T08:00:00Z, notes: fed, details: {weight: 313 g}}"


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(retry, "backoff", lambda attempt: 0.0)
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", json.dumps(SEED))
    return lab


def declare(lab: Lab, *entries: str, kind: str = "Weighing", more: str = "") -> None:
    lines = "".join(f"          - {entry}\n" for entry in entries)
    lab.write(
        "records/rats.yaml",
        "subjects:\n  - name: rat12\n    projects: [Theta]\n    strain: LE\n    sex: M\n"
        f"    subject_logs:\n      - key: weight\n        type: {kind}\n"
        f"        entries:{' []' if not entries else ''}\n{lines}{more}",
    )


def log(lab: Lab) -> dict[str, Any]:
    (found,) = lab.api("GET", "modules/subjectlog/")["subject_logs"]
    return dict(found)


def weights(lab: Lab) -> dict[str, Any]:
    return {e["date_time"]: e["details"]["weight"]["value"] for e in log(lab)["entries"]}


def act(lab: Lab, action: str, **body: Any) -> None:
    lab.api("PATCH", f"modules/subjectlog/{log(lab)['id']}/{action}/", body)


def sent(lab: Lab) -> list[tuple[str, Any]]:
    return [(write.path.rstrip("/").rpartition("/")[2], write.body) for write in lab.writes]


def later(monkeypatch: pytest.MonkeyPatch, seconds: int = 61) -> None:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    monkeypatch.setattr(plan, "utc_now", lambda: moment)


def test_an_entry_is_added_changed_and_removed_by_its_moment(lab: Lab) -> None:
    declare(lab, ONE, TWO)
    lab.apply()
    assert [write.path.split("/")[1] for write in lab.writes][:2] == ["subject", "subjectlog"]
    assert [write.method for write in lab.writes][2:] == ["PATCH", "PATCH"]
    assert weights(lab) == {"2024-03-12T08:00:00Z": 312, "2024-03-13T08:00:00Z": 313}
    assert lab.plan()["changes"] == []
    declare(lab, ONE, TWO.replace("fed", "hungry"))
    lab.apply()
    assert sent(lab) == [("change_entry", {"date_time": "2024-03-13T08:00:00Z", "notes": "hungry"})]
    declare(lab, ONE)
    (change,) = lab.plan()["changes"]
    assert (change["address"], change["held"]) == (f"{DAYS}13T08:00:00Z", "delete")
    lab.apply("--allow", "delete=1")
    assert sent(lab) == [("remove_entry", {"date_time": "2024-03-13T08:00:00Z"})]
    assert list(weights(lab)) == ["2024-03-12T08:00:00Z"]
    result = lab.apply()
    assert lab.writes == []
    assert "Nothing to do" in result.out


def test_the_plan_shows_where_each_request_goes(lab: Lab) -> None:
    declare(lab, ONE)
    (change,) = [c for c in lab.plan()["changes"] if c["model"] == "subjectlogentry"]
    assert change["request"]["method"] == "PATCH"
    assert change["request"]["path"] == ("modules/subjectlog/{subjectlog/rat12/weight}/add_entry/")
    assert change["waits"] == ["subjectlog/rat12/weight"]
    declare(lab)
    lab.apply()
    declare(lab, ONE)
    (change,) = lab.plan()["changes"]
    assert change["request"]["path"] == f"modules/subjectlog/{log(lab)['id']}/add_entry/"
    lab.run("plan", "--out", "plan.json")
    assert lab.run("apply", "plan.json").code == 0
    assert sent(lab)[0][1].keys() == {"date_time", "details"}
    assert list(weights(lab)) == ["2024-03-12T08:00:00Z"]


def test_entries_of_others_are_not_managed(lab: Lab) -> None:
    declare(lab, ONE)
    lab.apply()
    act(lab, "add_entry", date_time="2024-03-20T08:00:00Z", details={"weight": _grams(400)})
    lab.apply()
    assert lab.writes == []
    declare(lab)
    lab.apply("--allow", "delete=1")
    assert weights(lab) == {"2024-03-20T08:00:00Z": 400}


def _grams(value: int) -> dict[str, Any]:
    return {"value": value, "unit": "g"}


def test_another_moment_is_a_new_entry_and_a_delete(lab: Lab) -> None:
    declare(lab, ONE)
    lab.apply()
    declare(lab, ONE.replace("12T", "14T"))
    changes = {c["action"]: c["held"] for c in lab.plan()["changes"]}
    assert changes == {"create": None, "delete": "delete"}
    lab.apply("--allow", "delete=1")
    assert weights(lab) == {"2024-03-14T08:00:00Z": 312}
    assert lab.plan()["changes"] == []


def test_entries_that_last_are_told_apart_by_their_start(lab: Lab) -> None:
    start = "start_date_time: 2024-03-12T08:00:00Z"
    declare(lab, f"{{{start}, details: {{cageId: A}}}}", kind="Housing")
    lab.apply()
    end = "end_date_time: 2024-03-20T08:00:00Z"
    declare(lab, f"{{{start}, {end}, details: {{cageId: A}}}}", kind="Housing")
    lab.apply()
    (entry,) = log(lab)["entries"]
    assert sent(lab) == [
        (
            "change_entry",
            {"start_date_time": "2024-03-12T08:00:00Z", "end_date_time": "2024-03-20T08:00:00Z"},
        )
    ]
    assert entry["end_date_time"] == "2024-03-20T08:00:00Z"
    declare(lab, kind="Housing")
    lab.apply("--allow", "delete=1")
    assert log(lab)["entries"] == []


@pytest.mark.parametrize(("name", "arrives"), STRIKES)
def test_whatever_happens_to_a_new_entry_it_is_there_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str, arrives: bool
) -> None:
    declare(lab)
    lab.apply()
    declare(lab, ONE)
    apply_struck(lab, 1, name, arrives)
    assert lab.run("plan").code == 0
    lab.run("apply", "--auto-approve")
    assert len(weights(lab)) < 2
    later(monkeypatch)
    lab.run("apply", "--auto-approve")
    assert weights(lab) == {"2024-03-12T08:00:00Z": 312}
    lab.apply()
    assert lab.writes == []
    found = lab.plan()
    assert (found["changes"], found["bookkeeping"], found["settled"]) == ([], [], [])


@pytest.mark.parametrize(("name", "arrives"), STRIKES)
def test_whatever_happens_to_a_change_or_a_removal_it_is_done(
    lab: Lab, name: str, arrives: bool
) -> None:
    declare(lab, ONE, TWO)
    lab.apply()
    declare(lab, ONE.replace("312", "300"))
    for number in (1, 2):
        apply_struck(lab, number, name, arrives, "--allow", "delete=1")
    lab.run("apply", "--auto-approve", "--allow", "delete=1")
    assert weights(lab) == {"2024-03-12T08:00:00Z": 300}
    lab.apply()
    assert lab.writes == []
    found = lab.plan()
    assert (found["changes"], found["bookkeeping"], found["settled"]) == ([], [], [])


def test_an_entry_that_others_added_meanwhile_is_not_added_again(lab: Lab) -> None:
    declare(lab)
    lab.apply()
    declare(lab, ONE)
    lab.run("plan", "--out", "plan.json")
    act(lab, "add_entry", date_time="2024-03-12T08:00:00Z", details={"weight": _grams(1)})
    result = lab.run("apply", "plan.json")
    assert result.code == 1
    assert lab.writes == []
    assert "has an entry at this moment since this plan was made" in result.out


def test_an_entry_that_others_changed_meanwhile_is_not_overwritten(lab: Lab) -> None:
    declare(lab, ONE)
    lab.apply()
    declare(lab, ONE.replace("312", "300"))
    lab.run("plan", "--out", "plan.json")
    act(lab, "change_entry", date_time="2024-03-12T08:00:00Z", details={"weight": _grams(1)})
    result = lab.run("apply", "plan.json")
    assert result.code == 1
    assert lab.writes == []
    assert "changed on the server since this plan was made" in result.out
    assert weights(lab) == {"2024-03-12T08:00:00Z": 1}


@pytest.mark.parametrize("declared", [[ONE.replace("312", "300")], []])
def test_an_entry_that_others_removed_meanwhile_is_named(lab: Lab, declared: list[str]) -> None:
    declare(lab, ONE)
    lab.apply()
    declare(lab, *declared)
    lab.run("plan", "--allow", "delete", "--out", "plan.json")
    act(lab, "remove_entry", date_time="2024-03-12T08:00:00Z")
    result = lab.run("apply", "plan.json")
    assert (result.code, lab.writes) == (1, [])
    assert "deleted" in result.out
    assert "changed on the server" not in result.out


def test_the_answer_about_another_log_is_not_believed(lab: Lab) -> None:
    declare(lab)
    lab.apply()
    declare(lab, ONE)
    other = {**log(lab), "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            return httpx.Response(200, json={"subject_log": other})
        return None

    lab.intercept = answer
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "another subject log" in result.out
    assert weights(lab) == {}


def test_two_entries_at_one_moment_are_left_alone(lab: Lab) -> None:
    declare(lab, ONE)
    lab.apply()
    declare(lab, ONE.replace("312", "300"))

    def double(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith(f"/{identifier}/"):
            body = response.json()
            body["subject_log"]["entries"] *= 2
            return httpx.Response(200, json=body)
        return response

    identifier = log(lab)["id"]
    lab.after = double
    result = lab.run("apply", "--auto-approve")
    assert result.code == 1
    assert "several entries at this moment" in result.out
    assert lab.writes == []


def test_a_log_is_deleted_with_its_entries_and_not_with_those_of_others(lab: Lab) -> None:
    declare(lab, ONE, TWO)
    lab.apply()
    act(lab, "add_entry", date_time="2024-03-20T08:00:00Z", details={"weight": _grams(400)})
    text = (lab.root / "records" / "rats.yaml").read_text(encoding="utf-8")
    lab.write("records/rats.yaml", text.partition("    subject_logs:")[0])
    held = {c["model"]: c["held"] for c in lab.plan("--allow", "delete=10")["changes"]}
    assert held == {"subjectlog": "cascade", "subjectlogentry": None}
    act(lab, "remove_entry", date_time="2024-03-20T08:00:00Z")
    lab.apply("--allow", "delete=10")
    assert [write.method for write in lab.writes] == ["PATCH", "PATCH", "DELETE"]
    assert lab.api("GET", "modules/subjectlog/")["subject_logs"] == []
    assert lab.plan()["changes"] == []


def test_the_type_of_a_log_cannot_change(lab: Lab) -> None:
    declare(lab)
    lab.apply()
    declare(
        lab, "{date_time: 2024-03-12T08:00:00Z, details: {result: a, sample: b}}", kind="Genotyping"
    )
    log_change, change = lab.plan()["changes"]
    assert (log_change["held"], log_change["request"]) == ("blocked", None)
    assert (change["held"], change["waits"]) == ("blocked", ["subjectlog/rat12/weight"])
    result = lab.run("apply", "--auto-approve")
    assert "type cannot change after creation" in result.out
    assert lab.writes == []
    assert log(lab)["type"] == "Weighing"


def test_a_run_shows_its_entries_as_they_were(lab: Lab) -> None:
    declare(lab, ONE)
    lab.apply()
    declare(lab)
    lab.apply("--allow", "delete=1")
    run = lab.run("runs", "list", "-o", "json").json[0]["run"]
    assert f"- {DAYS}12T08:00:00Z    deleted" in lab.run("runs", "show", run).out
    assert "2024-03-12T08:00:00Z" in lab.run("runs", "show", run, "-o", "yaml").out


def test_an_entry_that_is_there_already_is_adopted(lab: Lab) -> None:
    declare(lab)
    lab.apply()
    act(lab, "add_entry", date_time="2024-03-12T08:00:00Z", details={"weight": _grams(312)})
    declare(lab, ONE)
    (change,) = lab.plan()["changes"]
    assert (change["action"], change["request"]) == ("adopt", None)
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []


def test_another_spelling_of_a_moment_is_no_other_entry(lab: Lab) -> None:
    declare(lab, ONE)
    lab.apply()
    declare(lab, ONE.replace("08:00:00Z", "09:00:00+01:00"))
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []
    assert weights(lab) == {"2024-03-12T08:00:00Z": 312}


MOVED = f"moved:\n  - {{from: '{DAYS}12T08:00:00Z', to: '{DAYS}14T08:00:00Z'}}\n"


def test_a_moved_entry_is_added_before_the_old_one_is_removed(lab: Lab) -> None:
    declare(lab, ONE)
    lab.apply()
    act(lab, "change_entry", date_time="2024-03-12T08:00:00Z", notes="Of another person.")
    declare(lab, ONE.replace("12T", "14T"), more=MOVED)
    lab.apply()
    assert [action for action, _ in sent(lab)] == ["add_entry", "remove_entry"]
    assert weights(lab) == {"2024-03-14T08:00:00Z": 312}
    (entry,) = log(lab)["entries"]
    assert entry["notes"] == "Of another person."
    assert lab.plan()["changes"] == []


@pytest.mark.parametrize(("name", "arrives"), STRIKES)
@pytest.mark.parametrize("number", [1, 2])
def test_whatever_happens_to_a_moved_entry_it_is_there_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, number: int, name: str, arrives: bool
) -> None:
    declare(lab, ONE)
    lab.apply()
    declare(lab, ONE.replace("12T", "14T"), more=MOVED)
    apply_struck(lab, number, name, arrives)
    assert weights(lab)
    later(monkeypatch)
    lab.run("apply", "--auto-approve")
    assert weights(lab) == {"2024-03-14T08:00:00Z": 312}
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []


def test_an_entry_in_another_log_is_added_there_and_removed_here(lab: Lab) -> None:
    other = "      - {key: again, type: Weighing, entries: [%s]}\n"
    declare(lab, ONE, more=other.replace("%s", ""))
    lab.apply()
    to = "subjectlogentry/rat12/again/2024-03-12T08:00:00Z"
    moved = f"moved:\n  - {{from: '{DAYS}12T08:00:00Z', to: '{to}'}}\n"
    declare(lab, more=other.replace("%s", ONE) + moved)
    lab.apply()
    assert [action for action, _ in sent(lab)] == ["add_entry", "remove_entry"]
    assert lab.plan()["changes"] == []


def test_an_entry_is_bound_by_its_moment(lab: Lab) -> None:
    declare(lab, ONE)
    lab.apply()
    address, id_ = f"{DAYS}12T08:00:00Z", f"{log(lab)['id']}/2024-03-12T08:00:00Z"
    lab.run("state", "rm", address)
    assert lab.run("import", address, id_).code == 0
    assert lab.state["records"][address]["id"] == id_
    lab.apply()
    assert lab.writes == []
    lab.run("state", "rm", address)
    wrong = lab.run("import", address, id_.replace("12T", "15T"))
    assert "has no entry at 2024-03-15T08:00:00Z" in wrong.err
    wrong = lab.run("import", address, log(lab)["id"])
    assert "is not the id of a subject log entry" in wrong.err
    wrong = lab.run("get", "subjectlogentry")
    assert "They are inside subject logs." in wrong.err


def test_a_plan_cannot_lead_a_request_for_an_entry_elsewhere(lab: Lab) -> None:
    from stemctl.core.plan_codec import plan_document, plan_of
    from stemctl.util.canonical_json import hash_of

    declare(lab, ONE)
    lab.apply()
    declare(lab, ONE.replace("312", "300"))
    document = json.loads(lab.run("plan", "-o", "json").out)
    good = document["changes"][0]["request"]["path"]
    for path in (good.replace("change", "remove"), good.replace(log(lab)["id"], "1"), "a/b/"):
        document["changes"][0]["request"]["path"] = path
        made = plan_document(plan_of(document))
        body = {key: value for key, value in made.items() if key != "checksum"}
        lab.write("plan.json", json.dumps({**body, "checksum": hash_of(body)}))
        result = lab.run("apply", "plan.json")
        assert result.code == 1
        assert "does not match its change" in result.err
        assert lab.writes == []


def test_an_entry_without_an_answer_is_not_added_again_within_a_minute(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(lab)
    lab.apply()
    declare(lab, ONE)
    result = apply_struck(lab, 1, "lost", False)
    assert [action for action, _ in sent(lab)] == ["add_entry"]
    assert "The record was not found yet. Plan again in a minute." in result.out
    assert lab.run("apply", "--auto-approve").code == 3
    assert lab.writes == []
    later(monkeypatch)
    lab.apply()
    assert [action for action, _ in sent(lab)] == ["add_entry"]


def test_a_change_that_stays_blocked_until_the_files_change_is_not_a_success(lab: Lab) -> None:
    declare(lab)
    lab.apply()
    declare(lab, kind="Housing")
    assert lab.run("plan", "--detailed-exitcode").code == 2
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "cannot change after creation" in result.out
    assert lab.writes == []
