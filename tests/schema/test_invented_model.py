"""A model is a table: one that nobody ever heard of works by its file alone, with order and blocked
references.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.support.invented import add_table
from tests.support.lab import Lab

TABLE: dict[str, Any] = {
    "model": "rig",
    "app": "gadgets",
    "title": "Rig",
    "description": "A made-up thing that hangs on other rigs and on stimulus types.",
    "one": "rig",
    "many": "rigs",
    "portals": {"read": ["private"], "write": ["private"]},
    "operations": ["list", "add", "detail", "change", "delete"],
    "identity": "name",
    "fields": {
        "id": {"kind": "id", "read_only": True, "description": "Its id.", "source": "invented"},
        "name": {"kind": "text", "required": True, "unique": True, "trimmed": True,
                 "max_length": 20,
                 "description": "Its name.", "source": "invented"},
        "parent": {"kind": "reference", "to": "rig", "description": "What it is mounted on.",
                   "source": "invented"},
        "stimuli": {"kind": "references", "to": "sensorystimulustype", "ordered": True,
                    "description": "It can do it.", "source": "invented"},
        "weight": {"kind": "number", "nullable": True, "description": "In kilograms.",
                   "source": "invented"},
        "settings": {"kind": "json", "description": "Anything.", "default": {},
                     "source": "invented"},
    },
}  # fmt: skip


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    add_table(TABLE, monkeypatch)
    return lab


RIGS = """\
rigs:
  - {name: frame, parent: table, weight: 12.5, settings: {legs: [1, 2], on: true}}
  - {name: table, stimuli: [Auditory]}
  - {name: puffer, parent: frame, stimuli: [Air puff, Auditory]}
"""
PUFF = "sensory_stimulus_types:\n  - {name: Air puff, description: Brief puff}\n"


def test_everything_follows_from_the_table(lab: Lab) -> None:
    lab.write("records/rigs.yaml", RIGS + PUFF)
    plan = lab.plan()
    waits = {c["address"]: c["waits"] for c in plan["changes"]}
    assert waits["rig/frame"] == ["rig/table"]
    blocked = next(c for c in plan["changes"] if c["address"] == "rig/puffer")
    assert (blocked["held"], blocked["waits"]) == ("blocked", ["sensorystimulustype/Air puff"])

    lab.apply()
    sent = [s.body.get("name") for s in lab.writes if "rig" in s.path]
    assert sent == ["table", "frame"]
    assert (
        lab.api("GET", "gadgets/rig/")["rigs"][1]["parent"]
        == lab.state["records"]["rig/table"]["id"]
    )
    assert (
        lab.run("approvals", "accept", "sensorystimulustype/Air puff", token="sandbox-admin").code
        == 0
    )

    lab.apply()
    assert [s.body["name"] for s in lab.writes] == ["puffer"]
    assert lab.run("plan", "--detailed-exitcode").code == 0


def test_an_order_that_means_something_is_compared(lab: Lab) -> None:
    with lab.database() as database:
        database.seed({"sensory_stimulus_types": [{"name": "Light", "description": "Light"}]})
    lab.write("records/rigs.yaml", "rigs:\n  - {name: a, stimuli: [Auditory, Light]}\n")
    lab.apply()
    lab.write("records/rigs.yaml", "rigs:\n  - {name: a, stimuli: [Light, Auditory]}\n")
    lab.apply()
    assert [s.method for s in lab.writes] == ["PATCH"]
    assert lab.plan()["changes"] == []


def test_deletes_go_from_the_leaves(lab: Lab) -> None:
    lab.write("records/rigs.yaml", RIGS.replace("Air puff, ", ""))
    lab.apply()
    ids = {entry["id"]: address for address, entry in lab.state["records"].items()}
    lab.write("records/rigs.yaml", "rigs:\n  - {name: other}\n")
    lab.apply("--allow", "delete=3")
    deleted = [ids[s.path.split("/")[-2]] for s in lab.writes if s.method == "DELETE"]
    assert deleted == ["rig/puffer", "rig/frame", "rig/table"]
    assert lab.api("GET", "gadgets/rig/")["rigs"][0]["name"] == "other"


def test_a_cycle_names_its_members(lab: Lab) -> None:
    lab.write("records/rigs.yaml", "rigs:\n  - {name: a, parent: b}\n  - {name: b, parent: a}\n")
    result = lab.run("apply", "--auto-approve")
    assert result.code == 1
    assert "these changes wait for each other" in result.out
    assert "rig/a" in result.out
    assert "rig/b" in result.out
    assert lab.writes == []


def test_a_swap_of_names_names_its_members(lab: Lab) -> None:
    lab.write("records/rigs.yaml", "rigs:\n  - {key: one, name: a}\n  - {key: two, name: b}\n")
    lab.apply()
    lab.write("records/rigs.yaml", "rigs:\n  - {key: one, name: b}\n  - {key: two, name: a}\n")
    result = lab.run("apply", "--auto-approve")
    assert result.code == 1
    assert "these changes wait for each other" in result.out
    assert lab.writes == []


def test_a_name_is_taken_only_after_it_was_given_up(lab: Lab) -> None:
    lab.write("records/rigs.yaml", "rigs:\n  - {key: one, name: a}\n")
    lab.apply()
    lab.write("records/rigs.yaml", "rigs:\n  - {key: one, name: z}\n  - {key: two, name: a}\n")
    plan = lab.plan()
    assert {c["address"]: c["waits"] for c in plan["changes"]} == {
        "rig/one": [],
        "rig/two": ["rig/one"],
    }
    lab.apply()
    assert [(s.method, s.body["name"]) for s in lab.writes] == [("PATCH", "z"), ("POST", "a")]


def test_a_name_that_only_a_proposal_gives_up_is_not_taken(lab: Lab) -> None:
    types = "sensory_stimulus_types:\n  - {key: one, name: Auditory, description: Auditory cue}\n"
    lab.write("records/types.yaml", types)
    lab.apply()
    changed = types.replace("name: Auditory", "name: Sound")
    lab.write(
        "records/types.yaml", changed + "  - {key: two, name: Auditory, description: Another}\n"
    )
    plan = {c["address"]: (c["held"], c["waits"]) for c in lab.plan()["changes"]}
    assert plan["sensorystimulustype/one"] == (None, [])
    assert plan["sensorystimulustype/two"] == ("blocked", ["sensorystimulustype/one"])


def test_a_failure_stops_only_what_waits_for_it(lab: Lab) -> None:
    lab.write("records/rigs.yaml", RIGS.replace("Air puff, ", "") + "  - {name: alone}\n")

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and b'"table"' in request.content:
            return httpx.Response(400, json={"name": ["No tables, please."]})
        return None

    lab.intercept = refuse
    result = lab.run("apply", "--auto-approve", "-o", "json")
    assert result.code == 3
    statuses = {o["address"]: o["status"] for o in result.json["outcomes"]}
    assert statuses == {
        "rig/alone": "applied",
        "rig/frame": "skipped",
        "rig/puffer": "skipped",
        "rig/table": "failed",
    }


def test_its_manifest_from_the_server_plans_to_nothing(lab: Lab) -> None:
    lab.write("records/rigs.yaml", RIGS.replace("Air puff, ", ""))
    lab.apply()
    text = lab.run("get", "rigs", "-o", "yaml").out
    lab.write("records/rigs.yaml", text)
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    plan = lab.plan()
    assert [(c["action"], c["request"]) for c in plan["changes"]] == [("adopt", None)] * 3
    assert "rig has no field" in lab.run("explain", "rig.wieght").err


def test_what_waits_for_two_is_skipped_if_either_fails(lab: Lab) -> None:
    lab.write(
        "records/rigs.yaml",
        "rigs:\n  - {name: base}\n  - {name: l, parent: base}\n  - {name: r, parent: base}\n",
    )
    lab.apply()
    ids = {address: entry["id"] for address, entry in lab.state["records"].items()}
    lab.write("records/rigs.yaml", "rigs:\n  - {name: other}\n")

    def refuse(request: httpx.Request) -> httpx.Response | None:
        refused = request.method == "DELETE" and ids["rig/l"] in request.url.path
        return httpx.Response(400, json={"detail": "No."}) if refused else None

    lab.intercept = refuse
    result = lab.run(
        "apply", "--auto-approve", "--allow", "delete", "--parallelism", "1", "-o", "json"
    )
    statuses = {o["address"]: (o["status"], o["message"]) for o in result.json["outcomes"]}
    assert statuses["rig/base"] == ("skipped", "waits for rig/l")
    assert statuses["rig/r"] == ("applied", "")
    assert result.code == 3


def test_true_is_not_1(lab: Lab) -> None:
    """In a field of any JSON: an edit, that is sent and remembered, however deep it is."""
    lab.write("records/rigs.yaml", "rigs:\n  - {name: a, settings: {on: 1, deep: [{at: 0}]}}\n")
    lab.apply()
    lab.write(
        "records/rigs.yaml", "rigs:\n  - {name: a, settings: {on: true, deep: [{at: false}]}}\n"
    )
    screen = lab.run("plan").out
    assert "settings.on            1 → true" in screen
    assert "settings.deep[0].at    0 → false" in screen
    lab.apply()
    (sent,) = lab.writes
    assert json.dumps(sent.body) == '{"settings": {"on": true, "deep": [{"at": false}]}}'
    applied = lab.state["records"]["rig/a"]["applied"]["settings"]
    assert json.dumps(applied) == '{"on": true, "deep": [{"at": false}]}'
    assert lab.plan()["changes"] == []
    assert lab.run("drift", "--detailed-exitcode").code == 0
    lab.edit("rig", "a", settings={"on": 1, "deep": [{"at": False}]})
    assert lab.run("drift", "--detailed-exitcode").code == 2
    assert [c["reason"] for c in lab.plan()["changes"]] == ["drift"]


def test_one_is_one_point_nought(lab: Lab) -> None:
    lab.write("records/rigs.yaml", "rigs:\n  - {name: a, weight: 1, settings: {on: 1}}\n")
    lab.apply()
    lab.write("records/rigs.yaml", "rigs:\n  - {name: a, weight: 1.0, settings: {on: 1.0}}\n")
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []


def test_a_base_that_differs_by_true_alone_is_remembered(lab: Lab) -> None:
    """Somebody else changed it to the same as the files: nothing is sent, and the base moves."""
    lab.write("records/rigs.yaml", "rigs:\n  - {name: a, settings: {on: 1}}\n")
    lab.apply()
    lab.edit("rig", "a", settings={"on": True})
    lab.write("records/rigs.yaml", "rigs:\n  - {name: a, settings: {on: true}}\n")
    lab.apply()
    assert lab.writes == []
    assert lab.state["records"]["rig/a"]["applied"]["settings"]["on"] is True
    assert lab.plan()["bookkeeping"] == []
