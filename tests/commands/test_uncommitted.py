"""What was applied from files that were not committed is told, recorded, and told to whoever comes
next.
"""

from __future__ import annotations

import json

import pytest

from tests.git.team import STATES, Member, Team, git

pytestmark = pytest.mark.slow

FILES = ["records/a.yaml", "records/b.yaml", "records/c.yaml", "records/d.yaml"]


def edit(member: Member, text: str, name: str = "records/sessions.yaml") -> None:
    record = "rat1" if name == "records/sessions.yaml" else name.rpartition("/")[2]
    member.sessions(f"{{name: {record}, description: {text}}}", name=name)


def state(team: Team) -> object:
    return json.loads(git(team.remote, "show", f"{STATES}:lab.state.json"))


@pytest.fixture
def ann(team: Team) -> Member:
    """Ann, who has applied an edit that she did not commit."""
    ann = team.clone("ann")
    edit(ann, "one")
    ann.publish("One")
    ann.apply()
    edit(ann, "two")
    return ann


def test_the_run_says_so_everywhere(team: Team, ann: Member) -> None:
    head = ann.git("rev-parse", "HEAD")
    said = ann.apply().out
    assert said.index(
        f"1 file differs from commit {head[:7]}: records/sessions.yaml."
    ) < said.index("updated")
    told = f"commit {head[:7]} with uncommitted changes in records/sessions.yaml"
    assert told in ann.run("runs", "list").out
    runs = ann.run("runs", "list", "-o", "json").json
    assert [run.get("uncommitted") for run in runs] == [["records/sessions.yaml"], None]
    shown = team.clone("cleo").run("runs", "show", runs[0]["run"]).out
    assert f"{head} with uncommitted changes in records/sessions.yaml" in shown
    assert f"Commit: {head} with uncommitted changes in records/sessions.yaml" in git(
        team.remote, "log", "-1", "--format=%B", STATES
    )


def test_the_next_clone_is_told_what_it_would_take_back(team: Team, ann: Member) -> None:
    ann.apply()
    run = ann.run("runs", "list", "-o", "json").json[0]
    ben = team.clone("ben")
    plan = ben.run("plan", "-o", "json").json
    assert "uncommitted" not in plan
    (note,) = [note["text"] for note in plan["notes"]]
    assert note.startswith(
        f"Run {run['run']} of {run['who']} applied uncommitted changes in records/sessions.yaml"
    )
    for form in ("text", "markdown", "html"):
        said = " ".join(ben.run("plan", "-o", form).out.split())
        assert "applied uncommitted changes in records/sessions.yaml" in said


def test_many_files_are_counted(team: Team, ann: Member) -> None:
    for file in FILES:
        edit(ann, "new", file)
    plan = ann.run("plan", "-o", "json").json
    assert plan["format"] == 2
    assert plan["uncommitted"] == [*FILES, "records/sessions.yaml"]
    out = ann.run("plan").out
    assert "5 files differ from commit" in out
    assert "records/a.yaml, records/b.yaml, records/c.yaml and 2 more" in out


def test_a_kept_plan_keeps_it(team: Team, ann: Member) -> None:
    assert ann.run("plan", "--out", "plan.json").code == 0
    ann.git("commit", "-q", "-a", "-m", "Too late", "--author=a <a@x>", check=False)
    assert ann.run("apply", "plan.json").code == 0
    assert state(team)["uncommitted"]["files"] == ["records/sessions.yaml"]  # type: ignore[index]


def test_a_permission_given_at_the_question_keeps_it(team: Team, ann: Member) -> None:
    from stemctl.commands.event_loop import run_async
    from stemctl.commands.plan import plan_online, replan
    from stemctl.commands.workspace import open_workspace
    from stemctl.planning.planner import Options

    space = open_workspace(ann.root)
    planned = run_async(plan_online(space, Options()))
    again = replan(space, planned, {"delete": 1})
    assert again.plan.uncommitted == planned.plan.uncommitted == ("records/sessions.yaml",)
    assert again.plan.notes == planned.plan.notes != ()


def test_the_same_content_committed_clears_it(team: Team, ann: Member) -> None:
    ann.apply()
    edit(ann, "two")
    ann.publish("Two")
    assert "uncommitted" not in ann.run("plan").out
    ann.apply()
    after = state(team)
    assert (after.get("uncommitted"), after["commit"]) == (None, ann.git("rev-parse", "HEAD"))  # type: ignore[attr-defined,index]
    assert team.story()[0].startswith("lab: commit ")
    tip = team.story()
    ann.apply()
    assert team.story() == tip  # once


def test_a_part_of_it_does_not_clear_it(team: Team, ann: Member) -> None:
    ann.apply()
    ann.publish("Two")
    ann.apply("session/rat1")
    assert state(team)["uncommitted"]  # type: ignore[index]


def test_a_later_apply_from_a_commit_clears_it(team: Team, ann: Member) -> None:
    ann.apply()
    edit(ann, "three")
    ann.publish("Three")
    ann.apply()
    assert "uncommitted" not in state(team)  # type: ignore[operator]
    assert state(team)["format"] == 2  # type: ignore[index]


def test_a_note_only_of_files_that_no_commit_has_changed_since(team: Team, ann: Member) -> None:
    edit(ann, "new", "records/a.yaml")
    ann.apply()
    (ann.root / "records/a.yaml").rename(ann.root / "kept.yaml")
    ann.publish("Two, without a")
    (note,) = [note["text"] for note in ann.run("plan", "-o", "json").json["notes"]]
    assert "applied uncommitted changes in records/a.yaml (" in note


def test_a_state_in_a_file_remembers_it_too(team: Team) -> None:
    ann = team.clone("ann")
    config = (ann.root / "stemctl.yaml").read_text()
    ann.write("stemctl.yaml", config.replace(", state: {backend: git}", ""))
    edit(ann, "one")
    ann.publish("One")
    ann.apply()
    file = ann.root / "lab.state.json"
    assert json.loads(file.read_text())["format"] == 1
    ann.publish("State")  # which is no manifest
    edit(ann, "two")
    ann.apply()
    after = json.loads(file.read_text())
    assert (after["format"], after["uncommitted"]["files"]) == (2, ["records/sessions.yaml"])


def test_before_the_first_commit_there_is_nothing_to_differ_from(team: Team) -> None:
    git(team.folder, "init", "-q", "new")
    new = Member(team.folder / "new", "new")
    new.git("remote", "add", "origin", str(team.remote))
    new.write("stemctl.yaml", (team.folder / "founder/stemctl.yaml").read_text())
    edit(new, "one")
    new.apply()
    assert "no commit" in new.run("runs", "list").out
    assert "uncommitted" not in state(team)  # type: ignore[operator]
