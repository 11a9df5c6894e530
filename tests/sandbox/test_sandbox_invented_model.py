"""Models that nobody has ever seen, made by a table alone: everything follows from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_api import LAB, NOBODY, PROJECTS, Api

from stemctl.sandbox.database import Database
from stemctl.schema import catalog as catalogs

TABLES = {
    "modules/probe": """
model: probe
app: modules
title: Recording probe
description: A probe.
one: recording_probe
many: recording_probes
portals: {read: [private, super], write: [private, super]}
operations: [list, add, detail, change, delete]
identity: null
access: {through: session}
dependents: [parts]
fields:
  id: {kind: id, read_only: true, description: d, source: s}
  label: {kind: text, unique: true, max_length: 10, description: d, source: s}
  session: {kind: reference, to: session, required: true, description: d, source: s}
  parent: {kind: reference, to: probe, description: d, source: s}
  parts: {kind: references, to: probe, read_only: true, reverse: parent, description: d, source: s}
  neighbours: {kind: references, to: probe, description: d, source: s}
  channels: {kind: integer, default: 1, description: d, source: s}
  depth: {kind: number, nullable: true, description: d, source: s}
  used: {kind: date, description: d, source: s}
  reusable: {kind: boolean, default: true, description: d, source: s}
  shape: {kind: text, enum: [flat, round], description: d, source: s}
  layout: {kind: json, description: d, source: s}
  contact: {kind: text, format: email, description: d, source: s}
""",
    "taxonomies/sense": """
model: sense
app: taxonomies
title: Sense
description: A sense.
one: sense
many: sense
portals: {read: [public, private], write: [private]}
operations: [list, add, detail, change, delete]
identity: name
approval: {path: senseapproval, one: sense_approval, many: sense_approvals}
fields:
  id: {kind: id, read_only: true, description: d, source: s}
  name: {kind: text, required: true, unique: true, description: d, source: s}
  stimuli: {kind: references, to: sensorystimulustype, required: true, description: d, source: s}
""",
    "stem/team": """
model: team
app: stem
title: Team
description: People.
one: team
many: teams
portals: {read: [private], write: [private]}
operations: [list, add, detail, change]
identity: name
access: {members: people}
fields:
  id: {kind: id, read_only: true, description: d, source: s}
  name: {kind: text, required: true, unique: true, description: d, source: s}
  people: {kind: json, default: {}, description: d, source: s}
""",
}
PROBE = "modules/probe/"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    folder = tmp_path / "tables" / "9999"
    shutil.copytree(catalogs.schemas_dir() / "tables" / "2024", folder)
    for name, table in TABLES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(table)
    database = Database(None, catalogs._load(tmp_path, "9999"))
    database.seed(PROJECTS)
    yield Api(database)
    database.close()


def probe(api: Api, session: str, **fields: Any) -> dict[str, Any]:
    answer = api("POST", PROBE, {"session": session, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["recording_probe"]


def test_it_has_its_life(api: Api) -> None:
    session = api.session("s")["id"]
    shank = probe(api, session, label="shank ")
    assert shank["label"] == "shank "  # the table does not say that it is trimmed
    tip = probe(
        api, session, parent=shank["id"], neighbours=[shank["id"]], depth=1.5, layout={"a": [None]}
    )
    assert tip == {
        "id": tip["id"],
        "label": "",
        "session": session,
        "parent": shank["id"],
        "parts": [],
        "neighbours": [shank["id"]],
        "channels": 1,
        "depth": 1.5,
        "used": None,
        "reusable": True,
        "shape": "",
        "layout": {"a": [None]},
        "contact": "",
    }
    assert api("GET", f"{PROBE}{shank['id']}").json()["recording_probe"]["parts"] == [tip["id"]]
    changed = api(
        "PATCH",
        f"{PROBE}{tip['id']}/",
        {"parent": None, "depth": None, "layout": None, "reusable": None},
    )
    assert changed.json()["recording_probe"] == {
        **tip,
        "parent": None,
        "depth": None,
        "layout": None,
    }
    assert api("GET", f"{PROBE}{shank['id']}").json()["recording_probe"]["parts"] == []


def test_its_values_are_checked(api: Api) -> None:
    body = {
        "label": "x" * 11,
        "session": NOBODY,
        "parent": 3,
        "channels": 1.5,
        "depth": "deep",
        "used": "2024-3-1",
        "reusable": "yes",
        "shape": "square",
        "contact": "nobody",
    }
    answer = api("POST", PROBE, body)
    assert answer.status_code == 400
    assert answer.json() == {
        "label": ["Ensure this field has no more than 10 characters."],
        "session": [f'Invalid pk "{NOBODY}" - object does not exist.'],
        "parent": ["Incorrect type. Expected pk value, received int."],
        "channels": ["A valid integer is required."],
        "depth": ["A valid number is required."],
        "used": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
        "reusable": ["Must be a valid boolean."],
        "shape": ['"square" is not a valid choice.'],
        "contact": ["Enter a valid email address."],
    }
    assert list(api("POST", PROBE, {"session": NOBODY, "used": "2024-02-30"}).json()) == [
        "session",
        "used",
    ]
    assert api("POST", PROBE, {}).json() == {"session": ["This field is required."]}
    assert api("POST", PROBE, {"session": None}).json() == {
        "session": ["This field may not be null."]
    }


def test_a_unique_field_need_not_be_the_identity(api: Api) -> None:
    session = api.session("s")["id"]
    probe(api, session, label="one")
    probe(api, session)
    probe(api, session)  # no label is no label, not the same one
    answer = api("POST", PROBE, {"session": session, "label": "one"})
    assert answer.json() == {"label": ["recording probe with this label already exists."]}


def test_rights_follow_the_whole_way(api: Api) -> None:
    ours = probe(api, api.session("s")["id"])
    path = f"{PROBE}{ours['id']}/"
    other, reader = api.by("other"), api.by("reader")
    assert other("GET", path).status_code == other("DELETE", path).status_code == 404
    assert other("GET", PROBE).json()["count"] == 0
    assert reader("GET", path).status_code == 200
    assert reader("PATCH", path, {}).status_code == 403
    assert other("POST", PROBE, {"session": ours["session"]}).status_code == 400
    assert api("GET", f"/api/public/{PROBE}").status_code == 404
    assert api("PATCH", path, {"channels": 4}).json()["recording_probe"]["channels"] == 4


def test_it_is_listed_filtered_and_side_loaded(api: Api) -> None:
    session = api.session("s")["id"]
    root = probe(api, session, label="root", channels=2)
    leaf = probe(
        api, session, label="leaf", channels=10, parent=root["id"], depth=0.5, used="2024-03-12"
    )
    probe(api, api.session("t")["id"], label="apart", channels=3, reusable=False)

    def labels(*parameters: tuple[str, str]) -> list[str]:
        return api.names(PROBE, *parameters, field="label")

    assert labels(("sort[]", "-channels")) == ["leaf", "apart", "root"]
    assert labels(("filter{channels.gt}", "2")) == ["leaf", "apart"]
    assert labels(("filter{channels}", "10")) == labels(("filter{channels}", "10.0")) == ["leaf"]
    assert labels(("filter{channels}", "ten")) == labels(("filter{channels}", "nan")) == []
    assert labels(("filter{channels.in}", "2"), ("filter{channels.in}", "3")) == ["root", "apart"]
    assert labels(("filter{depth.lt}", "1")) == labels(("filter{used}", "2024-03-12")) == ["leaf"]
    assert labels(("filter{reusable}", "false")) == ["apart"]
    assert (
        labels(("filter{session}", session))
        == labels(("filter{session.name}", "s"))
        == ["root", "leaf"]
    )
    assert (
        labels(("filter{parent.label}", "root"))
        == labels(("filter{parent.parts.id}", leaf["id"]))
        == ["leaf"]
    )
    assert (
        labels(("filter{parts.label}", "leaf"))
        == labels(("filter{parts.channels.gt}", "5"))
        == ["root"]
    )
    assert labels(("filter{session.projects.name}", "Lab")) == ["root", "leaf", "apart"]

    answer = api(
        "GET", f"{PROBE}?include[]=session.*&include[]=parent.*&filter{{label}}=leaf"
    ).json()
    assert list(answer)[:3] == ["recording_probes", "sessions", "+recording_probes"]
    assert [record["name"] for record in answer["sessions"]] == ["s"]
    assert [record["label"] for record in answer["+recording_probes"]] == ["root"]
    both = api("GET", f"{PROBE}?include[]=parent.*").json()
    assert both["+recording_probes"] == []  # it stands in the list itself


def test_deleting_takes_dependents_along_and_ids_out_of_references(api: Api) -> None:
    session = api.session("s")["id"]
    root = probe(api, session, label="root")
    part = probe(api, session, label="part", parent=root["id"])
    probe(api, session, label="deeper", parent=part["id"])
    probe(api, session, label="beside", neighbours=[root["id"], part["id"]])
    api("PATCH", f"{PROBE}{root['id']}/", {"parent": root["id"]})  # a circle of one

    assert api("DELETE", f"{PROBE}{root['id']}/").status_code == 204
    (left,) = api("GET", PROBE).json()["recording_probes"]
    assert (left["label"], left["neighbours"]) == ("beside", [])


def test_a_single_reference_to_a_deleted_record_is_cleared(api: Api) -> None:
    session, admin = api.session("s"), api.by("admin")
    kept = probe(api, session["id"])
    assert api("DELETE", f"stem/session/{session['id']}/").status_code == 204
    assert admin("GET", f"{PROBE}{kept['id']}/").json()["recording_probe"]["session"] is None


def test_proposals_hold_references(api: Api) -> None:
    api.database.seed(
        {"sensory_stimulus_types": [{"id": NOBODY, "name": "Visual", "description": "d"}]}
    )
    admin = api.by("admin")
    proposal = api("POST", "taxonomies/sense/", {"name": "Sight", "stimuli": [NOBODY]}).json()[
        "sense_approval"
    ]
    assert proposal == {"id": proposal["id"], "name": "Sight", "stimuli": [NOBODY]}
    assert api.names("taxonomies/senseapproval/", ("filter{stimuli.name}", "Visual")) == ["Sight"]
    answer = api("GET", "taxonomies/senseapproval/?include[]=stimuli.*").json()
    assert list(answer)[:2] == ["sense_approvals", "sensory_stimulus_types"]
    assert admin("PATCH", f"taxonomies/senseapproval/{proposal['id']}/accept").status_code == 200
    # One key for one record and for several: what stands under it tells which.
    (sense,) = api("GET", "taxonomies/sense/").json()["sense"]
    assert api("GET", f"taxonomies/sense/{sense['id']}/").json()["sense"] == sense
    assert sense["stimuli"] == [NOBODY]

    waiting = api("PATCH", f"taxonomies/sense/{sense['id']}", {"name": "Vision"}).json()[
        "sense_approval"
    ]
    assert admin("DELETE", f"taxonomies/sensorystimulustype/{NOBODY}/").status_code == 204
    assert api("GET", f"taxonomies/sense/{sense['id']}/").json()["sense"]["stimuli"] == []
    assert (
        api("GET", f"taxonomies/senseapproval/{waiting['id']}").json()["sense_approval"]["stimuli"]
        == []
    )
    # Its table lets everybody delete who may write.
    assert api("DELETE", f"taxonomies/sense/{sense['id']}/").status_code == 204


def test_its_creator_becomes_its_owner(api: Api) -> None:
    other = api.by("other")
    stranger = {"user@lab.example": {"is_owner": True}}
    team = other("POST", "stem/team/", {"name": "T", "people": stranger}).json()["team"]
    assert list(team["people"]) == ["other@elsewhere.example"]
    assert other("PATCH", f"stem/team/{team['id']}/", {"name": "U"}).status_code == 200
    assert api("GET", f"stem/team/{team['id']}/").status_code == 404
    assert other("DELETE", f"stem/team/{team['id']}/").status_code == 405


def test_its_members_are_changed_one_by_one(api: Api) -> None:
    other = api.by("other")
    team = other("POST", "stem/team/", {"name": "T"}).json()["team"]
    path, owner = f"stem/team/{team['id']}/", team["people"]["other@elsewhere.example"]

    def people(change: Any) -> dict[str, Any]:
        return other("PATCH", path, {"people": change}).json()["team"]["people"]

    nothing = {"can_change": False, "is_manager": False, "is_owner": False}
    assert owner == dict.fromkeys(nothing, True)
    ours = {"other@elsewhere.example": owner}
    changing = {"user@lab.example": {**nothing, "can_change": True}}
    assert people({"user@lab.example": {"can_change": True, "colour": "red"}}) == {
        **ours,
        **changing,
    }
    assert api("PATCH", path, {"name": "U"}).status_code == 200
    assert people({"user@lab.example": {}, "x@y.org": {"is_owner": 1}}) == {
        **ours,
        "user@lab.example": nothing,
        "x@y.org": nothing,
    }
    assert api("PATCH", path, {"name": "V"}).status_code == 403
    assert people({"user@lab.example": {"remove": True}, "x@y.org": {"remove": True}}) == ours
    assert api("GET", path).status_code == 404
    for wrong in (["user@lab.example"], {"user@lab.example": "owner"}, "x"):
        answer = other("PATCH", path, {"people": wrong})
        assert (answer.status_code, list(answer.json())) == (400, ["people"])


def test_its_records_are_seeded(api: Api) -> None:
    data = {
        "recording_probes": [
            {"label": "leaf", "session": "s", "parent": NOBODY},
            {"id": NOBODY, "label": "root", "session": "s"},
        ],
        "sessions": [{"name": "s", "projects": [LAB]}],
    }
    assert api.database.seed(data) == 3
    leaf, root = api("GET", PROBE).json()["recording_probes"]
    assert (leaf["parent"], root["parts"]) == (NOBODY, [leaf["id"]])
