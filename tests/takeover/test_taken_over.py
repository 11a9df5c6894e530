"""A lab that is taken over: its plan is empty, whatever its records are called and hold."""

import json
from typing import Any

import httpx
import pytest
import yaml

from tests.support.clicked_lab import clicked_lab
from tests.support.edition_2026 import CONFIG
from tests.support.lab import Lab


def begin(lab: Lab, seed: dict[str, Any], config: str = CONFIG) -> Lab:
    lab.write("stemctl.yaml", config)
    lab.write("seed.yaml", json.dumps(seed))
    return lab


def texts(lab: Lab) -> dict[str, str]:
    """The manifests."""
    return {
        path.relative_to(lab.root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((lab.root / "records").rglob("*.yaml"))
    }


def nothing_to_do(lab: Lab) -> None:
    plan = lab.run("plan", "--detailed-exitcode")
    assert plan.code == 0, plan.said
    assert lab.run("fmt", "--check").code == 0
    assert lab.run("validate").code == 0


def test_a_clicked_lab_needs_nothing_and_a_second_pull_changes_no_byte(lab):
    begin(lab, clicked_lab())
    first = lab.run("pull", "--all")
    assert first.code == 0, first.said
    assert not lab.writes
    before = texts(lab)
    nothing_to_do(lab)
    assert lab.run("pull", "--all").code == 0
    assert texts(lab) == before


NAMES = [
    "no",
    "012",
    "a: b #c",
    "- dash",
    "../../etc/passwd",
    ".git",
    "CON",
    "_defaults",
    "stemctl",
    "Ünïcødé ☃",
    "RAT",
    "rat",
    "x" * 100,
    "2024-03-12",
    "{curly}",
    "*star*",
    "'",
    '"',
    "a/b/c",
    "{name}",
]


@pytest.mark.parametrize("layout", ["", "layout: records/{model}/{prefix}/{name}.yaml\n"])
def test_names_that_mean_something_elsewhere(lab, layout):
    seed = clicked_lab()
    seed["sessions"] = [
        {"name": name, "projects": ["Theta Maze"], "tags": [name], "description": name}
        for name in NAMES
    ]
    begin(lab, seed, CONFIG + layout)
    result = lab.run("pull", "session", "project")
    assert result.code == 0, result.said
    # Dates are plain, as people write them; every other value is what any reader sees.
    sessions = [text for file, text in texts(lab).items() if "/sessions" in file]
    read = [yaml.load(text, yaml.BaseLoader) for text in sessions]
    assert all(yaml.safe_load(text) for text in sessions)
    assert {row["name"] for one in read for row in one["sessions"]} == set(NAMES)
    assert all(
        row["tags"] == [row["name"]] and row["description"] == row["name"]
        for one in read
        for row in one["sessions"]
    )
    nothing_to_do(lab)
    folded = [file.casefold() for file in texts(lab)]
    assert len(set(folded)) == len(folded)


def test_what_no_file_can_have_is_left_out_with_a_comment(lab):
    begin(lab, clicked_lab())

    def hostile(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "GET" or "/stem/session/" not in request.url.path:
            return response
        document = response.json()
        for record in document.get("sessions", []):
            if record["name"].startswith("rat12_2024-03-05"):
                record["extra_fields"] = {"serial": 2**80, "room": "B115"}
        return httpx.Response(response.status_code, json=document)

    lab.after = hostile
    result = lab.run("pull", "--all")
    assert result.code == 3, result.said
    assert "session/rat12_2024-03-05_maze" in result.out
    assert "extra_fields.serial" in result.out
    text = texts(lab)["records/sessions/2024-03.yaml"]
    before, _, after = text.partition("  - name: rat12_2024-03-05_maze\n")
    assert before.splitlines()[-1].startswith("  # left out: extra_fields.serial: ")
    assert "extra_fields: {room: B115}" in after.partition("  - name:")[0]
    nothing_to_do(lab)


def test_a_key_stays_when_others_come(lab):
    begin(lab, clicked_lab())
    assert lab.run("pull", "--all").code == 0
    before = texts(lab)["records/sessions/2024-03.yaml"]
    (session,) = [
        one
        for one in lab.run("get", "session", "-o", "json").json
        if one["name"] == "rat08_2024-03-02_sleep"
    ]
    for rate in (25, 50):
        body = {
            "session": session["id"],
            "type": "VideoTracking",
            "details": {"frameRate": {"value": rate, "unit": "Hz"}},
        }
        lab.api("POST", "modules/dataacquisition/", body)
    assert lab.run("pull", "session").code == 0
    after = texts(lab)["records/sessions/2024-03.yaml"]
    added = [line.strip() for line in after.splitlines() if line not in before.splitlines()]
    keys = [line for line in added if "key:" in line]
    assert len(keys) == 2
    assert "video-tracking" in keys[0]
    assert "video-tracking-2" in keys[1]
    nothing_to_do(lab)
    assert lab.run("pull", "session").code == 0
    assert texts(lab)["records/sessions/2024-03.yaml"] == after


def test_defaults_of_a_folder_add_nothing_to_what_is_pulled(lab):
    begin(lab, clicked_lab())
    lab.write(
        "records/sessions/_defaults.yaml",
        "defaults:\n  sessions: {tags: [new], projects: [Theta Maze]}\n",
    )
    result = lab.run("pull", "session")
    assert result.code == 0, result.said
    assert "projects" not in texts(lab)["records/sessions/2024-03.yaml"]
    nothing_to_do(lab)


def test_a_comment_also_stands_in_a_file_that_was_there(lab):
    begin(lab, clicked_lab())
    assert lab.run("pull", "--all").code == 0
    (project, *_) = lab.run("get", "project", "-o", "json").json
    body = {
        "name": "rat99_2024-03-30",
        "date_time": "2024-03-30T09:00:00Z",
        "projects": [project["id"]],
        "tags": [],
    }
    lab.api("POST", "stem/session/", body)

    def hostile(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "GET" or "/stem/session/" not in request.url.path:
            return response
        document = response.json()
        for record in document.get("sessions", []):
            if record["name"] == body["name"]:
                record["extra_fields"] = {"serial": 2**80}
        return httpx.Response(response.status_code, json=document)

    lab.after = hostile
    before = texts(lab)["records/sessions/2024-03.yaml"]
    result = lab.run("pull", "session")
    assert result.code == 3, result.said
    after = texts(lab)["records/sessions/2024-03.yaml"]
    assert after.startswith(before)
    added = after.removeprefix(before).splitlines()
    assert added[0].startswith("  # left out: extra_fields.serial: ")
    assert added[1] == "  - name: rat99_2024-03-30"
    nothing_to_do(lab)
