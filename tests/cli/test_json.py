"""With -o json stdout is one JSON document, on success and on every error."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import jsonschema
import pytest

from tests.support.lab import Lab
from tests.support.paths import PROJECT

PLAN = json.loads((PROJECT / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))

COMMANDS = [
    ["validate"],
    ["validate", "--online"],
    ["plan"],
    ["apply", "--auto-approve"],
    ["get", "session"],
    ["get", "session", "s"],
    ["approvals", "list"],
    ["explain", "session"],
    ["explain", "session.name"],
    ["doctor"],
    ["set", "session/s", "tags+=b"],
    ["new", "session", "--like", "s", "name=u"],
    ["mv", "session/s", "session/u"],
    ["rm", "session/s"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_success(lab: Lab, command: list[str]) -> None:
    lab.sessions("{name: s, tags: [a]}", "{name: t}")
    lab.apply()
    result = lab.run(*command, "-o", "json")
    assert result.code == 0, result.said
    assert json.loads(result.out) is not None


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c[0] in ("validate", "plan", "apply")], ids=" ".join
)
def test_wrong_files(lab: Lab, command: list[str]) -> None:
    lab.sessions("{name: s, tagz: [a]}")
    result = lab.run(*command, "-o", "json")
    assert result.code == 1
    (finding,) = result.json["diagnostics"]
    assert (finding["code"], finding["file"], finding["line"]) == (
        "unknown-field",
        "records/sessions.yaml",
        5,
    )
    assert lab.requests == []


ERRORS = {
    "usage": ["plan", "--nonsense"],
    "no such command": ["plam"],
    "no such model": ["get", "sesion"],
    "no such server": ["--server", "nowhere", "plan"],
    "no such record": ["get", "session", "nobody"],
    "no such field": ["get", "session", "--filter", "nam=x"],
    "no such proposal": ["approvals", "accept", "sensorystimulustype/x"],
    "no such permission": ["plan", "--allow", "everything"],
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(lab: Lab, name: str) -> None:
    lab.sessions("{name: s}")
    result = lab.run(*ERRORS[name], "-o", "json")
    assert result.code == 1
    assert result.json["exit_code"] == 1
    assert result.json["error"]["what"]
    text = lab.run(*ERRORS[name])
    assert text.code == 1
    assert text.err.startswith("Error: ")
    assert result.json["error"]["what"] in text.err


def test_broken_configuration(lab: Lab) -> None:
    lab.write("stemctl.yaml", "servers:\n  sandbox: {url: 'sandbox:', portol: private}\n")
    result = lab.run("plan", "-o", "json")
    assert result.code == 1
    assert "stemctl.yaml:2:30" in result.json["error"]["what"]
    assert "portol" in result.json["error"]["what"]


def test_a_real_server_must_name_its_edition(lab: Lab) -> None:
    lab.write("stemctl.yaml", "servers:\n  real: {url: 'https://www.brainstem.org/'}\n")
    assert "stemctl.yaml:2:9: `servers.real` has no `edition`" in lab.run("plan").err


def test_nothing_configured(lab: Lab) -> None:
    (lab.root / "stemctl.yaml").unlink()
    result = lab.run("plan")
    assert result.code == 1
    assert "init" in result.err
    assert lab.run("--server", "sandbox", "plan").code == 1
    assert lab.run("init").code == 0
    assert lab.run("plan").code == 0


def test_a_bug_is_70_and_names_a_trace(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stemctl.commands.plan.identify", lambda *_: 1 / 0)
    lab.sessions("{name: s}")
    result = lab.run("plan", "-o", "json")
    assert result.code == 70
    _, _, rest = result.json["error"]["why"].partition("the details are in ")
    trace = Path(rest.partition(".txt")[0] + ".txt")
    assert "ZeroDivisionError" in trace.read_text()
    trace.unlink()


def test_the_plan_document_is_as_its_schema_says(lab: Lab) -> None:
    lab.sessions(
        "{name: s, tags: [a], extra_fields: {room: B115}}",
        "{name: t}",
        "{name: u, description: Text.}",
    )
    lab.write(
        "records/types.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    )
    validator = jsonschema.Draft202012Validator(PLAN)
    validator.validate(lab.plan())
    lab.apply()
    lab.sessions(
        "{name: s, tags: [b], extra_fields: {room: B117}}",
        "{name: v, projects: [Whisker Touch Study]}",
    )
    lab.edit("session", "s", extra_fields={"room": "B999"})
    plan = lab.plan()
    validator.validate(plan)
    assert {c["held"] for c in plan["changes"]} >= {"conflict", "delete", "pending"}
    assert plan["summary"]["held"] == sum(c["held"] is not None for c in plan["changes"])


def test_the_same_plan_has_the_same_digest(lab: Lab) -> None:
    lab.sessions("{name: s}", "{name: t}")
    first = lab.plan()["digest"]
    lab.sessions("{name: t}", "{name: s}", name="records/elsewhere.yaml")
    (lab.root / "records" / "sessions.yaml").unlink()
    assert lab.plan()["digest"] == first
    lab.sessions("{name: t}", "{name: s, tags: [x]}", name="records/elsewhere.yaml")
    assert lab.plan()["digest"] != first


def test_progress_and_notes_are_not_on_stdout(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{i}}}" for i in range(3)))

    def slow(request: httpx.Request) -> None:
        lab.monkeypatch.setattr("stemctl.cli.progress.LONG", 0.0)

    lab.intercept = slow
    result = lab.run("apply", "--auto-approve", "-o", "json")
    assert result.code == 0
    assert result.json["summary"]["created"] == 3
