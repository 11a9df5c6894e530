"""A plan from somebody else, with a checksum that fits: it does what it says, to the records it
names, or nothing.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from stemctl.schema.catalog import schemas_dir
from tests.security.test_hostile_text import EVIL, shown_safely
from tests.support.chaos import sealed
from tests.support.lab import Lab

OTHER = "1c77ae53-6f83-4398-bfe5-6eb95ff00610"
Edit = Callable[[Any], None]


@pytest.fixture
def plan(lab: Lab) -> Any:
    """An update, a delete, a create, and something for the state alone."""
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    )
    lab.sessions(
        "{name: edited, description: One.}", "{name: left}", "{name: kept, description: One.}"
    )
    lab.apply()
    lab.sessions(
        "{name: edited, description: Two.}", "{name: kept}", "{name: new, description: New.}"
    )
    assert lab.run("plan", "--allow", "delete", "--out", "plan.json").code == 0
    document = json.loads((lab.root / "plan.json").read_text())
    actions = {c["address"]: c["action"] for c in document["changes"] if c["held"] is None}
    assert actions == {
        "session/edited": "update",
        "session/left": "delete",
        "session/new": "create",
    }
    assert [row["address"] for row in document["bookkeeping"]] == ["session/kept"]
    return document


def change(plan: Any, name: str) -> Any:
    return next(c for c in plan["changes"] if c["address"] == f"session/{name}")


def with_id(id_: str) -> Edit:
    """Another id, and the path that goes with it."""

    def edit(plan: Any) -> None:
        for name in ("edited", "left"):
            change(plan, name)["id"] = id_
            change(plan, name)["request"]["path"] = f"stem/session/{id_}/"

    return edit


def with_path(path: str) -> Edit:
    return lambda plan: change(plan, "edited")["request"].update(path=path)


def with_row(name: str, **fields: Any) -> Edit:
    return lambda plan: change(plan, name).update(fields)


def with_body(name: str, **body: Any) -> Edit:
    return lambda plan: change(plan, name)["request"]["body"].update(body)


def renamed(plan: Any) -> None:
    row = change(plan, "edited")
    row |= {"address": "project/edited", "model": "project"}
    row["request"]["path"] = f"stem/project/{row['id']}/"


REFUSED: dict[str, Edit] = {
    "an id that leads up": with_id("../../stem/project/x"),
    "an id that leads to another collection": with_id(f"../project/{OTHER}"),
    "an id that is a way up": with_id(".."),
    "an id of nothing": with_id(""),
    "an id with a query": with_id(f"{OTHER}?x=1"),
    "an id with a fragment": with_id(f"{OTHER}#x"),
    "an id with an escape": with_id("..%2f..%2fproject"),
    "an id with a backslash": with_id("..\\x"),
    "an id with a line end": with_id(f"{OTHER}\n"),
    "an id that is an address": with_id("https://evil.example/"),
    "an id in other digits": with_id("\uff11\uff12"),
    "an id with an ending": with_id(f"{OTHER}/accept"),
    "no id": with_row("edited", id=None),
    "an id of what is to be created": with_row("new", id=OTHER),
    "another record's path": with_path(f"stem/session/{OTHER}/"),
    "another app's path": with_path(f"taxonomies/sensorystimulustype/{OTHER}/"),
    "an address in place of a path": with_path("https://evil.example/x/"),
    "an address without its scheme": with_path("//evil.example/x/"),
    "a path that leads up": with_path("../../admin/"),
    "the path of a login": with_path("../auth/device/"),
    "a path with a query": with_path("stem/session/?x=1"),
    "another method": lambda plan: change(plan, "edited")["request"].update(method="DELETE"),
    "a method of its own": lambda plan: change(plan, "edited")["request"].update(method="PURGE"),
    "a delete that creates": lambda plan: change(plan, "left").update(action="create"),
    "a create that deletes": lambda plan: change(plan, "new").update(action="delete"),
    "a request of what is only forgotten": with_row("edited", action="forget"),
    "a delete without a request": with_row("left", request=None),
    "a request of what is held": with_row("edited", held="conflict"),
    "a record that nobody may write": renamed,
    "a model that is not there": with_row("edited", address="wizard/edited"),
    "an address without a key": with_row("edited", address="session"),
    "an address of nothing": with_row("edited", address="/"),
    "a field that is not there": with_body("edited", is_superuser=True),
    "a field that the server sets": with_body("edited", id=OTHER),
    "a difference in a field that is not there": lambda plan: change(plan, "edited")["fields"][
        0
    ].update(path="wizard"),
    "a difference that says twice that it is shown": lambda plan: change(plan, "edited")["fields"][
        0
    ].update(shown=True),
    "a value of another kind": with_body("edited", tags=5),
    "a set of sets": with_body("edited", tags=[["x"]]),
    "a reference to nothing": with_body("new", projects=[{"$ref": "session/nobody"}]),
    "a reference to what is not made first": with_body(
        "new", projects=[{"$ref": "session/edited"}]
    ),
    "a reference to itself": with_body("new", projects=[{"$ref": "session/new"}]),
    "a reference that is no address": with_body("new", projects=[{"$ref": ["session/new"]}]),
    "a change that waits for itself": with_row("new", waits=["session/new"]),
    "two changes that wait for each other": lambda plan: (
        with_row("new", waits=["session/left"])(plan),
        with_row("left", waits=["session/new"])(plan),
    )[0],
    "the same change twice": lambda plan: plan["changes"].append(
        copy.deepcopy(change(plan, "edited"))
    ),
    "a state entry of another shape": lambda plan: plan["bookkeeping"][0].update(
        declared={"tags": 5}
    ),
    "a state entry whose id leads up": lambda plan: plan["bookkeeping"][0].update(
        id="../../project/x"
    ),
    "a state entry of no model": lambda plan: plan["bookkeeping"][0].update(address="wizard/x"),
    "a state entry of a field that is not there": lambda plan: plan["bookkeeping"][0].update(
        observed={"x": 1}
    ),
    "names of another shape": lambda plan: plan.update(names={"project": ["x"]}),
    "an edition that leads up": lambda plan: plan["server"].update(edition="../../../x"),
    "an edition of another server": lambda plan: plan["server"].update(edition="1999"),
    "another server": lambda plan: plan["server"].update(url="https://evil.example/"),
    "another portal": lambda plan: plan["server"].update(portal="super"),
    "another portal that leads up": lambda plan: plan["server"].update(portal="../x"),
    "another state": lambda plan: plan["state"].update(lineage=OTHER),
    "a later state": lambda plan: plan["state"].update(serial=9),
    "another format": lambda plan: plan.update(format=99),
    "something nobody knows": lambda plan: plan.update(run="rm -rf /"),
    "a change with something nobody knows": with_row("edited", hook="rm -rf /"),
    "something missing": lambda plan: plan.pop("names"),
    "a serial that is no number": lambda plan: plan["state"].update(serial="1"),
    "a name of a place that is a list": with_row("edited", file=["x"]),
    "a finding of another shape": lambda plan: plan.update(diagnostics=[{"severity": "worse"}]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_plan_that_stemctl_does_not_make_is_refused(lab: Lab, plan: Any, name: str) -> None:
    REFUSED[name](plan)
    lab.write("plan.json", json.dumps(sealed(plan)))
    state = lab.state
    result = lab.run("apply", "plan.json")
    assert result.code == 1
    assert result.err.startswith("Error: plan.json")
    assert "Nothing was sent." in result.err
    assert lab.requests == []
    assert lab.state == state
    shown = lab.run("show", "plan.json")
    assert shown.code in (0, 1)
    assert lab.requests == []


def test_the_plan_as_it_was_made_is_applied(lab: Lab, plan: Any) -> None:
    """So that it is not something else that refuses the others."""
    lab.write("plan.json", json.dumps(sealed(plan)))
    assert lab.run("apply", "plan.json").code == 0
    assert sorted(sent.method for sent in lab.writes) == ["DELETE", "PATCH", "POST"]


def test_a_plan_that_was_edited_without_a_new_checksum_is_refused(lab: Lab, plan: Any) -> None:
    for edit in (
        with_body("edited", description="Mine."),
        with_row("edited", detail=["x"]),
        with_row("new", location=1),
    ):
        edited = copy.deepcopy(plan)
        edit(edited)
        lab.write("plan.json", json.dumps(edited))
        assert "was edited, or is damaged" in lab.run("apply", "plan.json").err
        assert "was edited, or is damaged" in lab.run("show", "plan.json").err
    assert lab.requests == []


def test_an_edition_in_a_plan_names_no_folder(lab: Lab, plan: Any) -> None:
    """Its tables are not read from elsewhere, not even to show the plan."""
    folder = lab.root / "tables"
    shutil.copytree(schemas_dir() / "tables" / "2024", folder)
    table = folder / "stem" / "session.yaml"
    table.write_text(table.read_text().replace("title: Session", "title: Wizard"))
    plan["server"]["edition"] = str(folder)
    lab.write("plan.json", json.dumps(sealed(plan)))
    for command in ("show", "apply"):
        result = lab.run(command, "plan.json")
        assert result.code == 1
        assert "there is no edition" in result.err


@pytest.mark.parametrize("form", ["text", "json", "html", "markdown", "github"])
def test_a_portal_in_a_plan_is_one(lab: Lab, plan: Any, form: str) -> None:
    plan["server"]["portal"] = "private\n\n<img src=x> @all"
    lab.write("plan.json", json.dumps(sealed(plan)))
    result = lab.run("show", "plan.json", "-o", form)
    assert result.code == 1
    assert "there is no portal" in result.said


def test_a_place_in_a_plan_opens_no_file(lab: Lab, plan: Any) -> None:
    """A place is shown; what stands there is not."""
    (lab.root.parent / "secret.yaml").write_text("a secret of the user\n")
    for row in plan["changes"]:
        row |= {"file": "../secret.yaml", "line": 1, "column": 1}
    finding = {
        "severity": "error",
        "code": "x",
        "message": "look",
        "file": "../secret.yaml",
        "line": 1,
        "column": 1,
    }
    rest = dict.fromkeys(("address", "field", "rule", "remedy", "value"))
    plan["diagnostics"] = [{**finding, **rest}, {**finding, **rest, "file": "/etc/passwd"}]
    lab.write("plan.json", json.dumps(sealed(plan)))
    for form in ("text", "json", "html", "markdown", "github"):
        result = lab.run("show", "plan.json", "-o", form)
        assert result.code == 0, result.said
        assert "a secret of the user" not in result.said
        assert "root:x:" not in result.said
    assert "a secret of the user" not in lab.run("apply", "plan.json", "-o", "json").said


@pytest.mark.parametrize("form", ["text", "json", "html", "markdown", "github"])
def test_text_of_a_plan_is_shown_and_not_obeyed(lab: Lab, plan: Any, form: str) -> None:
    def spread(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: spread(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [spread(inner, name) for inner in value]
        free = name in (
            "after",
            "before",
            "path",
            "detail",
            "file",
            "text",
            "message",
            "remedy",
            "name",
            "commit",
            "url",
        )
        return value + EVIL if isinstance(value, str) and free else value

    plan = spread(plan)
    plan["notes"] = [{"address": None, "text": EVIL, "file": EVIL, "line": 1, "column": 1}]
    plan["notes"].append(
        {"address": f"session/{EVIL}", "text": EVIL, "file": EVIL, "line": 1, "column": 1}
    )
    plan["subset"] = {"only": [EVIL], "exclude": [EVIL], "left_out": 1}
    plan["commit"] = EVIL
    plan["stemctl"] = EVIL
    plan["changes"][0]["address"] += EVIL
    lab.write("plan.json", json.dumps(sealed(plan)))
    result = lab.run("show", "plan.json", "-o", form)
    assert result.code == 0, result.said
    shown_safely(result)
    shown_safely(lab.run("apply", "plan.json"))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"format": 1, "digest": "", "changes": ' + "[" * 5_000 + "]" * 5_000 + "}",
        '{"format": ' + "9" * 100_000 + ', "digest": "", "changes": []}',
        '{"format": NaN, "digest": "", "changes": []}',
        '{"format": {}, "digest": 1, "changes": 1}',
        '{"format": "' + "x" * 100_000 + '", "digest": "", "changes": []}',
        '{"format": 1, "digest": "\\ud800", "changes": [], "checksum": "\\ud800"}',
        '{"format": 1, "digest": "", "changes": [], "checksum": ["x"]}',
    ],
    ids=range(8),
)
def test_a_file_that_only_looks_like_a_plan(lab: Lab, text: str) -> None:
    lab.sessions("{name: a}")
    lab.write("plan.json", text)
    for command in ("show", "apply"):
        result = lab.run(command, "plan.json")
        assert result.code == 1
        assert result.err.startswith("Error: plan.json")
        assert len(result.said) < 2_000
    assert lab.requests == []


def test_a_huge_plan_is_read_and_refused_in_its_time(lab: Lab, plan: Any) -> None:
    row = change(plan, "edited")
    plan["changes"] = [
        {**row, "address": f"session/s{i}", "waits": [f"session/s{i + 1}"]} for i in range(5_000)
    ]
    plan["changes"][-1]["waits"] = ["session/s0"]
    lab.write("plan.json", json.dumps(sealed(plan)))
    result = lab.run("apply", "plan.json")
    assert result.code == 1
    assert "waits for itself" in result.err
    assert lab.requests == []
