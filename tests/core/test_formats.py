"""What an older stemctl has written is read, and what needs nothing new is written as it was."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stemctl import __version__
from stemctl.core.formats import NEWEST
from stemctl.core.plan import Action, Request
from stemctl.core.plan_codec import plan_document, plan_lines
from stemctl.core.run import (
    Run,
    end_line,
    first_lines,
    intent_line,
    outcome_line,
    read_brief,
    read_run,
)
from stemctl.core.saved_plan import BadPlan, open_plan, plan_in
from stemctl.core.state import State, Uncommitted
from stemctl.core.state_codec import from_json, shards_of, to_json, to_shards
from stemctl.errors import StateError
from stemctl.planning.reducer import reduce
from tests.support.lab import Lab
from tests.support.paths import TESTS

OLD = TESTS / "formats" / "1"


def text(name: str) -> str:
    """A file that stemctl 0.1.0 wrote, as this version would name itself in it."""
    return (
        (OLD / name)
        .read_text(encoding="utf-8")
        .replace('"stemctl":"0.1.0"', f'"stemctl":"{__version__}"')
    )


def state() -> State:
    return from_json(text("state.json"), "state.json")


def test_a_state_of_the_first_format_is_read_and_written_to_the_byte() -> None:
    assert (state().uncommitted, state().folder) == (None, None)
    assert "".join(to_json(state())) == text("state.json")


@pytest.mark.parametrize(
    "later",
    [
        {"folder": ""},
        {"folder": "labs/mäusé"},
        {"uncommitted": Uncommitted("2024-03-22T14:03:11Z", "ann@lab", ("records/a.yaml",))},
    ],
)
def test_a_state_that_needs_a_later_key_has_a_later_format(later: dict[str, Any]) -> None:
    fresh = replace(state(), **later)
    written = "".join(to_json(fresh))
    assert json.loads(written)["format"] == 2
    assert from_json(written, "state.json") == fresh
    head, shards = to_shards(fresh)
    assert from_json(head, "state.json", [shards[name] for name in shards_of(head)]) == fresh


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("folder", "/etc"),
        ("folder", "../other"),
        ("folder", 1),
        ("uncommitted", []),
        ("uncommitted", {"run": "r", "who": "w", "files": []}),
        ("uncommitted", {"run": "r", "who": "w", "files": "ab"}),
        ("uncommitted", {"run": "r", "who": None, "files": ["a"]}),
    ],
)
def test_a_later_key_of_another_shape_is_damage(key: str, value: object) -> None:
    from stemctl.util.canonical_json import hash_of

    body = {**json.loads(text("state.json")), "format": 2, key: value}
    del body["checksum"]
    damaged = json.dumps({**body, "checksum": hash_of(body)})
    with pytest.raises(StateError, match="is not a state file"):
        from_json(damaged, "state.json")


def test_the_record_of_a_run_and_a_journal_of_the_first_format_are_read() -> None:
    for name in ("run.jsonl", "journal.jsonl"):
        content = text(name)
        run = read_run(content.encode(), name)
        assert (run.folder, run.plan.uncommitted) == (None, ())
        written = "".join(first_lines(run))
        written += "".join(
            intent_line(address, intent)
            + (outcome_line(run.outcomes[address]) if address in run.outcomes else "")
            for address, intent in run.intents.items()
        )
        written += end_line(run) if run.ended else ""
        assert sorted(map(len, written.splitlines())) == sorted(map(len, content.splitlines()))
        assert written.splitlines()[0] == content.splitlines()[0]
    known = read_run(text("journal.jsonl").encode(), "journal.jsonl")
    assert len(known.unanswered()) == 1
    assert len(reduce(state(), known).records) == 2
    lines = text("run.jsonl").encode().splitlines()
    brief = read_brief(lines[0], lines[-1])
    assert brief is not None
    assert brief.uncommitted == ()


def test_a_kept_plan_of_the_first_format_is_read_and_shown(lab: Lab) -> None:
    document = plan_in(text("plan.json"))
    assert document is not None
    plan = open_plan(document, "plan.json")
    assert plan.uncommitted == ()
    made = re.sub("sha256:[0-9a-f]{64}", "", "".join(plan_lines(plan)))
    assert made == re.sub("sha256:[0-9a-f]{64}", "", text("plan.json"))
    lab.write("plan.json", (OLD / "plan.json").read_text(encoding="utf-8"))
    assert "1 to update" in lab.run("show", "plan.json").out


def test_a_plan_that_needs_a_later_key_has_a_later_format() -> None:
    document = plan_in(text("plan.json"))
    assert document is not None
    plan = replace(open_plan(document, "plan.json"), uncommitted=("records/a.yaml",))
    written = plan_document(plan)
    assert written["format"] == 2
    assert open_plan(written, "plan.json") == plan
    newer = NEWEST + 1
    with pytest.raises(BadPlan, match=f"has format {newer}, this stemctl reads up to {NEWEST}"):
        open_plan({**written, "format": newer}, "plan.json")


def test_a_plan_with_further_requests_has_a_later_format_and_another_digest() -> None:
    document = plan_in(text("plan.json"))
    assert document is not None
    plan = open_plan(document, "plan.json")
    create = replace(
        plan.changes[0],
        action=Action.CREATE,
        id=None,
        request=Request("POST", "stem/session/", {"name": "a"}),
        then=(Request("PATCH", "stem/session/{session/a}/", {"tags": ["b"]}),),
    )
    longer = replace(plan, changes=(create,))
    shorter = replace(plan, changes=(replace(create, then=()),))
    written = json.loads(json.dumps(plan_document(longer)))
    assert written["format"] == 3
    assert written["changes"][0]["then"] == [
        {"method": "PATCH", "path": "stem/session/{session/a}/", "body": {"tags": ["b"]}}
    ]
    assert json.loads("".join(plan_lines(longer))) == written
    assert open_plan(written, "plan.json") == longer
    assert plan_document(shorter)["format"] == 1
    assert "then" not in plan_document(shorter)["changes"][0]
    assert longer.digest != shorter.digest
    head = json.loads(next(first_lines(Run("r", "who", longer, "lineage"))))
    assert head["format"] == 3


# Repositories that stemctl 0.1.0 (commit 2a5aea0) worked in, as its commands left them. Only the
# command line is used here, so that these tests hold whatever becomes of the modules.

PROJECT = "{id: 11111111-1111-4111-8111-111111111111, name: Theta Maze Study}"
IDS = {
    "rat1": "59e5496d-7fd6-41c9-b759-531fb927c29f",
    "rat2": "51118d7c-7aee-46f5-80b7-1398b7984488",
    "rat3": "2f041599-347a-4a56-9d68-2d907455282c",
}
APPROVAL = {
    "id": "c3c469f8-75d5-42af-9fe7-bb08e08fedb5",
    "sent": {"name": "Air puff", "description": "Brief puff of air"},
}
FIRST, SECOND, KILLED = "2024-03-20T09:00:00Z", "2024-03-21T09:00:00Z", "2024-03-22T09:05:00Z"


def git(folder: Path, *words: str, given: bytes | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], input=given, capture_output=True, check=True
    )
    return done.stdout.decode()


def on_branch(lab: Lab, name: str) -> str:
    """A file of the state branch."""
    return git(lab.root.parent / f"{lab.root.name}.git", "show", f"stemctl-state:{name}")


def live(lab: Lab, description: str) -> None:
    """What the server held when the third run was killed."""
    rat1 = f"id: {IDS['rat1']}, name: rat1, description: {description}, tags: [maze, theirs]"
    sessions = [
        f"  - {{{rat1}, date_time: 2024-03-12T08:00:00Z, projects: [Theta Maze Study]}}\n",
        f"  - {{id: {IDS['rat2']}, name: rat2, description: kept, projects: [Theta Maze Study]}}\n",
        f"  - {{id: {IDS['rat3']}, name: rat3, projects: [Theta Maze Study]}}\n",
    ]
    lab.write(".stemctl/live.yaml", f"projects:\n  - {PROJECT}\nsessions:\n{''.join(sessions)}")
    assert lab.run("sandbox", "seed", str(lab.root / ".stemctl" / "live.yaml")).code == 0


@pytest.fixture
def old(lab: Lab) -> Lab:
    """A clone of a repository with its state on a branch, where 0.1.0 was killed in its third run.

    The first run created three sessions and proposed a stimulus type. Before the second, a
    colleague added a tag to rat1; it changed the description and renamed the key of rat3. The third
    was to change the description again and to create rat4, and was killed before it had an answer
    to either; its claim is on the branch.
    """
    remote = lab.root.parent / f"{lab.root.name}.git"
    git(lab.root.parent, "init", "-q", "--bare", "--initial-branch=main", str(remote))
    git(
        remote,
        "fast-import",
        "--quiet",
        given=(OLD / "branch" / "repository.fast-export").read_bytes(),
    )
    git(lab.root, "init", "-q", "--initial-branch=main")
    git(lab.root, "remote", "add", "origin", str(remote))
    git(lab.root, "fetch", "-q", "origin")
    git(lab.root, "checkout", "-q", "--force", "-B", "main", "origin/main")
    return lab


def brief(plan: Any) -> list[tuple[Any, ...]]:
    return [
        (c["address"], c["action"], c["reason"], c["held"], c["doubt"]) for c in plan["changes"]
    ]


def test_a_state_branch_with_a_dangling_claim_is_planned_from(old: Lab) -> None:
    live(old, "third")
    plan = old.plan()
    assert plan["format"] == 1
    assert plan["state"] == {
        "lineage": "f0b622dd-a08f-49c1-951c-f9b4c2aec440",
        "serial": 3,
    }  # 2, and the run that is settled
    assert brief(plan) == [
        ("sensorystimulustype/Air puff", "create", "new", "pending", None),
        ("session/rat4", "create", "new", None, None),
    ]
    assert plan["changes"][0]["detail"] == ["approval c3c469f8, which this account cannot read"]
    assert [row["address"] for row in plan["settled"]] == ["session/rat1", "session/rat4"]
    assert plan["unchanged"] == 3
    assert "lab.claim.json" in git(old.root, "ls-tree", "--name-only", "origin/stemctl-state")


def test_a_claim_is_settled_and_the_state_branch_goes_on(old: Lab) -> None:
    live(old, "third")
    sent = old.apply("--parallelism", "1")
    assert [(s.method, s.body["name"]) for s in old.writes] == [("POST", "rat4")], sent.said
    body = json.loads(on_branch(old, "lab.state.json"))
    assert list(body)[:4] == ["format", "lineage", "serial", "run"]
    assert (body["format"], body["folder"]) == (
        2,
        "",
    )  # whose state it is is written since format 2
    assert body["lineage"] == "f0b622dd-a08f-49c1-951c-f9b4c2aec440"
    assert body["serial"] == 4  # one for the run that was killed, one for this
    records = body["records"]
    assert {address: record["id"] for address, record in records.items()} == {
        "sensorystimulustype/Air puff": None,
        **{f"session/{name}": id_ for name, id_ in IDS.items()},
        "session/rat4": old.live("session", "rat4")["id"],
    }
    assert records["sensorystimulustype/Air puff"]["approval"] == APPROVAL
    assert records["session/rat1"]["applied"]["description"] == "third"
    assert records["session/rat1"]["applied"]["tags"] == ["maze"]
    assert records["session/rat1"]["observed"] == {"tags": ["maze", "theirs"]}
    assert (records["session/rat1"]["run"], records["session/rat2"]["run"]) == (body["run"], FIRST)
    assert records["session/rat2"]["prevent_delete"] is True
    remote = old.root.parent / f"{old.root.name}.git"
    files = git(remote, "ls-tree", "--name-only", "stemctl-state").split()
    assert files == ["README.md", "lab.run.jsonl", "lab.state.json"]
    runs = old.run("runs", "list", "-o", "json").json
    assert [run["run"] for run in runs][1:] == [KILLED, SECOND, FIRST]
    plan = old.plan()
    assert {c["held"] for c in plan["changes"]} == {"pending"}
    assert plan["settled"] == []


def test_requests_of_a_claim_that_never_arrived_are_sent(old: Lab) -> None:
    live(old, "second")
    old.apply("--parallelism", "1")
    assert [(s.method, s.body.get("description"), s.body.get("name")) for s in old.writes] == [
        ("PATCH", "third", None),
        ("POST", None, "rat4"),
    ]


def test_what_a_claim_may_have_sent_and_others_have_changed_is_a_conflict(old: Lab) -> None:
    live(old, "theirs")
    plan = old.plan()
    rat1 = next(c for c in plan["changes"] if c["address"] == "session/rat1")
    assert (rat1["held"], rat1["reason"], rat1["request"]) == ("conflict", "conflict", None)
    (field,) = rat1["fields"]
    assert (field["base"], field["files"], field["server"]) == ("second", "third", "theirs")


def test_the_runs_of_a_state_branch_are_shown(old: Lab) -> None:
    found = old.run("runs", "list", "-o", "json").json
    assert [(run["run"], run["who"]) for run in found] == [
        (r, "ann@lab") for r in (KILLED, SECOND, FIRST)
    ]
    assert [run["numbers"] for run in found] == [
        {"claimed": 2},
        {"applied": 1},
        {"proposed": 1, "applied": 3},
    ]
    assert found[0]["ended"] is None
    assert all(run["ended"].startswith(run["run"][:16]) for run in found[1:])
    shown = old.run("runs", "show", FIRST, "-o", "json").json
    assert {o["address"]: o["status"] for o in shown["outcomes"]} == {
        "sensorystimulustype/Air puff": "proposed",
        "session/rat1": "applied",
        "session/rat2": "applied",
        "session/third": "applied",
    }
    before = old.run("runs", "show", SECOND, "-o", "yaml").out
    assert "description: first" in before
    assert old.run("state", "show", "session/rat1").json["observed"] == {"tags": ["maze", "theirs"]}


def test_in_the_folder_of_a_killed_run_its_journal_is_settled(old: Lab) -> None:
    live(old, "third")
    shutil.copy(OLD / "branch" / "journal.jsonl", old.root / ".stemctl" / "lab.journal")
    plan = old.plan()
    assert [row["address"] for row in plan["settled"]] == ["session/rat1", "session/rat4"]
    old.apply("--parallelism", "1")
    assert [(s.method, s.body["name"]) for s in old.writes] == [("POST", "rat4")]
    assert not (old.root / ".stemctl" / "lab.journal").exists()
    killed = old.run("runs", "show", KILLED, "-o", "json").json
    assert (killed["outcomes"], killed["unanswered"]) == ([], ["session/rat1", "session/rat4"])
    assert killed["before"]["session/rat1"]["description"] == "second"


def test_a_plan_kept_for_a_state_branch_is_shown_and_applied(old: Lab) -> None:
    git(
        old.root.parent / f"{old.root.name}.git",
        "update-ref",
        "refs/heads/stemctl-state",
        "stemctl-state^",
    )
    live(old, "second")
    kept = str(OLD / "branch" / "plan.json")
    assert old.run("show", kept, "-o", "json").json == json.loads(
        Path(kept).read_text(encoding="utf-8")
    )
    report = old.run("apply", kept, "-o", "json", "--parallelism", "1")
    assert report.code == 0, report.said
    assert {o["address"]: o["status"] for o in report.json["outcomes"]} == {
        "sensorystimulustype/Air puff": "held",
        "session/rat1": "applied",
        "session/rat4": "applied",
    }
    assert [(s.method, s.body) for s in old.writes] == [
        ("PATCH", {"description": "third"}),
        ("POST", {"name": "rat4", "projects": [PROJECT[5:41]], "tags": ["new"]}),
    ]
    assert old.run("apply", kept).code == 1  # once applied, it is for another state
    assert old.writes == []


@pytest.fixture
def filed(lab: Lab) -> Lab:
    """A folder with the state file of 0.1.0 and the record of its run; the server is as that run
    left it.
    """
    lab.write(".stemctl/sandbox.state.json", (OLD / "state.json").read_text(encoding="utf-8"))
    lab.write(
        ".stemctl/runs/sandbox/2026-11-25T215425Z.jsonl",
        (OLD / "run.jsonl").read_text(encoding="utf-8"),
    )
    lab.write(
        "seed.yaml",
        """\
        projects: [{id: be35fdb3-9784-4ac3-afb0-1c2df1b4930f, name: Theta Maze Study}]
        sessions:
          - {id: 06d3e514-c8ca-420f-95fb-ca1fae613296, name: rat1, description: first, tags: [maze],
             date_time: 2024-03-12T09:00:00Z, projects: [Theta Maze Study]}
          - {id: 47999403-e50e-429a-8672-cc988b10f04d, name: rat2, date_time: 2024-03-12T08:00:00Z,
             projects: [Theta Maze Study]}
        """,
    )
    lab.sessions(
        "{name: rat1, date_time: 2024-03-12T09:00:00Z, description: second, tags: [maze]}",
        "{name: rat2, date_time: 2024-03-12T09:00:00+01:00, lifecycle: {prevent_delete: true}}",
    )
    git(lab.root, "init", "-q")
    lab.write(".gitignore", ".stemctl/\n")
    git(lab.root, "add", "-A")
    git(
        lab.root,
        "-c",
        "user.name=ann",
        "-c",
        "user.email=ann@lab.example",
        "commit",
        "-q",
        "-m",
        "As it was",
    )
    return lab


def test_a_plan_kept_for_a_state_file_is_shown_and_applied(filed: Lab) -> None:
    kept = str(OLD / "plan.json")
    assert filed.run("show", kept, "-o", "json").json == json.loads(
        Path(kept).read_text(encoding="utf-8")
    )
    assert filed.plan()["digest"] == json.loads(Path(kept).read_text(encoding="utf-8"))["digest"]
    report = filed.run("apply", kept, "-o", "json", "--allow-behind")
    assert report.code == 0, report.said
    assert [(o["address"], o["status"]) for o in report.json["outcomes"]] == [
        ("session/rat1", "applied")
    ]
    assert [(s.method, s.body) for s in filed.writes] == [("PATCH", {"description": "second"})]
    assert filed.state["serial"] == 2
    assert filed.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(("held_by_server", "sent"), [("first", ["PATCH"]), ("second", [])])
def test_a_journal_beside_a_state_file_is_settled(
    filed: Lab, held_by_server: str, sent: list[str]
) -> None:
    filed.write(".stemctl/sandbox.journal", (OLD / "journal.jsonl").read_text(encoding="utf-8"))
    if held_by_server == "second":
        filed.edit("session", "rat1", description="second")
    filed.apply("--allow-behind")  # the commits of that repository are not here
    assert [write.method for write in filed.writes] == sent
    runs = filed.run("runs", "list", "-o", "json").json
    assert [run["run"] for run in runs][-2:] == ["2026-11-25T21:54:27Z", "2026-11-25T21:54:25Z"]
    assert runs[-1]["numbers"] == {"applied": 2}
    assert runs[-1]["ended"] == "2026-11-25T21:54:25.171Z"
    shown = filed.run("runs", "show", "2026-11-25T21:54:25Z", "-o", "json").json
    assert [(o["address"], o["status"]) for o in shown["outcomes"]] == [
        ("session/rat1", "applied"),
        ("session/rat2", "applied"),
    ]
    assert filed.run("plan", "--detailed-exitcode").code == 0


def test_what_an_old_state_file_protects_is_not_deleted(filed: Lab) -> None:
    filed.sessions(
        "{name: rat1, date_time: 2024-03-12T09:00:00Z, description: first, tags: [maze]}"
    )
    assert brief(filed.plan("--allow", "delete")) == [
        ("session/rat2", "delete", "left_files", "protected", None)
    ]
