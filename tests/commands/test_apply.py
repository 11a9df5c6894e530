"""The main job, end to end over the sandbox: what is planned is sent, and nothing else."""

from __future__ import annotations

import threading

import httpx
import pytest

from tests.support.lab import Lab, Sent

MAZE = "{name: rat12_maze, description: First day on the maze., tags: [theta-maze]}"
SLEEP = "{name: rat12_sleep, date_time: 2024-03-12T09:00:00Z}"


def test_create_then_nothing(lab: Lab) -> None:
    lab.sessions(MAZE, SLEEP)
    first = lab.run("apply", "--auto-approve")
    assert first.code == 0
    assert "Applied: 2 created, 0 updated, 0 deleted, 0 failed" in first.out
    assert [sent.method for sent in lab.writes] == ["POST", "POST"]
    again = lab.run("apply", "--auto-approve")
    assert again.code == 0
    assert "Nothing to do" in again.out
    assert lab.writes == []
    assert lab.run("plan", "--detailed-exitcode").code == 0


def test_a_plan_sends_nothing_but_get(lab: Lab) -> None:
    lab.sessions(MAZE)
    assert lab.run("plan", "--detailed-exitcode").code == 2
    assert {sent.method for sent in lab.requests} == {"GET"}
    assert not (lab.root / ".stemctl" / "sandbox.state.json").exists()


def test_an_edit_is_one_patch_with_that_field_alone(lab: Lab) -> None:
    lab.sessions(MAZE)
    lab.apply()
    lab.sessions(MAZE.replace("First day", "Second day"))
    lab.apply()
    id_ = lab.live("session", "rat12_maze")["id"]
    assert lab.writes == [
        Sent("PATCH", f"stem/session/{id_}/", {"description": "Second day on the maze."})
    ]


def test_tags_are_always_sent_at_creation_and_shown(lab: Lab) -> None:
    lab.sessions(SLEEP)
    assert {"path": "tags", "after": []}.items() <= lab.plan()["changes"][0]["fields"][-1].items()
    lab.apply()
    assert lab.writes[0].body["tags"] == []
    assert "tags" not in lab.state["records"]["session/rat12_sleep"]["applied"]


def test_an_element_of_a_set_is_sent_once(lab: Lab) -> None:
    lab.sessions("{name: s, tags: [a, a, b]}")
    assert "tags        a, b" in lab.run("plan").out
    lab.apply()
    assert lab.writes[0].body["tags"] == ["a", "b"]
    assert lab.run("plan", "--detailed-exitcode").code == 0


def test_what_left_the_files_is_held_until_it_is_allowed(lab: Lab) -> None:
    lab.sessions(MAZE, SLEEP)
    lab.apply()
    lab.sessions(MAZE, "{name: rat12_new}")
    held = lab.run("apply", "--auto-approve")
    assert held.code == 3
    assert [sent.method for sent in lab.writes] == ["POST"]
    assert "session/rat12_sleep    delete    no longer in the files" in held.out
    allowed = lab.run("apply", "--auto-approve", "--allow", "delete=1")
    assert allowed.code == 0, allowed.said
    assert [sent.method for sent in lab.writes] == ["DELETE"]
    assert lab.run("plan", "--detailed-exitcode").code == 0


def test_more_deletes_than_allowed_are_all_held(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{i}, description: Number {i}.}}" for i in range(4)))
    lab.apply()
    lab.sessions(MAZE)
    held = lab.run("apply", "--auto-approve", "--allow", "delete=3")
    assert held.code == 3
    assert not [sent for sent in lab.writes if sent.method == "DELETE"]
    assert (
        "delete: 4 records are affected, but the limit for one run is 3, so all are held"
        in held.out
    )


def test_policy_allows_what_goes_through_unasked(lab: Lab) -> None:
    lab.write(
        "stemctl.yaml", (lab.root / "stemctl.yaml").read_text() + "policy: {allow: {delete: 1}}\n"
    )
    lab.sessions(MAZE, SLEEP, "{name: other}")
    lab.apply()
    lab.sessions(MAZE, SLEEP)
    lab.apply()
    assert [sent.method for sent in lab.writes] == ["DELETE"]
    lab.sessions("{name: new}")
    assert lab.run("apply", "--auto-approve").code == 3
    assert [sent.method for sent in lab.writes] == ["POST"]


def test_a_deleted_entry_is_the_permission(lab: Lab) -> None:
    lab.sessions(MAZE, SLEEP)
    lab.apply()
    lab.sessions(MAZE)
    lab.write("records/deleted.yaml", "deleted: [session/rat12_sleep]\n")
    assert "allowed by the deleted: entry" in lab.run("plan").out
    lab.apply()
    assert [sent.method for sent in lab.writes] == ["DELETE"]


def test_a_forget_entry_keeps_the_record_and_sends_nothing(lab: Lab) -> None:
    lab.sessions(MAZE, SLEEP)
    lab.apply()
    lab.sessions(MAZE)
    lab.write("records/forget.yaml", "forget: ['session/*_sleep']\n")
    lab.apply()
    assert lab.writes == []
    assert list(lab.state["records"]) == ["session/rat12_maze"]
    assert lab.live("session", "rat12_sleep")


def test_prevent_delete_outlives_the_file(lab: Lab) -> None:
    lab.sessions("{name: precious, lifecycle: {prevent_delete: true}}", SLEEP)
    lab.apply()
    lab.sessions(SLEEP)
    lab.write("records/deleted.yaml", "deleted: [session/precious]\n")
    held = lab.run("apply", "--auto-approve", "--allow", "delete", "--allow", "cascade")
    assert held.code == 3
    assert lab.writes == []
    assert "held: protected" in held.out


def test_a_lost_state_is_found_again_by_name(lab: Lab) -> None:
    lab.sessions(MAZE)
    lab.apply()
    before = lab.state["records"]
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    (change,) = lab.plan()["changes"]
    assert (change["action"], change["reason"], change["request"]) == ("adopt", "adopted", None)
    lab.apply()
    assert lab.writes == []
    after = lab.state["records"]
    assert {k: v["applied"] for k, v in after.items()} == {
        k: v["applied"] for k, v in before.items()
    }


def test_adopting_replaces_nothing_unasked(lab: Lab) -> None:
    lab.sessions(MAZE)
    project = lab.live("project", "Theta Maze Study")["id"]
    body = {
        "name": "rat12_maze",
        "description": "Somebody else's.",
        "projects": [project],
        "tags": ["ripples"],
    }
    lab.api("POST", "stem/session/", body)
    held = lab.run("apply", "--auto-approve")
    assert held.code == 3
    (patch,) = lab.writes
    assert patch.body == {"tags": ["ripples", "theta-maze"]}
    assert "held: replace; the server keeps its value" in held.out
    assert lab.run("apply", "--auto-approve", "--allow", "replace=1").code == 0
    (patch,) = lab.writes
    assert patch.body == {"description": "First day on the maze."}


def test_a_name_that_somebody_hidden_has_fails_alone(lab: Lab) -> None:
    project = lab.live("project", "Songbird Study", token="sandbox-other")["id"]
    lab.api(
        "POST",
        "stem/session/",
        {"name": "rat12_maze", "projects": [project], "tags": []},
        token="sandbox-other",
    )
    lab.sessions(MAZE, SLEEP)
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "Applied: 1 created, 0 updated, 0 deleted, 1 failed" in result.out
    assert "belongs to a record that is hidden from you" in result.out
    assert "records/sessions.yaml:5:" in result.out
    assert lab.live("session", "rat12_sleep")


def test_a_released_field_keeps_its_value_and_is_noted(lab: Lab) -> None:
    lab.sessions(MAZE)
    lab.apply()
    lab.sessions("{name: rat12_maze, tags: [theta-maze]}")
    plan = lab.run("plan", "--detailed-exitcode")
    assert plan.code == 0
    assert "description was removed from the file" in plan.out
    lab.apply()
    assert lab.live("session", "rat12_maze")["description"] == "First day on the maze."
    assert "description was removed from the file" not in lab.run("plan").out


def test_clearing_is_written_and_sent(lab: Lab) -> None:
    lab.sessions(
        "{name: s, description: Text., date_time: 2024-03-12, "
        "extra_fields: {room: B115}, tags: [a]}"
    )
    lab.apply()
    lab.sessions('{name: s, description: "", date_time: null, extra_fields: {}, tags: []}')
    assert "(cleared)" in lab.run("plan").out
    lab.apply()
    assert lab.writes[0].body == {
        "description": "",
        "date_time": None,
        "extra_fields": {},
        "tags": [],
    }
    assert lab.run("plan", "--detailed-exitcode").code == 0


def test_a_field_the_server_does_not_hold_is_a_finding(lab: Lab) -> None:
    lab.sessions("{name: s, name_used_in_storage: ses01}")
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "The server holds other values than were sent" in result.out
    assert (
        "name_used_in_storage    sent ses01; the server's answer does not include it" in result.out
    )
    again = lab.run("apply", "--auto-approve")
    assert again.code == 0
    assert lab.writes == []


def test_a_record_that_moved_since_the_plan_fails_alone(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}", "{name: b, description: One.}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}", "{name: b, description: Two.}")
    id_ = lab.live("session", "a")["id"]
    looks = 0

    def meanwhile(request: httpx.Request) -> None:
        nonlocal looks
        if request.method == "GET" and request.url.path.endswith(f"/{id_}/"):
            looks += 1
            if looks == 1:  # just before our own look at it, a colleague edits it
                colleague = threading.Thread(
                    target=lab.edit, args=("session", "a"), kwargs={"description": "Theirs."}
                )
                colleague.start()
                colleague.join()

    lab.intercept = meanwhile
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "changed on the server since this plan was made" in result.out
    lab.intercept = lambda request: None
    assert lab.live("session", "a")["description"] == "Theirs."
    assert lab.live("session", "b")["description"] == "Two."


def test_without_a_terminal_nothing_is_sent_unasked(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    lab.sessions(MAZE)
    result = lab.run("apply")
    assert result.code == 1
    assert "apply --auto-approve" in result.err
    assert lab.requests == []


def test_no_manifest_is_an_error_and_never_a_wish_to_delete(lab: Lab) -> None:
    lab.sessions(MAZE)
    lab.apply()
    (lab.root / "records" / "sessions.yaml").unlink()
    result = lab.run("apply", "--auto-approve", "--allow", "delete")
    assert result.code == 1
    assert "No manifests found" in result.err
    assert lab.requests == []
