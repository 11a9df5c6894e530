"""A plan from the state and the files: no server is asked, and what only it could tell is said to
be unknown.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.commands import connection
from stemctl.core.saved_plan import plan_in
from stemctl.planning.values import canonical
from stemctl.schema.catalog import load_catalog
from tests.planning.test_in_doubt import break_off
from tests.planning.test_properties import TARGETS
from tests.planning.test_worlds import FILES, declare, fresh
from tests.support import edition_2026
from tests.support.effort import examples
from tests.support.lab import Lab, Result
from tests.support.strategies import records

CATALOG = load_catalog("2024")
TYPES = "records/types.yaml"


def offline(lab: Lab, *options: str) -> Any:
    result = lab.run("plan", "--offline", "-o", "json", *options)
    assert result.code == 0, result.said
    assert lab.requests == []
    return result.json


def text(lab: Lab, *options: str) -> Result:
    result = lab.run("plan", "--offline", *options)
    assert lab.requests == []
    return result


def what(plan: Any) -> list[Any]:
    """What a plan does, as far as it can be the same without a server."""
    return [
        (c["address"], c["action"], c["reason"], c["held"], c["approval"], c["id"], fields_of(c))
        for c in plan["changes"]
    ]


def fields_of(change: Any) -> list[Any]:
    model = CATALOG.models[change["model"]]
    return [
        (f["path"], f["held"], value(model, f, "before"), value(model, f, "after"))
        for f in change["fields"]
    ]


def value(model: Any, f: Any, side: str) -> Any:
    """A value as comparisons see it: the state does not know in which form a server writes it."""
    name, _, entry = f["path"].partition(".")
    shown = {entry: f[side]} if entry else f[side]
    return json.dumps(canonical(model.fields[name], shown), sort_keys=True, default=str).replace(
        " (unresolved)", ""
    )


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection, looks for a token or opens the sandbox fails."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("something was opened")

    for name in ("connect", "find_token", "sandbox_transport", "open_sandbox"):
        monkeypatch.setattr(connection, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("cut_off")
def test_nothing_is_opened_or_written(lab: Lab) -> None:
    lab.sessions("{name: a}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
    before = sorted(lab.root.rglob("*"))
    for server in ("sandbox", nobody, "https://stemctl.invalid/"):
        result = lab.run("--server", server, "plan", "--offline")
        assert result.code == 0, result.said
        assert "+ session/a" in result.out
        assert "Offline: compared with the state (serial 0), not with the server" in result.out
    assert sorted(lab.root.rglob("*")) == before


def test_without_differences_it_is_empty(lab: Lab) -> None:
    lab.sessions("{name: a, description: '  One. ', tags: [x]}", "{name: b, extra_fields: {k: 1}}")
    lab.apply()
    assert offline(lab)["changes"] == []
    assert offline(lab)["bookkeeping"] == []
    result = text(lab, "--detailed-exitcode")
    assert result.code == 0
    assert "Offline: compared with the state (serial 1), not with the server" in result.out
    assert "Nothing to do: all 2 records in the state match the files." in result.out


def test_edits_are_the_same_as_online(lab: Lab) -> None:
    lab.sessions(
        "{name: a, description: One., tags: [x, y]}",
        "{name: b}",
        "{name: c}",
        "{key: k, name: d}",
        "{name: e}",
    )
    lab.write(TYPES, "sensory_stimulus_types:\n  - {name: Auditory, description: Auditory cue}\n")
    lab.apply()
    lab.sessions(
        "{name: a, description: Two., tags: [y, z], name_used_in_storage: ses01}",
        "{key: b, name: b2, date_time: '2024-03-12'}",
        "{key: d, name: d}",
        "{name: e, lifecycle: {ignore_changes: [description]}, description: Other.}",
        "{name: new, projects: [Whisker Touch Study]}",
    )
    lab.write(
        "records/wishes.yaml",
        "moved:\n  - {from: session/k, to: session/d}\ndeleted: [session/c]\n",
    )
    lab.write(TYPES, "sensory_stimulus_types:\n  - {name: Auditory, description: Another cue}\n")
    there = lab.plan()
    here = offline(lab)
    assert {c["address"] for c in here["changes"]} >= {
        "session/a",
        "session/b",
        "session/c",
        "session/new",
    }
    assert what(here) == what(there)
    assert here["bookkeeping"] == there["bookkeeping"]
    assert (here["offline"], there["offline"]) == (True, False)


def test_what_the_server_answered_counts_not_what_was_sent(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}")
    lab.after = refuse_descriptions
    assert lab.run("apply", "--auto-approve").code == 3
    assert 'description was applied as "One.", but the server holds ""' in text(lab).out
    lab.sessions("{name: a, description: Two.}")
    (change,) = offline(lab)["changes"]
    assert [(f["before"], f["after"]) for f in change["fields"]] == [("", "Two.")]


def refuse_descriptions(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    return httpx.Response(response.status_code, content=response.content.replace(b'"One."', b'""'))


def test_unresolved_names_are_marked_and_cannot_be_sent(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    lab.sessions("{name: a}", "{name: b, projects: [Whisker Touch Study]}", "{name: c}")
    plan = offline(lab)
    b, c = plan["changes"]
    assert b["request"]["body"]["projects"][1] == {"$unresolved": "Whisker Touch Study"}
    assert c["request"]["body"]["projects"] == [b["request"]["body"]["projects"][0]]
    (shown,) = (f for f in b["fields"] if f["path"] == "projects")
    assert shown["after"] == ["Theta Maze Study", "Whisker Touch Study (unresolved)"]
    assert [n["text"] for n in plan["notes"]] == [
        'project "Whisker Touch Study" is unresolved: it is not in the files or in the state, '
        "but may be on the server"
    ]
    assert list(plan["names"]["project"]) == ["Theta Maze Study"]


def test_of_a_reference_that_was_applied_the_name_is_known(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    lab.sessions("{name: a}", "{name: b}")
    plan = offline(lab)
    assert plan["notes"] == []
    assert plan["changes"][0]["request"]["body"]["projects"] == [
        lab.live("project", "Theta Maze Study")["id"]
    ]


def test_a_name_that_is_neither_key_nor_unique_is_known(lab: Lab) -> None:
    """A reference may use what a record is called; nothing has changed about it."""
    lab.write("stemctl.yaml", edition_2026.CONFIG)
    lab.write("seed.yaml", json.dumps(edition_2026.SEED))
    lab.write("records/lab.yaml", edition_2026.LAB.replace("key: Maze room", "key: b117"))
    lab.write("records/days.yaml", f"behaviors: [{edition_2026.behavior('b', 'monday')}]")
    assert {change["reason"] for change in offline(lab)["changes"]} == {"new"}
    lab.apply()
    assert offline(lab)["changes"] == []


def test_of_several_names_of_a_record_the_one_of_the_files_counts(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    table = CATALOG.models["project"]
    with lab.database() as database, database.transaction():
        row = database.find(table, lab.state["names"]["project"]["Theta Maze Study"])
        assert row is not None
        database.replace(table, row, {**row.body, "name": "Alpha Study"})
    lab.write("records/sessions.yaml", "sessions: [{name: a, projects: [Alpha Study]}]\n")
    lab.apply()
    assert sorted(lab.state["names"]["project"]) == ["Alpha Study", "Theta Maze Study"]
    assert (offline(lab)["changes"], offline(lab)["notes"]) == ([], [])
    lab.write(
        "records/sessions.yaml",
        "sessions: [{name: a, projects: [Alpha Study, Whisker Touch Study]}]\n",
    )
    (change,) = offline(lab)["changes"]
    assert change["fields"][0]["after"] == ["Alpha Study", "Whisker Touch Study (unresolved)"]
    lab.write("records/sessions.yaml", "sessions: [{name: a, projects: [Alpha Study]}]\n")
    lab.write("records/new.yaml", "sessions: [{name: b, projects: [Theta Maze Study]}]\n")
    (change,) = offline(lab)["changes"]
    assert change["request"]["body"]["projects"] == [lab.state["names"]["project"]["Alpha Study"]]


def test_an_offline_plan_is_shown_and_never_applied(lab: Lab) -> None:
    lab.sessions("{name: a}")
    kept = text(lab, "--out", "plan.json")
    assert kept.code == 0
    assert "stemctl apply" not in kept.out
    assert (
        lab.run("show", "plan.json").out.count("Offline: compared with the state (serial 0)") == 1
    )
    refused = lab.run("apply", "plan.json", "--auto-approve")
    assert refused.code == 1
    assert "plan.json is an offline plan" in refused.err
    assert lab.requests == []
    resealed = json.loads((lab.root / "plan.json").read_text())
    assert plan_in(json.dumps(resealed)) is not None
    reseal(lab.root / "plan.json", {**resealed, "offline": False})
    forged = lab.run("apply", "plan.json", "--auto-approve")
    assert forged.code == 1
    assert "session has no projects like that" in forged.err
    assert lab.requests == []


def reseal(path: Path, document: Any) -> None:
    from stemctl.util.canonical_json import hash_of

    body = {key: part for key, part in document.items() if key != "checksum"}
    path.write_text(json.dumps({**body, "checksum": hash_of(body)}), encoding="utf-8")


def test_every_form_says_it(lab: Lab) -> None:
    lab.sessions("{name: a}")
    said = "Offline: compared with the state (serial 0), not with the server"
    for form in ("text", "markdown", "html"):
        assert said in lab.run("plan", "--offline", "-o", form).out
        assert said not in lab.run("plan", "-o", form).out
    assert text(lab).out.splitlines()[3].startswith(said)
    assert "may exist on the server already" in text(lab).out
    assert "All records here are new to the state." in text(lab).out


def test_a_proposal_that_the_state_knows_is_pending(lab: Lab) -> None:
    lab.write(TYPES, "sensory_stimulus_types:\n  - {name: Puff, description: Air.}\n")
    lab.apply()
    (change,) = offline(lab)["changes"]
    assert (change["held"], change["request"]) == ("pending", None)
    lab.write(TYPES, "sensory_stimulus_types:\n  - {name: Puff, description: Water.}\n")
    assert what(offline(lab)) == what(lab.plan())
    assert 'proposed: "Air."; files: "Water."' in text(lab).out


@pytest.mark.parametrize("arrives", [True, False])
def test_a_creation_in_doubt_stays_in_doubt(lab: Lab, arrives: bool) -> None:
    lab.sessions("{name: a}")
    break_off(lab, "POST", arrives)
    plan = offline(lab)
    (change,) = plan["changes"]
    assert (change["held"], change["request"]) == ("blocked", None)
    assert [(s["found"], s["then"]) for s in plan["settled"]] == [
        ("not looked up", "in doubt, as before")
    ]
    result = text(lab)
    assert "broke off" in result.err
    assert "a plan that reads the server shows the outcome" in result.out
    lab.sessions()
    assert offline(lab)["changes"] == []


def test_a_deletion_is_held_until_it_is_allowed(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    lab.apply()
    lab.sessions("{name: a}")
    held = text(lab)
    assert "held: delete" in held.out
    assert "stemctl plan --offline --allow delete=1" in held.out.replace(f"-C {lab.root} ", "")
    (change,) = offline(lab, "--allow", "delete")["changes"]
    assert (change["action"], change["held"]) == ("delete", None)
    assert text(lab, "--allow", "delete", "--detailed-exitcode").code == 2


def test_what_is_bound_by_an_id_alone_is_taken_as_the_files_say(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}", "{name: b}")
    lab.apply()
    ids = {name: lab.live("session", name)["id"] for name in "ab"}
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    lab.sessions(f"{{name: a, id: {ids['a']}, description: Other.}}", "{name: b}")
    assert lab.run("import", "session/b", ids["b"]).code == 0
    plan = offline(lab)
    assert [(c["address"], c["action"], c["request"], c["fields"]) for c in plan["changes"]] == [
        ("session/a", "adopt", None, [])
    ]
    notes = [(n["address"], n["text"]) for n in plan["notes"] if n["address"]]
    assert notes == [
        (
            f"session/{n}",
            "the state has only its id, so the plan assumes that it is as the files declare it",
        )
        for n in "ab"
    ]


def test_errors_in_the_files_stop_it(lab: Lab) -> None:
    lab.sessions("{name: a, descriptoin: One.}")
    result = text(lab)
    assert result.code == 1
    assert "descriptoin" in result.out


@pytest.mark.hypothesis
def test_worlds_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @examples(10)
    @given(FILES, FILES, st.sets(st.sampled_from(["delete"])))
    def check(first: dict[str, Any], second: dict[str, Any], allowed: set[str]) -> None:
        lab = fresh(tmp_path, monkeypatch)
        declare(lab, first)
        lab.apply()
        assert offline(lab)["changes"] == []
        declare(lab, second)
        options = [word for kind in allowed for word in ("--allow", kind)]
        assert what(offline(lab, *options)) == what(lab.plan(*options))
        assert lab.run("apply", "--auto-approve", *options).code in (0, 3)
        assert what(offline(lab, *options)) == what(lab.plan(*options))

    check()


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", [model.name for model in CATALOG.writable])
def test_what_was_just_applied_needs_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = CATALOG.models[name]

    @examples(5)
    @given(records(model, TARGETS))
    def check(declared: list[dict[str, Any]]) -> None:
        lab = fresh(tmp_path, monkeypatch)
        lab.write("records/random.yaml", json.dumps({model.many: declared}, ensure_ascii=False))
        lab.apply()
        assert what(offline(lab)) == what(lab.plan())
        for document in lab.run("approvals", "list", "-o", "json").json if model.approval else []:
            assert (
                lab.run(
                    "approvals", "accept", document["approval"]["id"], token="sandbox-admin"
                ).code
                == 0
            )
        lab.apply()
        assert offline(lab)["changes"] == []

    check()
