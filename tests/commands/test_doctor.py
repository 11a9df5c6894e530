"""doctor: the tables against the server's answers, what that means, and its profile."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from stemctl.client.over_asgi import OverAsgi
from stemctl.commands import connection, workspace
from stemctl.core.answer_shapes import Received, listing_of
from stemctl.core.profile import ModelProfile, Profile, profile_text, read_profile
from stemctl.planning.table_truth import compare
from stemctl.sandbox.api import create_app
from stemctl.sandbox.likeness import Likeness
from stemctl.schema.catalog import load_catalog
from tests.support.lab import Lab, run_in_process
from tests.support.paths import PROJECT

Alter = Callable[[dict[str, Any]], dict[str, Any]]


def answers(lab: Lab, part: str, alter: Alter) -> None:
    """From now on, JSON answers to paths with this part are altered."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if part not in request.url.path or response.status_code != 200:
            return response
        return httpx.Response(200, json=alter(response.json()), headers={"X-Trace": "abc"})

    lab.after = after


def each_record(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Alter:
    """An alteration of every record of a list."""

    def alter(answer: dict[str, Any]) -> dict[str, Any]:
        return {
            key: [change(one) for one in value] if isinstance(value, list) else value
            for key, value in answer.items()
        }

    return alter


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.sessions("{name: s, tags: [a], extra_fields: {room: B115}}", "{name: t}")
    lab.apply()
    return lab


def findings(lab: Lab, *words: str) -> dict[str, list[str]]:
    """The codes of the findings of each model that has some."""
    document = lab.run("doctor", "-o", "json", *words).json
    return {
        model["model"]: [finding["code"] for finding in model["findings"]]
        for model in document["models"]
        if model["findings"]
    }


def verdict(lab: Lab) -> str:
    return str(lab.run("doctor", "-o", "json").json["verdict"]["code"])


def test_the_sandbox_answers_as_its_tables_say(filled: Lab) -> None:
    result = filled.run("doctor", "--detailed-exitcode")
    assert result.code == 0, result.said
    assert "Verdict: the server answers as edition 2024 says" in result.out
    assert (findings(filled), verdict(filled)) == ({}, "fits")


def test_it_sends_nothing_but_get(filled: Lab) -> None:
    filled.run("doctor", "--profile", "p.json")
    assert filled.requests
    assert filled.writes == []


DIFFERENCES: list[tuple[str, Alter, str, str, int]] = [
    ("session/", each_record(lambda r: {**r, "weight": 1}), "unknown-fields", "differs", 0),
    (
        "session/",
        each_record(lambda r: {k: v for k, v in r.items() if k != "epochs"}),
        "never-answered",
        "differs",
        0,
    ),
    (
        "session/",
        each_record(lambda r: {k: v for k, v in r.items() if k != "tags"}),
        "never-answered",
        "harmed",
        1,
    ),
    ("session/", each_record(lambda r: {**r, "tags": "a, b"}), "other-kind", "harmed", 1),
    ("session/", each_record(lambda r: {**r, "tags": [1]}), "other-kind", "harmed", 1),
    ("session/", each_record(lambda r: {**r, "description": 5}), "other-kind", "differs", 0),
    ("session/", each_record(lambda r: {**r, "id": 5}), "other-kind", "harmed", 1),
    (
        "session/",
        lambda a: {("data" if k == "sessions" else k): v for k, v in a.items()},
        "other-key",
        "harmed",
        1,
    ),
    (
        "session/",
        lambda a: {k: v for k, v in a.items() if k not in ("meta", "count")},
        "no-total",
        "differs",
        0,
    ),
    ("sensorystimulustype_approvals/", lambda a: {"data": []}, "other-key", "harmed", 1),
]


@pytest.mark.parametrize(("part", "alter", "code", "says", "exit_code"), DIFFERENCES)
def test_each_difference_is_found(
    filled: Lab, part: str, alter: Alter, code: str, says: str, exit_code: int
) -> None:
    answers(filled, part, alter)
    found = findings(filled)
    assert len(found) == 1
    assert code in next(iter(found.values()))
    assert verdict(filled) == says
    assert filled.run("doctor").code == exit_code
    assert filled.run("doctor", "--detailed-exitcode").code == (exit_code or 2)


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [(404, "not-there", "harmed"), (403, "denied", "differs"), (500, "other-status", "harmed")],
)
def test_models_that_are_not_answered(filled: Lab, status: int, code: str, says: str) -> None:
    filled.intercept = lambda request: (
        httpx.Response(status, json={"detail": "No."})
        if "sensorystimulustype/" in request.url.path
        else None
    )
    assert findings(filled) == {"sensorystimulustype": [code]}
    assert verdict(filled) == says


def test_what_to_do_is_said(filled: Lab) -> None:
    answers(filled, "session/", each_record(lambda r: {**r, "tags": "a"}))
    result = filled.run("doctor")
    assert "Verdict: do not rely on plans for session." in result.out
    assert "plan sensorystimulustype" in result.err
    assert "doctor --profile" in result.err
    answers(filled, "session/", each_record(lambda r: {**r, "weight": "a"}))
    out = " ".join(filled.run("doctor").out.split())
    assert "session has 1 field that stemctl does not know: weight" in out
    assert "fields that stemctl does not know are left as they are on the server" in out


def test_a_token_that_is_not_known_is_asked_about_once(filled: Lab) -> None:
    filled.intercept = lambda request: httpx.Response(401, json={"detail": "Invalid token."})
    result = filled.run("doctor")
    assert result.code == 1
    assert "the server does not let you in" in result.out
    assert len(filled.requests) <= 2  # of one model
    assert "stemctl" in result.err
    assert "login" in result.err


def test_a_server_that_is_not_there_is_an_error(filled: Lab) -> None:
    def fail(request: httpx.Request) -> None:
        raise httpx.ConnectError("refused")

    filled.intercept = fail
    result = filled.run("doctor")
    assert result.code == 1
    assert "cannot be reached" in result.err


def test_one_lost_answer_does_not_hide_the_others(filled: Lab) -> None:
    def fail(request: httpx.Request) -> None:
        if "/session/" in request.url.path:
            raise httpx.ReadTimeout("late")

    filled.intercept = fail
    assert findings(filled) == {"session": ["no-answer"]}


def test_many_models_are_folded(lab: Lab) -> None:
    lab.write("stemctl.yaml", CONFIG_2026)
    lines = lab.run("doctor").out.splitlines()
    assert len(lines) < 20, lines
    unfolded = lab.run("-v", "doctor").out.splitlines()
    assert len(unfolded) > len(lines)


CONFIG_2026 = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: 2026}
"""


# The profile.


def test_a_profile_holds_no_value(filled: Lab) -> None:
    result = filled.run("doctor", "--profile", "p.json")
    assert result.code == 0, result.said
    text = (filled.root / "p.json").read_text(encoding="utf-8")
    for secret in ("B115", "room", "Theta Maze Study", "sandbox-user", "elsewhere.example"):
        assert secret not in text
    profile = read_profile(text, "p.json")
    assert profile.models["session"].list.total == 2
    assert "content-type" in profile.models["session"].list.headers


def test_an_older_profile_is_replaced_and_nothing_else(filled: Lab) -> None:
    for _ in range(2):
        assert filled.run("doctor", "--profile", "p.json").code == 0
    filled.write("notes.txt", "mine")
    os.symlink(filled.root / "notes.txt", filled.root / "link.json")
    for name, says in (("notes.txt", "is not a profile"), ("link.json", "is a link")):
        result = filled.run("doctor", "--profile", name)
        assert result.code == 1
        assert says in result.err
        assert filled.requests == []
    assert (filled.root / "notes.txt").read_text() == "mine"
    assert filled.run("doctor", "--profile", "no/such/p.json").code == 1


@contextlib.contextmanager
def alike(lab: Lab, name: str) -> Iterator[None]:
    """The sandbox of a lab, answering as a profile says."""
    profile = read_profile((lab.root / name).read_text(encoding="utf-8"), name)

    @contextlib.contextmanager
    def transport(space: workspace.Workspace) -> Iterator[OverAsgi]:
        with contextlib.closing(connection.open_sandbox(space)) as database:
            likeness = Likeness(profile, database.catalog)
            yield OverAsgi(create_app(database, likeness=likeness))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "sandbox_transport", transport)
        yield


@pytest.mark.parametrize(("part", "alter", "code", "says", "exit_code"), DIFFERENCES)
def test_the_sandbox_answers_alike(
    filled: Lab, part: str, alter: Alter, code: str, says: str, exit_code: int
) -> None:
    """What is found at a server is found at a sandbox with its profile. Of kinds of values, only
    those of empty values are alike.
    """
    answers(filled, part, alter)
    filled.run("doctor", "--profile", "p.json")
    there = findings(filled)
    filled.after = lambda request, response: response
    with alike(filled, "p.json"):
        assert findings(filled) in ([there, {}] if code == "other-kind" else [there])


def test_short_pages_and_missing_models(filled: Lab) -> None:
    filled.sessions(*(f"{{name: s{i}}}" for i in range(5)), "{name: s}", "{name: t}")
    filled.apply()
    filled.run("doctor", "--profile", "p.json")
    document = json.loads((filled.root / "p.json").read_text())
    document["models"]["session"]["list"]["records"] = 2
    document["models"]["sensorystimulustype"]["list"] = {"status": 404, "body": "html"}
    filled.write("p.json", json.dumps(document))
    with alike(filled, "p.json"):
        assert findings(filled) == {
            "session": ["short-pages"],
            "sensorystimulustype": ["not-there"],
        }
        assert len(filled.run("get", "session", "-o", "json").json) == 7
        assert filled.run("plan", "--detailed-exitcode").code == 0


def test_serve_refuses_what_is_no_profile(filled: Lab) -> None:
    filled.write("p.json", '{"kind": "stemctl profile", "format": 1, "models": 5}')
    for name, says in (("p.json", "edited, or is damaged"), ("none.json", "cannot be read")):
        result = filled.run("sandbox", "serve", "--port", "0", "--profile", name)
        assert result.code == 1
        assert says in result.err


def test_details_of_earlier_years_are_a_note(lab: Lab) -> None:
    """A bare number in place of a quantity, and a key that no type has: named without its value."""
    catalog = load_catalog("2026")
    model = catalog.models["procedure"]
    group = model.fields["details"].details
    assert group is not None
    types = catalog.details(group.group).types.values()
    quantity = next(f for t in types for f in t.fields.values() if f.kind == "quantity")
    id_ = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    record = {"id": id_, "details": {quantity.name: 4.5, "surgeon Alice": "x"}}
    received = Received(200, "json", 0, (), {model.many: [record]})
    listing = listing_of(received, model, catalog)
    profile = Profile(
        format=1,
        kind="stemctl profile",
        stemctl="0",
        made="2026-11-26",
        edition="2026",
        portal="private",
        models={model.name: ModelProfile(list=listing)},
    )
    assert "Alice" not in profile_text(profile)
    (truth,) = compare(catalog, profile)
    (found,) = [finding for finding in truth.findings if finding.code == "other-details"]
    assert found.says.endswith(f"details.{quantity.name} (number), 1 other key in details")


def test_a_lab_of_every_model_fits_and_no_value_is_in_its_profile(tmp_path: Path) -> None:
    """`examples/rat-lab` has every writable model once: doctor finds no difference in any."""
    lab = tmp_path / "lab"
    example = PROJECT / "examples" / "rat-lab"
    shutil.copytree(example, lab, ignore=shutil.ignore_patterns(".stemctl"))
    assert run_in_process("-C", str(lab), "apply", "--auto-approve").code == 0
    profile = ("--profile", str(lab / "p.json"))
    result = run_in_process("-C", str(lab), "doctor", "-o", "json", *profile)
    assert result.code == 0, result.said
    assert result.json["verdict"]["code"] == "fits"
    catalog = load_catalog("2026")
    compared = {each["model"] for each in result.json["models"] if each["compared"]}
    assert {model.name for model in catalog.listed} <= compared
    text = (lab / "p.json").read_text(encoding="utf-8")
    values = {
        value
        for file in [*lab.glob("records/**/*.yaml"), lab / "sandbox-seed.yaml"]
        for value in texts(yaml.safe_load(file.read_text(encoding="utf-8")))
        if len(value) > 3 and not re.fullmatch("[a-z_]+", value)
    }
    assert len(values) > 50
    assert [value for value in values if f'"{value}"' in text] == []


def texts(value: Any) -> Iterator[str]:
    """All texts of a document that are no keys."""
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from texts(inner)
