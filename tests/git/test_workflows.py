"""A team on one machine: what `ci init github` writes is run as it is written, against a real
remote and server.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.git.jobs import Forge, Ran
from tests.git.serving import http_forge
from tests.git.team import (
    ON_GITHUB,
    SOURCE,
    STATES,
    Member,
    Team,
    git,
    hostile_modules,
    on_the_server,
)
from tests.support.served import Gate

READ, WRITE = "sandbox-reader", "sandbox-user"
CHECK, APPLY, NIGHTLY = "stemctl-check.yml", "stemctl-apply.yml", "stemctl-nightly.yml"
PULL = "stemctl-pull.yml"


def session(name: str, text: str = "as written") -> str:
    return f"{{name: {name}, date_time: 2024-03-12T09:00:00Z, description: {text}}}"


both_forms = pytest.mark.parametrize("form", [[], ["--short"]], ids=["full", "short"])
"""Others run the full form: the scripts of both are the same, which test_published.py compares."""


@pytest.fixture
def form() -> list[str]:
    return []


@pytest.fixture
def forge(team: Team, tmp_path: Path, form: list[str]) -> Iterator[Forge]:
    """The forge, with the workflows on the main branch; strangers and pull requests see no token
    that writes.
    """
    founder = Member(team.folder / "founder", "founder")
    source = ON_GITHUB if form else SOURCE
    result = founder.run("ci", "init", "github", "--pull", *form, "--source", source)
    assert result.code == 0, result.said
    founder.publish("Workflows")
    secrets, environments = {"BRAINSTEM_READ_TOKEN": READ}, {"lab": {"BRAINSTEM_TOKEN": WRITE}}
    git(team.remote, "config", "http.receivepack", "true")
    with http_forge(team.folder) as web:
        yield Forge(team, web, tmp_path / "forge", secrets, environments, lease=4)


def well(ran: Ran) -> Ran:
    assert not ran.failed, ran.said
    return ran


def named(ran: Ran) -> list[str]:
    """The steps that both forms have."""
    return [step.name for step in ran.steps if step.name != "Choose the steps"]


def pull_request(forge: Forge, member: Member, number: int, head: str = "lab/metadata") -> Ran:
    """Push a member's branch, have the forge merge it for a look, and run the checks."""
    member.git("push", "-q", "-f", "origin", f"HEAD:refs/pull/{number}/head")
    merge = Member(forge.folder / f"merge-{number}-{len(list(forge.folder.iterdir()))}", "forge")
    git(forge.folder, "clone", "-q", str(forge.team.remote), str(merge.root))
    merge.git("fetch", "-q", "origin", f"refs/pull/{number}/head")
    who = ("-c", "user.name=forge", "-c", "user.email=f@x")
    merge.git(*who, "merge", "-q", "--no-ff", "-m", f"Merge {number}", "FETCH_HEAD")
    ref = f"refs/pull/{number}/merge"
    merge.git("push", "-q", "-f", "origin", f"HEAD:{ref}")
    return forge.run(CHECK, ref, {"number": number, "head": head})


def live(member: Member) -> dict[str, Any]:
    """All live sessions by name."""
    found = member.run("get", "session", "-o", "json").json
    return {record["name"]: record for record in found}


@pytest.mark.slow
@both_forms
def test_a_pull_request_is_checked_planned_and_told_of_in_one_comment(
    team: Team, forge: Forge
) -> None:
    ann = team.clone("ann")
    ann.sessions(session("rat1"), session("rat2"))
    ann.commit("Two sessions")
    ran = well(pull_request(forge, ann, 7))
    assert named(ran) == [
        "Install stemctl",
        "Check the files",
        "Check their layout",
        "Install stemctl",
        "Plan",
        "Write or renew the comment",
    ]
    assert ran.tokens == {"validate": set(), "plan": {"BRAINSTEM_READ_TOKEN"}, "comment": set()}
    (comment,) = forge.holds["comments"]
    assert "Apply would create 2 records" in comment["body"]
    assert "Not from changes since" not in comment["body"]
    assert comment["body"] in ran.summary + "\n"

    ann.sessions(session("rat1"))
    ann.commit("One is enough")
    well(pull_request(forge, ann, 7))
    (comment,) = forge.holds["comments"]  # renewed, not a second one
    assert "Apply would create 1 record" in comment["body"]


@pytest.mark.slow
def test_a_listing_of_comments_that_fails_makes_no_second_comment(team: Team, forge: Forge) -> None:
    ann = team.clone("ann")
    ann.sessions(session("rat1"), session("rat2"))
    ann.commit("Two sessions")
    well(pull_request(forge, ann, 7))
    forge.store.write_text(json.dumps({**forge.holds, "broken": True}), encoding="utf-8")
    ran = pull_request(forge, ann, 7)
    assert [step.name for step in ran.failed] == ["Write or renew the comment"]
    assert len(forge.holds["comments"]) == 1


@pytest.mark.slow
def test_nothing_of_a_pull_request_is_run(team: Team, forge: Forge, tmp_path: Path) -> None:
    ann = team.clone("ann")
    hostile_modules(ann, tmp_path / "ran")
    ann.commit("Modules")
    well(pull_request(forge, ann, 7))
    ann.git("push", "-q", "origin", "HEAD:main")
    well(forge.run(APPLY))
    well(forge.run(NIGHTLY))
    assert not (tmp_path / "ran").exists()


def test_a_pull_request_with_an_error_is_stopped_before_a_token_is_near(
    team: Team, forge: Forge
) -> None:
    ann = team.clone("ann")
    ann.sessions("{name: rat1, dat_time: 2024-03-12}")
    ann.commit("A slip")
    ran = pull_request(forge, ann, 8)
    assert [step.name for step in ran.failed] == ["Check the files"]
    assert "::error file=records/sessions.yaml,line=5" in ran.said
    assert ran.skipped == ["plan", "comment"]
    assert forge.holds["comments"] == []


@pytest.mark.slow
@both_forms
def test_a_strangers_pull_request_is_planned_without_any_token(
    team: Team, forge: Forge, gate: Gate
) -> None:
    well(forge.run(APPLY))
    stranger = team.clone("stranger")
    stranger.sessions(session("rat1", "edited"), session("theirs"))
    stranger.commit("From a fork")
    asked = len(gate.arrived)
    ran = well(pull_request(forge, stranger, 9, head="stranger/metadata"))
    assert ran.tokens == {"validate": set(), "plan": set()}
    assert ran.skipped == ["comment"]
    assert "Offline" in ran.summary
    assert "session/theirs" in ran.summary
    assert len(gate.arrived) == asked


@both_forms
def test_what_is_merged_is_planned_approved_and_applied_once(team: Team, forge: Forge) -> None:
    ran = well(forge.run(APPLY))
    assert ran.tokens == {"plan": {"BRAINSTEM_READ_TOKEN"}, "apply": {"BRAINSTEM_TOKEN"}}
    ann = team.clone("ann")
    assert list(live(ann)) == ["rat1"]
    assert team.story()[0] == "lab: 1 created [skip ci]"
    assert "Applied: 1 created" in ran.summary
    again = well(forge.run(APPLY))
    assert again.outputs["plan"]["changes"] == "0"
    assert again.skipped == ["apply"]  # nobody is asked to approve nothing


@pytest.mark.slow
def test_a_plan_that_changed_since_it_was_approved_is_refused(
    team: Team, forge: Forge, gate: Gate
) -> None:
    well(forge.run(APPLY))
    ann = team.clone("ann")
    ann.sessions(session("rat1", "edited"))
    ann.publish("Edited")
    sent = len(gate.arrived)
    ran = forge.run(
        APPLY, before={"apply": lambda: on_the_server(team, "rat1", description="theirs")}
    )
    assert [step.name for step in ran.failed] == ["Apply"]
    assert "The plan does not have the digest" in ran.said
    assert len(gate.arrived) == sent + 1  # the colleague's own edit


@pytest.mark.slow
def test_the_nightly_job_keeps_one_issue(team: Team, forge: Forge) -> None:
    ann = team.clone("ann")
    tagged = session("rat1").replace("}", ", tags: [maze]}")
    ann.sessions(tagged)
    ann.publish("A tag")
    well(forge.run(APPLY))
    assert well(forge.run(NIGHTLY)).outputs["compare"] == {"found": "no"}
    assert forge.holds["issues"] == []

    ann.sessions(tagged, session("rat2"))
    ann.publish("Merged, and its job was dropped")
    on_the_server(team, "rat1", tags=["maze", "seen"])
    ran = well(forge.run(NIGHTLY))
    assert ran.tokens == {"compare": {"BRAINSTEM_READ_TOKEN"}, "issue": set()}
    (issue,) = forge.holds["issues"]
    assert "session/rat2" in issue["body"]  # merged, and not applied
    assert "seen" in issue["body"]  # drift

    well(forge.run(NIGHTLY))
    assert len(forge.holds["issues"]) == 1
    well(forge.run(APPLY))
    well(forge.run(NIGHTLY))
    (issue,) = forge.holds["issues"]
    assert issue["state"] == "closed"
    assert issue["comments"] == [
        "Everything that is merged is applied, and the server is as it was left."
    ]


@pytest.mark.slow
def test_a_nightly_pull_keeps_one_pull_request(team: Team, forge: Forge) -> None:
    founder = Member(team.folder / "founder", "founder")
    well(forge.run(APPLY))
    ran = well(forge.run(PULL))
    assert ran.outputs["pull"] == {"found": "no"}
    assert forge.holds["requests"] == []

    on_the_server(team, "rat1", description="changed in the browser")
    ran = well(forge.run(PULL))
    assert ran.tokens == {"pull": {"BRAINSTEM_READ_TOKEN"}, "request": set()}
    (request,) = forge.holds["requests"]
    assert (request["head"], request["base"]) == ("stemctl-pull", "main")
    assert "session/rat1" in request["body"]
    first = git(team.remote, "rev-parse", "stemctl-pull")
    assert "changed in the browser" in git(team.remote, "show", f"{first}:records/sessions.yaml")
    assert git(team.remote, "diff", "--name-only", "main", first) == "records/sessions.yaml"

    well(forge.run(PULL))  # the same again
    assert git(team.remote, "rev-parse", "stemctl-pull") == first
    on_the_server(team, "rat1", description="changed once more")
    well(forge.run(PULL))
    assert len(forge.holds["requests"]) == 1
    told = git(team.remote, "show", "stemctl-pull:records/sessions.yaml")
    assert "changed once more" in told

    founder.git("fetch", "-q", "origin", "stemctl-pull")
    founder.git("merge", "-q", "--ff-only", "FETCH_HEAD")
    founder.git("push", "-q", "origin", "HEAD:main")
    well(forge.run(APPLY))
    well(forge.run(PULL))
    (request,) = forge.holds["requests"]
    assert request["state"] == "closed"
    assert well(forge.run(NIGHTLY)).outputs["compare"] == {"found": "no"}
    assert named(ran) == ["Install stemctl", "Pull", "Open, renew or close the pull request"]


@pytest.mark.slow
@pytest.mark.parametrize("form", [["--short"]], ids=["short"])
def test_the_nights_of_the_short_form(team: Team, forge: Forge) -> None:
    ran = well(forge.run(NIGHTLY))
    assert named(ran) == ["Install stemctl", "Compare", "Open, renew or close the issue"]
    assert ran.outputs == {"compare": {"found": "yes"}, "issue": {}}
    assert ran.tokens == {"compare": {"BRAINSTEM_READ_TOKEN"}, "issue": set()}
    assert len(forge.holds["issues"]) == 1
    ran = well(forge.run(PULL))
    assert named(ran) == ["Install stemctl", "Pull", "Open, renew or close the pull request"]
    assert ran.outputs == {"pull": {"found": "no"}, "request": {}}


@pytest.mark.slow
def test_an_entry_of_a_merge_queue_is_planned_from_where_the_queue_was(
    team: Team, forge: Forge
) -> None:
    """Its commits may have been rebased, so that the first of them is not the base."""
    ann = team.clone("ann")
    base = ann.git("rev-parse", "HEAD")
    ann.sessions(session("rat1"), session("rat2"))
    ann.commit("One")
    ann.sessions(session("rat1"), session("rat2"), session("rat3"))
    ann.commit("Two")
    entry = "refs/heads/gh-readonly-queue/main/pr-7"
    ann.git("push", "-q", "origin", f"HEAD:{entry}")
    ran = well(forge.run(CHECK, entry, queued_on=base))
    assert ran.skipped == ["comment"]
    mine = ran.summary.partition("Not from changes since")[0]
    assert "session/rat2" in mine
    assert "session/rat3" in mine


def in_background(forge: Forge, found: list[Ran]) -> threading.Thread:
    thread = threading.Thread(target=lambda: found.append(forge.run(APPLY)))
    thread.start()
    return thread


def stemctl_processes(folder: Path) -> list[int]:
    """The processes of stemctl that work below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                where, words = (
                    os.readlink(entry / "cwd"),
                    (entry / "cmdline").read_bytes().split(b"\0"),
                )
            except OSError:
                continue
            if where.startswith(str(folder)) and b"tests.git.quick" in words:
                found.append(int(entry.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the process of a job in /proc")
def test_a_team_whose_jobs_race_die_and_are_dropped(team: Team, forge: Forge, gate: Gate) -> None:
    """Two merges race; a job dies with its machine; one is dropped; a branch is behind; a colleague
    edits meanwhile.
    """
    ann, ben, cleo = (team.clone(name) for name in ("ann", "ben", "cleo"))
    well(forge.run(APPLY))  # rat1 is there
    behind = cleo.git("rev-parse", "HEAD")

    # two merges, whose jobs race: the forge's queue does not help, as one of them runs at
    # somebody's desk
    ann.sessions(session("rat1"), session("ann1"), name="records/sessions.yaml")
    ann.publish("Ann's session")
    ben.git("pull", "-q", "--rebase", "origin", "main")
    ben.sessions(session("ben1"), name="records/ben.yaml")
    ben.publish("Ben's session")
    gate.opened.clear()
    at = len(gate.arrived)
    found: list[Ran] = []
    job = in_background(forge, found)
    gate.wait_for(at + 1)
    desk = ben.start("apply", "--auto-approve", lease=4)
    gate.opened.set()
    job.join(120)
    said, _ = desk.communicate(timeout=120)
    assert desk.returncode == 0, said
    well(found[0])
    assert set(live(ann)) == {"rat1", "ann1", "ben1"}

    # a job is killed in the middle, and its machine is gone; meanwhile a colleague edits a record
    ann.git("pull", "-q", "origin", "main")
    ann.sessions(*(session(f"s{n}") for n in range(10)), name="records/many.yaml")
    ann.publish("Ten sessions")
    gate.opened.clear()
    at = len(gate.arrived)
    job = in_background(forge, found)
    gate.wait_for(at + 3)
    (process,) = stemctl_processes(forge.folder)
    os.kill(process, signal.SIGKILL)
    job.join(60)
    assert [step.name for step in found[1].failed] == ["Apply"]
    for folder in forge.folder.glob("apply-*"):
        shutil.rmtree(folder)
    gate.opened.set()  # what was in flight arrives all the same
    gate.wait_for(at + 3, "done")
    on_the_server(team, "rat1", description="edited by a colleague", tags=["theirs"])

    # the job of the next merge is dropped; the one after it brings everything in, and settles the
    # dead one
    ben.git("pull", "-q", "origin", "main")
    ben.sessions(session("ben1", "second thoughts"), name="records/ben.yaml")
    ben.publish("Ben's second thoughts")
    cleo_old = team.clone("late")
    cleo_old.git("checkout", "-q", "--detach", behind)
    ben.sessions(session("ben1", "second thoughts"), session("ben2"), name="records/ben.yaml")
    ben.publish("Ben's other session")
    ran = well(forge.run(APPLY))
    assert "Taking over, and checking 10 changes on the server." in ran.said

    # an old checkout does not take anything back
    refused = cleo_old.apply(code=1)
    assert "that were applied are not in HEAD" in refused.err

    # in the end the server holds what main says, each record once, and the colleague's edit
    records = live(ann)
    assert set(records) == {"rat1", "ann1", "ben1", "ben2", *(f"s{n}" for n in range(10))}
    everything = ann.run("get", "session", "-o", "json").json
    assert len(everything) == len(records)
    assert records["rat1"]["description"] == "edited by a colleague"
    assert records["rat1"]["tags"] == ["theirs"]
    assert records["ben1"]["description"] == "second thoughts"
    last = team.clone("last")
    plan = last.run("plan", "-o", "json").json
    assert [(change["address"], change["held"]) for change in plan["changes"]] == [
        ("session/rat1", "revert")
    ]

    # and the branch of the state tells the story
    runs = last.run("runs", "list", "-o", "json").json
    assert [run["numbers"] for run in runs].count(
        {"settled from its claim": 10}
    ) == 1  # the one that died
    assert all(run["commit"] for run in runs)
    told = git(team.remote, "log", "--first-parent", "--format=%B", STATES)
    assert told.count("\nRun: ") == len(runs) >= 4
    assert f"{forge.web.url}lab/metadata/actions/runs/" in told
    state = json.loads(git(team.remote, "show", f"{STATES}:lab.state.json"))
    assert set(state["records"]) == {f"session/{name}" for name in records}
    assert "lab.claim.json" not in team.files()
