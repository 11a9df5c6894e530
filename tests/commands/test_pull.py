"""pull over the sandbox: what is on the server gets into files and state, and nothing is sent."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import edition_2026
from tests.support.lab import Lab
from tests.support.small_lab import LAB as EVERYTHING


def contents(root: Path) -> dict[str, bytes]:
    """All files of a repository but the database of its sandbox."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "sandbox.db" and "lock" not in path.name
    }


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab of edition 2026 with one record of each model on the server, and no file."""
    lab = Lab(tmp_path, monkeypatch)
    lab.write("stemctl.yaml", edition_2026.CONFIG)
    lab.write("seed.yaml", json.dumps(EVERYTHING))
    return lab


def told(lab: Lab, text: str) -> str:
    """A text without the option that says where the repository is."""
    return text.replace(f" -C {lab.root}", "")


def is_settled(lab: Lab) -> bool:
    """Whether a plan sends nothing, holds nothing, and would not even move a base."""
    plan = lab.plan()
    assert plan["changes"] == [], lab.run("plan").said
    assert plan["bookkeeping"] == []
    return True


def test_everything_is_taken_over(lab: Lab) -> None:
    result = lab.run("pull", "--all")
    assert result.code == 0, result.said
    assert lab.writes == []
    assert is_settled(lab)
    before = contents(lab.root)
    again = lab.run("pull", "--all")
    assert again.code == 0, again.said
    assert contents(lab.root) == before


# What others changed, in records that files declare


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab of edition 2024 whose two sessions are applied."""
    lab = Lab(tmp_path, monkeypatch)
    lab.write("records/sessions.yaml", SESSIONS)
    lab.apply()
    return lab


SESSIONS = """\
# The maze study
sessions:
  - name: a   # the first
    projects: [Theta Maze Study]
    description: First day
    tags: [maze, sleep]
    extra_fields: {room: B115}
  - {name: b, projects: [Theta Maze Study], description: Second day}
"""


def text(lab: Lab, name: str = "records/sessions.yaml") -> str:
    return (lab.root / name).read_text()


def test_what_others_changed_is_written_at_its_place(sessions: Lab) -> None:
    sessions.edit("session", "a", description="Day one", tags=["maze", "ripples"])
    sessions.edit("session", "b", description="")
    result = sessions.run("pull", "session")
    assert result.code == 0, result.said
    expected = SESSIONS.replace("First day", "Day one").replace("maze, sleep", "maze, ripples")
    assert text(sessions) == expected.replace("description: Second day", "description: ''")
    assert is_settled(sessions)


@pytest.mark.parametrize(
    "saved",
    [SESSIONS.replace("First day", "My day"), "sessions: [", None],
    ids=["edited", "broken", "deleted"],
)
def test_a_file_that_is_saved_while_the_server_answers_is_left(
    sessions: Lab, saved: str | None
) -> None:
    file = sessions.root / "records/sessions.yaml"
    other = "sessions:\n  - {name: c, projects: [Theta Maze Study], description: Third day}\n"
    sessions.write("records/more.yaml", other)
    sessions.apply()
    for name in "ac":
        sessions.edit("session", name, description="Theirs")

    def save(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if saved is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(saved)
        return response

    sessions.after = save
    result = sessions.run("pull", "--all")
    assert result.code == 3, result.said
    assert "changed while this command ran" in result.said or saved is None
    assert (file.read_text() if file.exists() else None) == saved
    assert text(sessions, "records/more.yaml") == other.replace("Third day", "Theirs")
    sessions.after = lambda request, response: response
    if saved and "My day" in saved:
        (change,) = sessions.plan()["changes"]
        assert change["held"] == "conflict"


def test_a_field_that_is_not_declared_comes_only_with_all_fields(sessions: Lab) -> None:
    sessions.edit("session", "b", tags=["x"], date_time="2024-03-12T09:00:00Z")
    assert sessions.run("pull", "b").code == 0
    assert text(sessions) == SESSIONS
    assert sessions.run("pull", "b", "--all-fields").code == 0
    assert "2024-03-12T09:00:00Z" in text(sessions)
    assert "tags: [x]" in text(sessions)
    assert is_settled(sessions)


def test_what_the_files_do_not_declare_is_named_and_not_hidden(sessions: Lab) -> None:
    sessions.edit("session", "b", tags=["x"], date_time="2024-03-12T09:00:00Z")
    assert "1 record has values on the server in fields" in sessions.run("pull", "b").out
    assert "1 record has" not in sessions.run("pull", "b", "--all-fields").out
    assert "1 record has" not in sessions.run("pull", "b").out


def test_without_a_word_the_records_of_the_files_are_meant(sessions: Lab) -> None:
    sessions.edit("session", "a", description="Day one")
    project = sessions.live("session", "a")["projects"]
    sessions.api("POST", "stem/session/", {"name": "c", "projects": project, "tags": []})
    result = sessions.run("pull")
    assert result.code == 0, result.said
    assert text(sessions) == SESSIONS.replace("First day", "Day one")
    assert "1 on the server and in no file (stemctl pull --all)" in told(sessions, result.out)
    assert is_settled(sessions)


def test_without_a_word_and_a_record_it_asks_for_one(lab: Lab) -> None:
    result = lab.run("pull")
    assert result.code == 1
    assert "stemctl pull --all" in told(lab, result.err)


def test_it_says_that_the_state_was_written(sessions: Lab) -> None:
    sessions.edit("session", "a", description="Day one")
    first, again = sessions.run("pull"), sessions.run("pull")
    assert "State saved in .stemctl/sandbox.state.json" in first.out
    assert "State saved" not in again.out


def test_an_edit_of_the_files_stays_and_is_still_sent(sessions: Lab) -> None:
    sessions.write("records/sessions.yaml", SESSIONS.replace("First day", "My day"))
    sessions.edit("session", "a", tags=["maze", "sleep", "ripples"])
    result = sessions.run("pull", "--all")
    assert result.code == 0, result.said
    assert "My day" in text(sessions)
    assert "tags: [maze, sleep, ripples]" in text(sessions)
    (change,) = sessions.plan()["changes"]
    assert change["request"]["body"] == {"description": "My day"}


def test_a_conflict_stays_for_resolve(sessions: Lab) -> None:
    sessions.write("records/sessions.yaml", SESSIONS.replace("First day", "My day"))
    sessions.edit("session", "a", description="Their day", tags=["maze"])
    result = sessions.run("pull", "--all")
    assert result.code == 3, result.said
    assert "stemctl pull --theirs session/a\n" in told(sessions, result.out)
    assert "stemctl resolve --keep files session/a\n" in told(sessions, result.out)
    assert "My day" in text(sessions)
    assert "tags: [maze]" in text(sessions)
    (change,) = sessions.plan()["changes"]
    assert [field["path"] for field in change["fields"]] == ["description"]
    assert change["held"] == "conflict"
    sessions.write("records/sessions.yaml", text(sessions).replace("[maze]", "[maze, x]"))
    (change,) = sessions.plan()["changes"]
    reasons = {field["path"]: field["reason"] for field in change["fields"]}
    assert reasons == {"description": "conflict", "tags": "edited"}


def test_theirs_takes_the_value_of_the_server(sessions: Lab) -> None:
    sessions.write("records/sessions.yaml", SESSIONS.replace("First day", "My day"))
    sessions.edit("session", "a", description="Their day")
    assert sessions.run("pull", "session/a", "--theirs").code == 0
    assert "Their day" in text(sessions)
    assert is_settled(sessions)


@pytest.mark.parametrize("words", [["--all"], ["session"], ["session/*"], []])
def test_theirs_is_for_records_that_are_named(sessions: Lab, words: list[str]) -> None:
    result = sessions.run("pull", "--theirs", *words)
    assert result.code == 1
    assert "Nothing was" in result.err


def test_an_element_that_was_taken_out_of_the_files_stays_out(sessions: Lab) -> None:
    sessions.write("records/sessions.yaml", SESSIONS.replace("maze, sleep", "maze"))
    assert sessions.run("pull", "session").code == 0
    assert "tags: [maze]\n" in text(sessions)
    (change,) = sessions.plan()["changes"]
    assert change["request"]["body"] == {"tags": ["maze"]}


def test_a_record_that_is_gone_is_named_and_stays(sessions: Lab) -> None:
    sessions.api("DELETE", f"stem/session/{sessions.live('session', 'b')['id']}/")
    result = sessions.run("pull", "--all")
    assert result.code == 3
    assert "stemctl rm --keep-on-server session/b" in told(sessions, result.out)
    assert "already say so" not in result.out
    assert text(sessions) == SESSIONS


def test_a_record_that_left_the_files_is_not_written_again(sessions: Lab) -> None:
    sessions.write("records/sessions.yaml", "".join(SESSIONS.splitlines(True)[:-1]))
    before = text(sessions)
    result = sessions.run("pull", "--all")
    assert result.code == 3
    assert "session/b" in told(sessions, result.out)
    assert text(sessions) == before
    assert list((sessions.root / "records").rglob("*.yaml")) == [
        sessions.root / "records/sessions.yaml"
    ]
    sessions.write("records/sessions.yaml", before + "forget: [session/b]\n")
    assert sessions.run("pull", "--all").code == 0
    sessions.apply()
    assert sessions.run("pull", "--all").code == 0
    assert text(sessions) == before + "forget: [session/b]\n"


def test_a_record_with_another_name_is_left_to_mv(sessions: Lab) -> None:
    id_ = sessions.live("session", "a")["id"]
    sessions.api("PATCH", f"stem/session/{id_}/", {"name": "alpha", "description": "Day one"})
    result = sessions.run("pull", "session")
    assert result.code == 3
    assert "stemctl mv session/a session/alpha" in told(sessions, result.out)
    assert "Day one" in text(sessions)
    assert "name: a " in text(sessions)


def test_without_a_base_the_files_win(sessions: Lab) -> None:
    (sessions.root / ".stemctl" / "sandbox.state.json").unlink()
    sessions.edit("session", "a", description="Day one", tags=["maze", "sleep", "x"])
    result = sessions.run("pull", "--all")
    assert result.code == 3
    assert "stemctl pull --theirs session/a" in told(sessions, result.out)
    assert "First day" in text(sessions)
    assert "tags: [maze, sleep, x]" in text(sessions)
    assert sessions.run("pull", "--theirs", "session/a").code == 0
    assert is_settled(sessions)


def test_a_change_in_every_record_changes_the_default(sessions: Lab) -> None:
    shared = "defaults:\n  sessions: {projects: [Theta Maze Study], tags: [x]}\n"
    sessions.write("records/sessions.yaml", f"{shared}sessions:\n  - name: a\n  - name: b\n")
    sessions.apply()
    for name in "ab":
        sessions.edit("session", name, tags=["z"])
    assert sessions.run("pull", "--all").code == 0
    assert text(sessions) == f"{shared}sessions:\n  - name: a\n  - name: b\n".replace("[x]", "[z]")
    sessions.edit("session", "a", tags=["z", "more"])
    assert sessions.run("pull", "--all").code == 0
    assert "  - name: a\n    tags: [more]\n  - name: b\n" in text(sessions)
    assert is_settled(sessions)


def test_a_dry_run_writes_nothing(sessions: Lab) -> None:
    sessions.edit("session", "a", description="Day one")
    before = contents(sessions.root)
    result = sessions.run("pull", "--all", "--dry-run")
    assert result.code == 0
    assert "+    description: Day one" in told(sessions, result.out)
    assert contents(sessions.root) == before
    document = sessions.run("pull", "--all", "--dry-run", "-o", "json").json
    assert document["records"] == [
        {
            "address": "session/a",
            "done": "edited",
            "file": "records/sessions.yaml",
            "fields": ["description"],
        }
    ]
    assert document["summary"] == {"written": 1, "left": 0, "in_no_file": {}}
    assert contents(sessions.root) == before


def test_a_file_that_cannot_be_edited_is_left_and_its_base_stays(sessions: Lab) -> None:
    anchored = """\
sessions:
  - {name: a, projects: &p [Theta Maze Study], tags: &t [x]}
  - {name: b, projects: *p, tags: *t}
"""
    sessions.write("records/sessions.yaml", anchored)
    sessions.apply()
    sessions.edit("session", "b", tags=["x", "y"])
    before = sessions.state["records"]
    result = sessions.run("pull", "--all")
    assert result.code == 3, result.said
    assert text(sessions) == anchored
    assert sessions.state["records"] == before


# Which records


def test_an_address_that_only_the_server_has(sessions: Lab) -> None:
    project = sessions.live("project", "Theta Maze Study")["id"]
    for name in ("rat12_1", "rat12_2", "rat13_1"):
        body = {"name": name, "projects": [project], "tags": []}
        sessions.api("POST", "stem/session/", body)
    assert sessions.run("pull", "session/rat12_1").code == 0
    document = sessions.run("pull", "rat12_*", "-o", "json").json
    assert [row["address"] for row in document["records"]] == ["session/rat12_2"]
    assert document["summary"]["in_no_file"] == {"session": 1}
    document = sessions.run("pull", "session", "--filter", "name=rat13_1", "-o", "json").json
    assert [row["address"] for row in document["records"]] == ["session/rat13_1"]
    assert is_settled(sessions)


@pytest.mark.parametrize(
    "words, expected",
    [
        (["session/nosuch"], "No session is called `nosuch`"),
        (["session/zz*"], "Nothing matches"),
        (["nosuch"], "nosuch"),
        (["project"], "stemctl get project"),
        (["--all", "--filter", "name=a"], "--filter"),
        (["session", "--filter", "nosuch=a"], "nosuch"),
        (["session", "--layout", "{nosuch}"], "nosuch"),
        (["session", "--ask"], "terminal"),
    ],
)
def test_what_cannot_be_meant_is_refused(sessions: Lab, words: list[str], expected: str) -> None:
    before = contents(sessions.root)
    result = sessions.run("pull", *words)
    assert result.code == 1, result.said
    assert expected in told(sessions, result.err)
    assert contents(sessions.root) == before


def test_a_page_that_fails_writes_nothing(sessions: Lab) -> None:
    sessions.edit("session", "a", description="Day one")
    sessions.intercept = lambda request: (
        httpx.Response(500, json={"detail": "down"}) if "/session/" in request.url.path else None
    )
    before = contents(sessions.root)
    assert sessions.run("pull", "--all").code == 1
    assert contents(sessions.root) == before


# Records that nothing tells apart, and records inside others


def nested_lab(lab: Lab) -> dict[str, str]:
    """Pull a lab with one session, and give the ids of what others will need."""
    assert lab.run("pull", "--all").code == 0
    found = {}
    for model in ("session", "behavior", "setup", "behavioralassay", "subject"):
        (record, *_) = edition_2026.live(lab, model)
        found[model] = record["id"]
    return found


def add_behavior(lab: Lab, ids: dict[str, str], **fields: Any) -> str:
    body = {
        "session": ids["session"],
        "subjects": [ids["subject"]],
        "setup": ids["setup"],
        "behavioralassay": ids["behavioralassay"],
        "tags": [],
        **fields,
    }
    return str(lab.api("POST", "modules/behavior/", body)["behavior"]["id"])


def test_a_new_child_goes_into_its_declared_parent(lab: Lab) -> None:
    ids = nested_lab(lab)
    add_behavior(lab, ids, notes="the second")
    result = lab.run("pull", "--all")
    assert result.code == 0, result.said
    (file,) = (lab.root / "records/sessions").iterdir()
    assert "notes: the second" in file.read_text()
    assert is_settled(lab)
    assert lab.run("pull", "--all").code == 0
    assert file.read_text().count("notes: the second") == 1


def test_a_sibling_that_has_more_is_not_taken_for_one_that_has_less(lab: Lab) -> None:
    """As after a pull that was killed between files and state."""
    seed = json.loads(json.dumps(EVERYTHING))
    seed["sessions"][0]["data_acquisitions"].append({"type": "ExtracellularEphys"})
    lab.write("seed.yaml", json.dumps(seed))
    assert lab.run("pull", "--all").code == 0
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    before = (lab.root / "records/sessions/undated.yaml").read_bytes()
    result = lab.run("pull", "--all")
    assert result.code == 0, result.said
    assert (lab.root / "records/sessions/undated.yaml").read_bytes() == before
    assert is_settled(lab)


def test_a_parent_that_can_only_be_called_by_its_id(lab: Lab) -> None:
    """Its children have keys of their own: what is inside them refers to them, not to the id."""
    seed = json.loads(json.dumps(EVERYTHING))
    seed["subjects"][1]["subject_logs"] = seed["subjects"][1]["subject_logs"][:1]
    lab.write("seed.yaml", json.dumps(seed))
    lab.after = lambda request, response: httpx.Response(
        response.status_code,
        content=response.content.replace(b'"rat12"', rb'"rat\u001b"'),
        headers={"content-type": "application/json"},
    )
    result = lab.run("pull", "--all")
    assert result.code == 3, result.said
    assert is_settled(lab)


def test_twins_are_named_and_not_written(lab: Lab) -> None:
    ids = nested_lab(lab)
    twins = [add_behavior(lab, ids, notes="twin") for _ in range(2)]
    before = contents(lab.root)
    result = lab.run("pull", "--all")
    assert result.code == 3
    assert all(id_ in result.out for id_ in twins)
    assert contents(lab.root) == before
    document = lab.run("pull", "--all", "-o", "json").json
    assert document["summary"]["in_no_file"] == {"behavior": 2}
    assert document["left_records"] == [
        {"model": "behavior", "reason": "twins", "ids": sorted(twins)}
    ]


def test_two_records_of_one_name(lab: Lab) -> None:
    nested_lab(lab)
    before = contents(lab.root)
    lab.api("POST", "personal_attributes/inventory/", {"name": "Freezer", "tags": []})
    result = lab.run("pull", "inventory")
    assert result.code == 3
    assert "Freezer" in result.out
    assert contents(lab.root) == before


def test_a_declared_record_without_a_name_is_found_by_what_it_says(lab: Lab) -> None:
    """As after a kill between the files and the state."""
    assert lab.run("pull", "--all").code == 0
    files = contents(lab.root)
    state = lab.state["records"]
    (lab.root / ".stemctl/sandbox.state.json").unlink()
    changes = lab.plan()["changes"]
    assert not [change for change in changes if change["request"] is not None]
    assert lab.run("pull", "--all").code == 0
    assert {**contents(lab.root), STATE: b""} == {**files, STATE: b""}
    assert lab.state["records"] == state
    assert is_settled(lab)


STATE = ".stemctl/sandbox.state.json"


def test_a_declared_record_refers_to_a_new_one_by_its_key(lab: Lab) -> None:
    ids = nested_lab(lab)
    body = {
        "subject": edition_2026.live(lab, "procedure")[0]["subject"],
        "type": "SiliconProbeImplant",
        "coordinates_system": "Stereotaxic_BregmaAbsolute",
        "notes": "a second probe",
        "details": {},
        "coordinates_details": {},
        "tags": [],
    }
    made = lab.api("POST", "modules/procedure/", body)["procedure"]["id"]
    (record,) = edition_2026.live(lab, "dataacquisition")
    change = {"procedures": [*record["procedures"], made]}
    lab.api("PATCH", f"modules/dataacquisition/{record['id']}/", change)
    assert lab.run("pull", "--all").code == 0
    (file,) = (lab.root / "records/sessions").iterdir()
    assert made not in file.read_text()
    assert "rat12/silicon-probe-implant-2" in file.read_text()
    assert is_settled(lab)
    assert ids


@pytest.mark.parametrize("typed, number", [("2", 1), ("", 0), ("9", 0)])
def test_at_a_terminal_ask_decides_between_twins(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, typed: str, number: int
) -> None:
    ids = nested_lab(lab)
    for _ in range(2):
        add_behavior(lab, ids, notes="twin")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(f"{typed}\n"))
    result = lab.run("pull", "--all", "--ask")
    assert "Which is written?" in result.err
    (file,) = (lab.root / "records/sessions").iterdir()
    assert file.read_text().count("notes: twin") == number
    assert is_settled(lab)


def test_shared_records_come_only_when_named(lab: Lab) -> None:
    assert lab.run("pull", "species").code == 0
    assert "name: Rat" in (lab.root / "records/species.yaml").read_text()
    assert is_settled(lab)


def test_details_of_others_are_taken_over_field_by_field(lab: Lab) -> None:
    ids = nested_lab(lab)
    (record,) = edition_2026.live(lab, "dataacquisition")
    details = {**record["details"], "sr": {"value": 30, "unit": "kHz"}}
    body = {"type": record["type"], "details": details}
    lab.api("PATCH", f"modules/dataacquisition/{record['id']}/", body)
    (file,) = (lab.root / "records/sessions").iterdir()
    assert lab.run("pull", "dataacquisition").code == 0
    assert "sr" not in file.read_text()
    assert lab.run("pull", "dataacquisition", "--all-fields").code == 0
    assert "sr: 30 kHz" in file.read_text()
    assert is_settled(lab)
    details["sr"]["value"] = 20
    lab.api("PATCH", f"modules/dataacquisition/{record['id']}/", body)
    assert lab.run("pull", "dataacquisition").code == 0
    assert "sr: 20 kHz" in file.read_text()
    assert is_settled(lab)
    assert ids


def test_a_plan_says_how_many_records_are_in_no_file(sessions: Lab) -> None:
    assert "in no file" not in sessions.run("plan").out
    project = sessions.live("project", "Theta Maze Study")["id"]
    sessions.api("POST", "stem/session/", {"name": "c", "projects": [project], "tags": []})
    line = "1 session on the server is in no file: stemctl pull session\n"
    assert line in sessions.run("plan").out
    assert sessions.run("pull", "session").code == 0
    assert "in no file" not in sessions.run("plan").out


def test_a_value_that_no_file_can_have_is_left_and_named(sessions: Lab) -> None:
    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        body = response.json()
        for record in body.get("sessions", []):
            if record["name"] == "a":
                record |= {"date_time": "yesterday", "description": "Day one", "tags": ["x" * 5000]}
        return httpx.Response(200, json=body)

    sessions.after = after
    result = sessions.run("pull", "session", "--all-fields")
    assert result.code == 3, result.said
    assert "date_time" in result.out
    assert "Day one" in text(sessions)
    assert "yesterday" not in text(sessions)
    before = contents(sessions.root)
    assert sessions.run("pull", "session", "--all-fields").code == 3
    assert contents(sessions.root) == before


def test_a_model_that_cannot_be_read_is_named(lab: Lab) -> None:
    def deny(request: httpx.Request) -> httpx.Response | None:
        if "/stem/subject/" in request.url.path:
            body = {"detail": "You do not have permission to perform this action."}
            return httpx.Response(403, json=body, request=request)
        return None

    lab.intercept = deny
    result = lab.run("pull", "--all")
    assert result.code == 3, result.said
    assert "Not read: your account cannot see subjects in this portal." in result.out
    assert lab.run("pull", "subject").code == 1


def test_an_empty_name_is_told_above_the_record(lab: Lab) -> None:
    lab.write("seed.yaml", json.dumps(EVERYTHING))
    lab.after = lambda request, response: httpx.Response(
        response.status_code,
        content=response.content.replace(b'"rat12"', b'""'),
        headers={"content-type": "application/json"},
    )
    assert lab.run("pull", "--all").code == 0
    text = (lab.root / "records/subjects.yaml").read_text()
    assert text.startswith(
        "subjects:\n  # name is empty on the server, so the id is written\n  - key: "
    )
    before = contents(lab.root)
    assert lab.run("pull", "--all").code == 0
    assert contents(lab.root) == before


def test_half_a_character_is_told_with_its_record(lab: Lab) -> None:
    """A database that cannot hold it never sends it; a broken proxy may."""
    lab.write("seed.yaml", json.dumps(EVERYTHING))
    lab.after = lambda request, response: httpx.Response(
        response.status_code,
        content=response.content.replace(b'"rat12"', rb'"rat\ud83d"'),
        headers={"content-type": "application/json"},
    )
    result = lab.run("pull", "subject")
    assert result.code == 1
    assert "holds half a character, which no file can hold" in result.said
    assert "It is in `name` of the record " in result.said
    assert "Correct it in the browser." in result.said
