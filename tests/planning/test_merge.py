"""Every row of the three-way table, over the real sandbox, with a colleague who edits in the
browser.
"""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest

from tests.support.lab import Lab

S = "{name: s, description: First., tags: [ours], extra_fields: {room: B115}}"


def applied(lab: Lab, record: str = S) -> None:
    lab.sessions(record)
    lab.apply()


def only(lab: Lab) -> Any:
    (change,) = lab.plan()["changes"]
    return change


def held(change: Any) -> dict[str, str | None]:
    return {f["path"]: f["held"] for f in change["fields"]}


def test_same_on_both_sides_moves_the_base_and_sends_nothing(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", description="Second.")
    lab.sessions(S.replace("First", "Second"))
    plan = lab.plan()
    assert (plan["changes"], [b["declared"] for b in plan["bookkeeping"]]) == (
        [],
        [{"description": "Second."}],
    )
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["bookkeeping"] == []


def test_drift_is_shown_and_held(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", description="Theirs.", extra_fields={"room": "B117", "lamp": "on"})
    change = only(lab)
    assert (change["reason"], change["held"], change["request"]) == ("drift", "revert", None)
    assert held(change) == {"description": "revert", "extra_fields.room": "revert"}
    result = lab.run("apply", "--auto-approve")
    assert result.code == 0
    assert lab.writes == []
    assert lab.run("plan", "--detailed-exitcode").code == 2
    assert "server has B117; if allowed, apply restores B115" in result.out
    lab.apply("--allow", "revert=1")
    (patch,) = lab.writes
    assert patch.body == {"description": "First.", "extra_fields": {"room": "B115", "lamp": "on"}}
    assert lab.plan()["changes"] == []


def test_both_sides_changed_it_is_a_conflict_until_it_is_resolved(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", description="Theirs.")
    lab.sessions(S.replace("First", "Ours").replace("[ours]", "[ours, new]"))
    change = only(lab)
    assert (change["reason"], change["held"]) == ("conflict", "conflict")
    field = next(f for f in change["fields"] if f["path"] == "description")
    assert (field["base"], field["files"], field["server"]) == ("First.", "Ours.", "Theirs.")
    assert held(change) == {"description": "conflict", "tags": "conflict"}
    result = lab.run("apply", "--auto-approve", "--allow", "revert", "--allow", "replace")
    assert result.code == 3
    assert lab.writes == []
    assert lab.run("resolve", "session/s").code == 0
    assert lab.writes == []
    change = only(lab)
    assert (change["reason"], change["held"]) == ("edited", None)
    lab.apply()
    assert lab.writes[0].body == {"description": "Ours.", "tags": ["ours", "new"]}
    assert lab.run("resolve", "session/s").code == 1


def test_a_conflict_is_settled_by_writing_what_the_server_has(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", description="Theirs.")
    lab.sessions(S.replace("First", "Theirs"))
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []


def test_a_colleagues_tag_survives_ours(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", tags=["ours", "theirs"])
    assert lab.plan()["changes"] == []
    lab.sessions(S.replace("[ours]", "[ours, more]"))
    assert "apply adds more; keeps theirs (added on the server)" in lab.run("plan").out
    lab.apply()
    assert lab.writes[0].body == {"tags": ["ours", "theirs", "more"]}
    lab.sessions(S.replace("[ours]", "[]"))
    lab.apply()
    assert lab.writes[0].body == {"tags": ["theirs"]}
    assert lab.plan()["changes"] == []


def test_what_somebody_took_out_is_drift_of_that_element_alone(lab: Lab) -> None:
    applied(lab, S.replace("[ours]", "[a, b]"))
    lab.edit("session", "s", tags=["a", "theirs"])
    lab.sessions(S.replace("[ours]", "[a, b, c]"))
    change = only(lab)
    afters = {f["held"]: f["after"] for f in change["fields"]}
    assert afters == {"revert": ["a", "theirs", "b"], None: ["a", "theirs", "c"]}
    lab.run("apply", "--auto-approve")
    assert lab.writes[0].body == {"tags": ["a", "theirs", "c"]}
    assert held(only(lab)) == {"tags": "revert"}
    lab.sessions(S.replace("[ours]", "[a, b]"))
    lab.run("apply", "--auto-approve")
    assert lab.writes[0].body == {"tags": ["a", "theirs"]}


def test_nothing_of_a_map_that_others_wrote_is_replaced_unasked(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", extra_fields={"room": "B115", "lamp": "theirs"})
    lab.sessions(S.replace("room: B115", "room: B115, lamp: ours"))
    change = only(lab)
    assert held(change) == {"extra_fields.lamp": "replace"}
    assert lab.run("apply", "--auto-approve").code == 3
    assert lab.writes == []
    lab.apply("--allow", "replace")
    assert lab.writes[0].body == {"extra_fields": {"room": "B115", "lamp": "ours"}}


def test_an_entry_both_changed_is_a_conflict_of_that_entry(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", extra_fields={"room": "B117"})
    lab.sessions(S.replace("room: B115", "room: B119"))
    assert held(only(lab)) == {"extra_fields.room": "conflict"}
    assert lab.run("resolve", "session/s").code == 0
    lab.apply()
    assert lab.writes[0].body == {"extra_fields": {"room": "B119"}}


def test_links_are_told_apart_by_their_address(lab: Lab) -> None:
    link = "{Repository: DANDI, URL: https://a.org/1}"
    applied(lab, f"{{name: s, download_links: [{link}]}}")
    theirs = [
        {"Repository": "DANDI", "URL": "https://a.org/1"},
        {"Repository": "GitHub", "URL": "https://b.org/2"},
    ]
    lab.edit("session", "s", download_links=theirs)
    assert lab.plan()["changes"] == []
    lab.sessions(f"{{name: s, download_links: [{link.replace('DANDI', 'Zenodo')}]}}")
    lab.apply()
    sent = {item["URL"]: item["Repository"] for item in lab.writes[0].body["download_links"]}
    assert sent == {"https://a.org/1": "Zenodo", "https://b.org/2": "GitHub"}


def test_ignored_changes_are_sent_at_creation_only_and_counted(lab: Lab) -> None:
    record = S.replace("}}", "}, lifecycle: {ignore_changes: [description]}}")
    applied(lab, record)
    lab.edit("session", "s", description="Theirs.")
    lab.sessions(record.replace("First", "Ours"))
    result = lab.run("plan", "--detailed-exitcode")
    assert result.code == 0
    assert "Ignored because of ignore_changes: 1 field." in result.out
    lab.apply()
    assert lab.writes == []


NORMALISED = {
    "trimmed text": ("{name: s, description: '  Around.  '}", {}),
    "plus zero": ("{name: s, date_time: 2024-03-12T09:00:00+00:00}", {}),
    "another zone": ("{name: s, date_time: 2024-03-12T10:00:00+01:00}", {}),
    "a day": ("{name: s, date_time: 2024-03-12}", {}),
    "whole number": ("{name: s, extra_fields: {n: 2}}", {"extra_fields": {"n": 2.0}}),
    "pairs": ("{name: s, extra_fields: {n: x}}", {"extra_fields": [{"name": "n", "value": "x"}]}),
    "order": ("{name: s, tags: [b, a]}", {"tags": ["a", "b"]}),
}


@pytest.mark.parametrize("name", NORMALISED)
def test_what_the_server_normalises_never_returns(lab: Lab, name: str) -> None:
    record, form = NORMALISED[name]
    applied(lab, record)
    if form:
        lab.edit("session", "s", **form)
    for _ in range(2):
        assert lab.plan()["changes"] == []
        lab.apply()
        assert lab.writes == []


def test_a_server_that_spells_the_keys_of_items_in_its_own_case(lab: Lab) -> None:
    import httpx

    def lower(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        content = response.content.replace(b'"URL"', b'"url"').replace(
            b'"Repository"', b'"repository"'
        )
        return httpx.Response(response.status_code, content=content)

    lab.after = lower
    applied(lab, "{name: s, download_links: [{Repository: DANDI, URL: https://a.org/1}]}")
    assert lab.plan()["changes"] == []
    assert "Repository: DANDI" in lab.run("get", "session", "-o", "yaml").out


def in_bold(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """What a server may make of a text."""
    if "session" in request.url.path and b"First." in response.content:
        return httpx.Response(
            response.status_code, content=response.content.replace(b"First.", b"<b>First.</b>")
        )
    return response


def test_what_the_server_makes_of_a_text_is_a_finding_until_both_agree(lab: Lab) -> None:
    """It is not sent again, and no apply ends as if the server held what the files say."""
    lab.after = in_bold
    lab.sessions(S)
    first = lab.run("apply", "--auto-approve")
    assert first.code == 3
    assert "description    sent First.; the server holds <b>First.</b>" in first.out
    for _ in range(2):
        assert lab.plan()["changes"] == []
        plan = lab.run("plan").out
        assert 'description was applied as "First.", but the server holds "<b>First.</b>"' in plan
        assert "Nothing to send: 1 differs on the server." in plan
        assert (
            "the server did not keep what was applied: First. → <b>First.</b>"
            in lab.run("drift").out
        )
        assert lab.run("apply", "--auto-approve").code == 3
        assert lab.writes == []
    lab.sessions(S.replace("First.", '"<b>First.</b>"'))
    lab.apply()
    assert lab.writes == []
    assert "No drift" in lab.run("drift").out


def test_a_value_that_the_server_moves_once_more_is_drift(lab: Lab) -> None:
    lab.after = in_bold
    lab.sessions(S)
    assert lab.run("apply", "--auto-approve").code == 3
    lab.after = lambda request, response: response
    lab.edit("session", "s", description="Theirs.")
    assert only(lab)["reason"] == "drift"


def test_what_the_server_holds_otherwise_is_edited_as_anything_else(lab: Lab) -> None:
    lab.after = in_bold
    lab.sessions(S)
    assert lab.run("apply", "--auto-approve").code == 3
    lab.sessions(S.replace("First", "Second"))
    lab.apply()
    assert lab.writes[0].body == {"description": "Second."}


def test_a_field_missing_from_an_answer_is_unknown_not_empty(lab: Lab) -> None:
    import json

    import httpx

    applied(lab)

    def without(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith("/stem/session/"):
            body = response.json()
            for record in body["sessions"]:
                record.pop("description")
            return httpx.Response(200, content=json.dumps(body))
        return response

    lab.after = without
    assert lab.plan()["changes"] == []


def test_a_record_that_is_gone_is_created_again_only_if_allowed(lab: Lab) -> None:
    applied(lab)
    lab.api("DELETE", f"stem/session/{lab.live('session', 's')['id']}/")
    change = only(lab)
    assert (change["action"], change["reason"], change["held"]) == (
        "create",
        "gone_from_server",
        "revert",
    )
    assert lab.run("apply", "--auto-approve").code == 0
    assert lab.writes == []
    lab.apply("--allow", "revert")
    assert [s.method for s in lab.writes] == ["POST"]
    assert lab.plan()["changes"] == []


def test_what_is_made_anew_takes_over_no_base_of_what_is_gone(lab: Lab) -> None:
    applied(lab)
    lab.api("DELETE", f"stem/session/{lab.live('session', 's')['id']}/")
    lab.sessions("{name: s, tags: [ours]}")
    lab.apply("--allow", "revert")
    assert set(lab.state["records"]["session/s"]["applied"]) == {"name", "projects", "tags"}
    assert "released" not in lab.run("plan").out


def test_a_record_made_anew_under_its_name_is_adopted(lab: Lab) -> None:
    applied(lab)
    old = lab.live("session", "s")
    lab.api("DELETE", f"stem/session/{old['id']}/")
    lab.api("POST", "stem/session/", {"name": "s", "projects": old["projects"], "tags": ["ours"]})
    change = only(lab)
    assert (change["action"], change["reason"]) == ("adopt", "gone_from_server")
    lab.apply()
    assert lab.state["records"]["session/s"]["id"] == lab.live("session", "s")["id"]


def test_what_left_the_files_and_cannot_be_seen_is_kept_until_it_is_forgotten(lab: Lab) -> None:
    """It may be hidden from this account, and alive: the state is all that knows of it."""
    lab.sessions(S, "{name: t}")
    lab.apply()
    lab.api("DELETE", f"stem/session/{lab.live('session', 't')['id']}/")
    lab.sessions(S)
    for _ in range(2):
        plan = lab.plan()
        assert (plan["changes"], plan["bookkeeping"]) == ([], [])
        assert "not found: deleted on the server, or hidden from you" in plan["notes"][0]["text"]
        assert "not found: deleted on the server, or hidden" in lab.run("plan").out
        lab.apply()
        assert set(lab.state["records"]) == {"session/s", "session/t"}
    lab.write("records/forget.yaml", "forget: [session/t]\n")
    lab.apply()
    assert list(lab.state["records"]) == ["session/s"]


def test_a_held_change_keeps_no_protection_and_no_new_key_from_being_remembered(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", description="Theirs.")
    lab.sessions("{key: t, lifecycle: {prevent_delete: true}, " + S[1:])
    lab.write("records/moved.yaml", "moved: [{from: session/s, to: session/t}]\n")
    assert only(lab)["held"] == "revert"
    lab.apply()
    assert lab.writes == []
    (entry,) = lab.state["records"].values()
    assert (list(lab.state["records"]), entry["prevent_delete"]) == (["session/t"], True)
    assert entry["applied"]["description"] == "First."
    assert only(lab)["held"] == "revert"
    assert lab.plan()["bookkeeping"] == []


def test_drift_tells_what_happened_and_sends_nothing(lab: Lab) -> None:
    lab.sessions(S, "{name: t}", "{name: u}")
    lab.apply()
    lab.edit(
        "session",
        "s",
        tags=["ours", "theirs"],
        extra_fields={"room": "B117"},
        description="Theirs.",
    )
    lab.api("DELETE", f"stem/session/{lab.live('session', 't')['id']}/")
    result = lab.run("drift", "--detailed-exitcode")
    assert result.code == 2
    assert {s.method for s in lab.requests} == {"GET"}
    for words in ("theirs was added", "B115 → B117", "First. → Theirs.", "not found", "1 changed"):
        assert words in result.out
    document = lab.run("drift", "-o", "json").json
    assert [(r["address"], r["missing"]) for r in document["records"]] == [
        ("session/s", False),
        ("session/t", True),
    ]
    assert lab.run("drift").code == 0


def test_drift_tells_of_an_added_element_once(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", tags=["ours", "theirs"])
    assert "theirs was added" in lab.run("drift").out
    lab.apply()
    assert "No drift" in lab.run("drift").out


def test_no_drift_right_after_an_apply_that_merged(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", tags=["ours", "theirs"])
    lab.sessions(S.replace("[ours]", "[ours, more]"))
    lab.apply()
    assert "No drift: 1 record" in lab.run("drift").out


def test_a_server_that_gives_up_its_own_form_moves_the_base(lab: Lab) -> None:
    lab.after = in_bold
    lab.sessions("{name: s, description: First.}")
    lab.run("apply", "--auto-approve")
    assert lab.state["records"]["session/s"]["observed"] == {"description": "<b>First.</b>"}
    lab.after = lambda request, response: response
    assert [row["declared"] for row in lab.plan()["bookkeeping"]] == [{"description": "First."}]
    lab.apply()
    assert "observed" not in lab.state["records"]["session/s"]


@pytest.mark.parametrize("protects", ["true", "false"])
def test_a_protection_is_remembered_though_nothing_else_changed(lab: Lab, protects: str) -> None:
    record = "{name: s, lifecycle: {prevent_delete: %s}}"
    applied(lab, record % ("false" if protects == "true" else "true"))
    lab.sessions(record % protects)
    assert [row["prevent_delete"] for row in lab.plan()["bookkeeping"]] == [protects == "true"]
    lab.apply()
    assert lab.writes == []
    assert lab.state["records"]["session/s"].get("prevent_delete", False) is (protects == "true")


def in_conflict(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", description="Theirs.")
    lab.sessions(S.replace("First", "Ours"))


def test_keeping_the_servers_values_changes_nothing_and_says_what_to_write(lab: Lab) -> None:
    in_conflict(lab)
    before = lab.state
    result = lab.run("resolve", "s", "--keep", "server")
    assert (result.code, lab.writes, lab.state) == (0, [], before)
    assert "session/s" in result.out
    assert "description: Theirs." in result.out
    assert lab.run("apply", "-y").code == 3, "until it is written, it stays held"
    assert "pull --theirs session/s" in result.err
    assert lab.run("pull", "--theirs", "session/s").code == 0
    assert lab.plan()["changes"] == []


def test_the_side_that_was_not_kept_can_still_be_taken(lab: Lab) -> None:
    in_conflict(lab)
    result = lab.run("resolve", "s")
    assert "pull --theirs session/s" in result.err
    assert lab.run("pull", "--theirs", "session/s").code == 0
    assert lab.plan()["changes"] == []


def test_the_first_command_for_drift_takes_it_into_the_files(lab: Lab) -> None:
    applied(lab)
    lab.edit("session", "s", description="Theirs.")
    said = lab.run("plan").out
    assert said.index("pull session/s") < said.index("--allow revert=1")
    assert lab.run("pull", "session/s").code == 0
    assert lab.plan()["changes"] == []


@pytest.mark.parametrize("words", [[], ["--keep", "files"], ["--ours"]])
def test_keeping_the_files_says_what_the_next_apply_overwrites(lab: Lab, words: list[str]) -> None:
    in_conflict(lab)
    result = lab.run("resolve", "session/s", *words)
    assert result.code == 0
    assert "The next apply overwrites the server's. Nothing was sent." in result.out
    lab.apply()
    assert lab.writes[0].body == {"description": "Ours."}


@pytest.mark.parametrize("answer, kept", [("files", "files"), ("server", "server"), ("", None)])
def test_at_a_terminal_it_is_asked(
    lab: Lab, answer: str, kept: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_conflict(lab)
    before = lab.state
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("click.prompt", lambda question, **_: answer)
    result = lab.run("resolve", "session/s")
    assert "Theirs." in result.err
    assert "Ours." in result.err
    assert result.code == (1 if kept is None else 0)
    assert (lab.state != before) == (kept == "files")


def test_each_conflict_is_tried(lab: Lab) -> None:
    in_conflict(lab)
    result = lab.run("resolve", "nobody", "session/s")
    assert result.code == 3
    assert "No record matches `nobody`" in result.err
    assert only(lab)["held"] is None
