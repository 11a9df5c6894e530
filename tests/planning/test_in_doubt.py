"""A request whose answer was lost: what the server shows later says what became of it, and nothing
is sent on a guess.

The journal of a run that broke off is made here by a server that swallows an answer while the
process is told to stop; `tests/faults` does the same with real processes.
"""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from stemctl.commands import plan
from tests.support.lab import Lab, Result

PUFF = "sensory_stimulus_types:\n  - {name: Air puff, description: Brief puff}\n"


class Gone(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)


def break_off(lab: Lab, method: str, arrives: bool, *options: str) -> None:
    """An apply that dies when its first write of a method is on its way."""

    def die(request: httpx.Request) -> None:
        if request.method == method:
            raise Gone

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        die(request)
        return response

    if arrives:
        lab.after = after
    else:
        lab.intercept = die
    with pytest.raises(Gone):
        lab.run("apply", "--auto-approve", "--parallelism", "1", *options)
    lab.intercept, lab.after = (lambda request: None), (lambda request, response: response)
    assert (lab.root / ".stemctl" / "sandbox.journal").exists()


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Let the clock of the next look be so much later."""
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    monkeypatch.setattr(plan, "utc_now", lambda: moment)


def settled(lab: Lab) -> list[tuple[str, str]]:
    return [(row["found"], row["then"]) for row in lab.plan()["settled"]]


def test_a_creation_that_arrived_is_taken_as_created(lab: Lab) -> None:
    lab.sessions("{name: a, description: One., tags: [x]}", "{name: b}")
    break_off(lab, "POST", arrives=True)
    reads = lab.run("plan")
    assert "broke off: 0 done, 1 sent without an answer, 1 not started." in reads.err
    assert "session/a    on the server, as sent    taken as created" in reads.out
    assert not (lab.root / ".stemctl" / "sandbox.state.json").exists()  # looking writes nothing
    applied = lab.run("apply", "--auto-approve")
    assert applied.code == 0, applied.said
    assert "Taking over from run" in applied.err
    assert "without an answer: 1 create" in applied.err
    assert [s.body["name"] for s in lab.writes] == ["b"]
    assert lab.state["records"]["session/a"]["applied"]["description"] == "One."
    assert "doubts" not in lab.state["records"]["session/a"]
    assert lab.run("plan", "--detailed-exitcode").code == 0


def test_a_creation_that_did_not_arrive_is_planned_anew_at_once(lab: Lab) -> None:
    lab.sessions("{name: a}")
    break_off(lab, "POST", arrives=False)
    assert settled(lab) == [("not on the server", "in the plan again")]
    lab.apply()
    assert [s.method for s in lab.writes] == ["POST"]
    assert settled(lab) == []


def test_a_creation_that_arrived_before_its_file_was_edited_is_an_edit(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}")
    break_off(lab, "POST", arrives=True)
    lab.sessions("{name: a, description: Two.}")
    lab.apply()
    assert [(s.method, s.body) for s in lab.writes] == [("PATCH", {"description": "Two."})]


def test_a_creation_that_arrived_under_a_name_that_the_file_gave_up_is_renamed(lab: Lab) -> None:
    lab.sessions("{key: k, name: a}")
    break_off(lab, "POST", arrives=True)
    lab.sessions("{key: k, name: b}")
    lab.apply()
    assert [(s.method, s.body) for s in lab.writes] == [("PATCH", {"name": "b"})]


def test_a_creation_whose_name_somebody_took_is_stopped_until_it_is_decided(lab: Lab) -> None:
    lab.sessions("{name: a, description: Ours.}", "{name: other}")
    break_off(lab, "POST", arrives=False)
    project = lab.live("project", "Theta Maze Study")["id"]
    theirs = {"name": "a", "description": "Theirs.", "projects": [project], "tags": []}
    id_ = lab.api("POST", "stem/session/", theirs)["session"]["id"]
    assert settled(lab) == [("on the server, but different", "stopped")]
    result = lab.run("apply", "--auto-approve", "--allow", "replace", "--allow", "revert")
    assert result.code == 3
    assert [s.body["name"] for s in lab.writes] == ["other"]
    assert f"stemctl import session/a {id_}" in lab.run("plan").out
    assert lab.live("session", "a")["description"] == "Theirs."

    # another name: the record of the other one is left alone
    lab.sessions("{key: a, name: a2, description: Ours.}", "{name: other}")
    assert lab.run("apply", "--auto-approve").code == 0
    assert [s.body["name"] for s in lab.writes] == ["a2"]
    assert lab.live("session", "a")["description"] == "Theirs."


def test_a_record_that_has_more_than_was_sent_may_be_somebody_elses(lab: Lab) -> None:
    lab.sessions("{name: a, tags: [x]}")
    break_off(lab, "POST", arrives=False)
    project = lab.live("project", "Theta Maze Study")["id"]
    theirs = {"name": "a", "description": "Theirs.", "projects": [project], "tags": ["x"]}
    lab.api("POST", "stem/session/", theirs)
    assert settled(lab) == [("on the server, but different", "stopped")]
    assert lab.run("apply", "--auto-approve").code == 3
    assert "id" not in {k for k, v in lab.state["records"]["session/a"].items() if v}


@pytest.mark.parametrize("how", ["resolve", "import"])
def test_who_knows_that_it_is_theirs_says_so(lab: Lab, how: str) -> None:
    lab.sessions("{name: a, description: Ours., tags: [mine]}")
    break_off(lab, "POST", arrives=False)
    project = lab.live("project", "Theta Maze Study")["id"]
    theirs = {"name": "a", "description": "Theirs.", "projects": [project], "tags": ["theirs"]}
    id_ = lab.api("POST", "stem/session/", theirs)["session"]["id"]
    words = ["resolve", "session/a"] if how == "resolve" else ["import", "session/a", id_]
    assert lab.run(*words).code == 0
    assert settled(lab) == []
    lab.apply("--allow", "replace")
    (patch,) = lab.writes
    assert patch.body == {"description": "Ours.", "tags": ["theirs", "mine"]}
    assert lab.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("arrives", [True, False])
def test_an_update_is_settled_by_reading(lab: Lab, arrives: bool) -> None:
    lab.sessions("{name: a, description: One., tags: [x]}")
    lab.apply()
    lab.sessions("{name: a, description: Two., tags: [x, y]}")
    break_off(lab, "PATCH", arrives)
    words = (
        ("on the server, as sent", "taken as updated")
        if arrives
        else ("not as sent", "in the plan again")
    )
    assert settled(lab) == [words]
    lab.apply()
    assert len(lab.writes) == (0 if arrives else 1)
    assert lab.live("session", "a")["description"] == "Two."
    assert lab.run("plan", "--detailed-exitcode").code == 0
    assert settled(lab) == []


def test_an_update_that_arrived_is_the_base_of_the_next_edit(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}")
    break_off(lab, "PATCH", arrives=True)
    lab.sessions("{name: a, description: Three.}")
    lab.apply()
    assert [s.body for s in lab.writes] == [{"description": "Three."}]


def test_an_update_on_top_of_which_somebody_wrote_is_a_conflict(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}")
    break_off(lab, "PATCH", arrives=True)
    lab.edit("session", "a", description="Theirs.")
    assert settled(lab) == [("on the server, but different", "stopped")]
    assert lab.run("apply", "--auto-approve").code == 3
    assert lab.writes == []
    assert lab.live("session", "a")["description"] == "Theirs."


@pytest.mark.parametrize("arrives", [True, False])
def test_a_deletion_is_settled_by_reading(lab: Lab, arrives: bool) -> None:
    lab.sessions("{name: a}", "{name: b, description: B.}")
    lab.apply()
    lab.sessions("{name: a}")
    break_off(lab, "DELETE", arrives, "--allow", "delete")
    words = ("gone", "taken as deleted") if arrives else ("still on the server", "held: delete")
    assert settled(lab) == [words]
    lab.apply("--allow", "delete")
    assert len(lab.writes) == (0 if arrives else 1)
    assert list(lab.state["records"]) == ["session/a"]


def test_what_we_deleted_ourselves_is_created_without_a_permission(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b, description: B.}")
    lab.apply()
    lab.sessions("{name: a}")
    break_off(lab, "DELETE", True, "--allow", "delete")
    lab.sessions("{name: a}", "{name: b, description: B.}")
    lab.apply()
    assert [(s.method, s.body["name"]) for s in lab.writes] == [("POST", "b")]


def test_a_creation_that_left_the_files_before_it_was_known_is_a_delete(lab: Lab) -> None:
    lab.sessions("{name: a, description: A.}", "{name: b}")
    break_off(lab, "POST", arrives=True)
    lab.sessions("{name: b}")
    plan = {c["address"]: (c["action"], c["held"]) for c in lab.plan()["changes"]}
    assert plan["session/a"] == ("delete", "delete")
    lab.apply("--allow", "delete")
    assert sorted(s.method for s in lab.writes) == ["DELETE", "POST"]


# proposals: a second one would not be refused


def test_a_proposal_that_arrived_is_taken_as_proposed(lab: Lab) -> None:
    lab.write("records/s.yaml", PUFF)
    break_off(lab, "POST", arrives=True)
    ((found, then),) = settled(lab)
    assert (found.startswith("approval "), then) == (True, "taken as proposed")
    lab.apply()
    assert lab.writes == []
    assert (
        lab.state["records"]["sensorystimulustype/Air puff"]["approval"]["sent"]["description"]
        == "Brief puff"
    )


def test_a_proposal_that_may_still_arrive_waits_a_minute(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write("records/s.yaml", PUFF)
    break_off(lab, "POST", arrives=False)
    later(monkeypatch, 50)
    early = lab.run("apply", "--auto-approve")
    assert early.code == 3
    assert lab.writes == []
    assert "1 unknown" in early.out
    assert "the answer was lost; a plan after" in early.out
    later(monkeypatch, 61)
    lab.apply()
    assert [s.method for s in lab.writes] == ["POST"]


def test_a_proposed_change_that_may_still_arrive_waits_a_minute(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write(
        "records/s.yaml",
        "sensory_stimulus_types:\n  - {name: Auditory, description: Auditory cue}\n",
    )
    lab.apply()
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Auditory, description: A sound}\n"
    )
    break_off(lab, "PATCH", arrives=False)
    assert lab.run("apply", "--auto-approve").code == 3
    assert lab.writes == []
    later(monkeypatch, 61)
    lab.apply()
    assert [s.method for s in lab.writes] == ["PATCH"]


# journals


def journal(lab: Lab) -> list[Any]:
    text = (lab.root / ".stemctl" / "sandbox.journal").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_the_intent_is_on_the_disk_before_the_request(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.sessions("{name: a}")
    seen: list[Any] = []
    synced: list[int] = []
    fsync = os.fsync

    def sync(handle: int) -> None:
        synced.append(os.fstat(handle).st_size)
        fsync(handle)

    def look(request: httpx.Request) -> None:
        if request.method == "POST":
            seen.extend(journal(lab))
            assert synced[-1] == (lab.root / ".stemctl" / "sandbox.journal").stat().st_size

    monkeypatch.setattr("os.fsync", sync)
    lab.intercept = look
    lab.apply()
    assert [next(iter(line)) for line in seen] == ["format", "plan", "intent"]
    assert seen[2]["body"] == lab.writes[0].body
    assert not (lab.root / ".stemctl" / "sandbox.journal").exists()


def test_a_line_that_was_not_written_to_its_end_counts_for_nothing(lab: Lab) -> None:
    lab.sessions("{name: a}")
    break_off(lab, "POST", arrives=False)
    path = lab.root / ".stemctl" / "sandbox.journal"
    with path.open("a") as file:
        file.write('{"intent":"session/zzz","at":')
    assert settled(lab) == [("not on the server", "in the plan again")]
    lab.apply()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda text: text.replace('"intent"', "intent"),
            "sandbox.journal:3 is not a line of a journal",
        ),
        (
            lambda text: text.replace('"method":"POST","path"', '"method":"PATCH","path"'),
            "sandbox.journal:",
        ),
        (
            lambda text: text.replace('{"format":1', '{"format":9', 1),
            "has format 9, this stemctl reads up to 3",
        ),
        (lambda text: text.replace('"run":"', '"run":"../', 1), "is not a line of a journal"),
        (lambda text: "", "is not a line of a journal"),
    ],
)
def test_a_damaged_journal_stops_everything(
    lab: Lab, damage: Callable[[str], str], words: str
) -> None:
    lab.sessions("{name: a}")
    break_off(lab, "POST", arrives=False)
    path = lab.root / ".stemctl" / "sandbox.journal"
    sound = path.read_text()
    path.write_text(damage(sound))
    assert path.read_text() != sound
    for command in (["plan"], ["apply", "-y"], ["state", "list"]):
        result = lab.run(*command)
        assert result.code == 1, result.said
        assert words in result.err
        assert lab.requests == []


@pytest.mark.parametrize("state", ["written", "lost since"])
def test_a_run_is_folded_once_however_often_it_dies_at_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    lab.sessions("{name: a}", "{name: b}")
    replace = os.replace

    def die(source: Path, target: Path) -> None:
        if str(target).endswith(".jsonl"):
            raise Gone
        replace(source, target)

    monkeypatch.setattr("os.replace", die)
    with pytest.raises(Gone):
        lab.apply()
    with pytest.raises(Gone):
        lab.run("state", "rm", "session/b")
    monkeypatch.setattr("os.replace", replace)
    assert lab.state["serial"] == 1
    if state == "lost since":
        (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    assert lab.plan()["summary"]["unchanged"] == 2
    lab.apply()
    assert lab.writes == []
    assert list(lab.state["records"]) == ["session/a", "session/b"]


def test_a_kept_plan_of_a_run_that_broke_off_is_not_applied_again(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    assert lab.run("plan", "--out", "plan.json").code == 0

    def die(request: httpx.Request) -> None:
        if request.method == "POST":
            raise Gone

    lab.intercept = die
    with pytest.raises(Gone):
        lab.run("apply", "plan.json")
    lab.intercept = lambda request: None
    again = lab.run("apply", "plan.json")
    assert again.code == 1
    assert (
        "made at serial 0 of the state, which is at 1" in again.err
        or "with another state" in again.err
    )
    assert lab.writes == []


def test_a_plan_kept_while_a_journal_lies_there_can_be_applied(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    break_off(lab, "POST", arrives=True)
    assert lab.run("plan", "--out", "plan.json").code == 0
    result = lab.run("apply", "plan.json")
    assert result.code == 0, result.said
    assert [s.body["name"] for s in lab.writes] == ["b"]


def test_every_command_that_reads_takes_the_journal_into_account(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")

    def die(request: httpx.Request) -> None:
        if request.method == "POST" and b'"b"' in request.content:
            raise Gone

    lab.intercept = die
    with pytest.raises(Gone):
        lab.run("apply", "--auto-approve", "--parallelism", "1")
    lab.intercept = lambda request: None
    listed: Result = lab.run("state", "list")
    assert lab.live("session", "a")["id"] in listed.out
    assert "sent at" in listed.out
    assert "broke off" in listed.err
    assert "broke off" in lab.run("drift").err
    assert "1 applied, 1 without an answer, broke off" in lab.run("runs", "list").out
    assert lab.run("show", "session/a").code == 0


def test_every_form_of_a_plan_tells_what_was_found(lab: Lab) -> None:
    lab.sessions("{name: '<b>'}")
    break_off(lab, "POST", arrives=True)
    markdown = lab.run("plan", "-o", "markdown").out
    assert re.search(
        "```+\nsession/<b> +on the server, as sent +taken as created\n```+\n", markdown
    )
    assert (
        "session/&lt;b&gt;: on the server, as sent, taken as created"
        in lab.run("plan", "-o", "html").out
    )
    assert lab.plan()["settled"][0]["address"] == "session/<b>"


def test_an_answer_about_another_record_is_not_taken(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}")

    def other(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "PATCH":
            return response
        body = response.json()
        return httpx.Response(
            200, json={"session": {**body["session"], "id": "11111111-1111-1111-1111-111111111111"}}
        )

    lab.after = other
    lab.apply()  # looked at again, and found there
    assert len(lab.writes) == 1
    assert lab.state["records"]["session/a"]["id"] == lab.live("session", "a")["id"]


# what ends a run, and what a state may be


def test_a_token_that_is_not_accepted_any_more_ends_the_run(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{i}}}" for i in range(30)))
    refused: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST" or len(lab.writes) <= 5:
            return None
        refused.append(request)
        return httpx.Response(401, json={"detail": "Token expired."})

    lab.intercept = refuse
    result = lab.run("apply", "--auto-approve", "--parallelism", "2")
    assert result.code == 3
    assert len(refused) <= 2
    assert "5 created" in result.out
    assert re.search(r"\n2\d* changes not started\.", result.out)
    assert "does not accept the token" in result.out
    assert "stemctl login" in result.out
    lab.intercept = lambda request: None
    lab.apply()
    assert len(lab.writes) == 25


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda text: "{\n<<<<<<< HEAD\n" + text,
            "sandbox.state.json:2 is not a state file",
        ),
        (lambda text: text[: len(text) // 2], "is not a state file"),
        (lambda text: text.replace('"session/a"', '"session/b"'), "does not match its checksum"),
        (
            lambda text: text.replace('"format": 1', '"format": 4'),
            "has format 4, this stemctl reads up to 3",
        ),
        (lambda text: "\ufffd".encode()[:2].decode("latin-1"), "is not a state file"),
        (lambda text: "", "is not a state file"),
        (lambda text: "[" * 100000, "is not a state file"),
    ],
)
def test_a_state_that_cannot_be_read_is_named_with_the_way_out(
    lab: Lab, damage: Callable[[str], str], words: str
) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    path = lab.root / ".stemctl" / "sandbox.state.json"
    sound = path.read_text()
    path.write_text(damage(sound))
    assert path.read_text() != sound
    for command in (
        ["plan"],
        ["apply", "-y"],
        ["drift"],
        ["state", "list"],
        ["state", "rm", "session/a"],
    ):
        result = lab.run(*command)
        assert result.code == 1, result.said
        assert words in result.err
        assert "Nothing was" in result.err
        assert "rm .stemctl/sandbox.state.json" in result.err or "pip install" in result.err
        assert lab.writes == []


def test_a_part_of_a_plan_tells_of_its_own_doubts_alone(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    break_off(lab, "POST", arrives=False)
    assert lab.plan("session/b")["settled"] == []
    assert len(lab.plan("session/a")["settled"]) == 1
    lab.apply("session/b")
    assert [s.body["name"] for s in lab.writes] == ["b"]
    assert lab.state["records"]["session/a"]["doubts"][0]["body"]["name"] == "a"


def test_of_two_creations_without_an_answer_either_may_arrive(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}")
    break_off(lab, "POST", arrives=False)
    lab.sessions("{name: a, description: Two.}")
    break_off(lab, "POST", arrives=False)
    project = lab.live("project", "Theta Maze Study")["id"]
    lab.api(
        "POST",
        "stem/session/",
        {"name": "a", "description": "One.", "projects": [project], "tags": []},
    )
    lab.apply()
    assert [(s.method, s.body) for s in lab.writes] == [("PATCH", {"description": "Two."})]


def test_among_many_records_the_name_that_was_sent_is_looked_up(lab: Lab) -> None:
    with lab.database() as database:
        database.seed(
            {
                "sessions": [
                    {"name": f"s{i:03}", "projects": ["Theta Maze Study"]} for i in range(700)
                ]
            }
        )
    lab.sessions("{key: k, name: zz}")
    break_off(lab, "POST", arrives=True)
    lab.sessions("{key: k, name: zzz}")
    lab.apply()
    assert sum(s.path == "stem/session/" for s in lab.requests) < 7  # it was not listed
    assert [(s.method, s.body) for s in lab.writes] == [("PATCH", {"name": "zzz"})]


def test_a_sandbox_can_be_thrown_away_whatever_is_in_its_journal(lab: Lab) -> None:
    lab.sessions("{name: a}")
    break_off(lab, "POST", arrives=False)
    (lab.root / ".stemctl" / "sandbox.journal").write_text("nonsense\n")
    assert lab.run("plan").code == 1
    assert lab.run("sandbox", "reset").code == 0
    assert [
        path.name for path in (lab.root / ".stemctl").rglob("*") if "journal" in path.name
    ] == []
    lab.apply()


def test_a_change_that_the_files_took_back_is_forgotten_once_it_is_seen_not_to_have_arrived(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.sessions("{name: a, description: One.}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}")
    break_off(lab, "PATCH", arrives=False)
    lab.sessions("{name: a, description: One.}")  # as it was applied, and as the server has it
    later(monkeypatch, 120)
    plan = lab.plan()
    assert [row["found"] for row in plan["settled"]] == ["not as sent"]
    assert [row["address"] for row in plan["bookkeeping"]] == ["session/a"]
    lab.apply()
    assert "doubts" not in lab.state["records"]["session/a"]
