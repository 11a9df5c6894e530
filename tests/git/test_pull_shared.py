"""pull with a state that clones share: what one pulled is not in the files of the others yet."""

from __future__ import annotations

import json

import httpx

from tests.git.team import STATES, Member, Team, git, on_the_server


def add(team: Team, name: str) -> None:
    """What a colleague creates in the browser."""
    base = f"{team.url}api/private/stem/"
    headers = {"Authorization": "Bearer sandbox-user"}
    (project,) = httpx.get(f"{base}project/", headers=headers).json()["projects"]
    body = {"name": name, "projects": [project["id"]], "tags": []}
    httpx.post(f"{base}session/", json=body, headers=headers).raise_for_status()


def plan(member: Member) -> list[tuple[str, str | None]]:
    """What a plan would change, and what is held."""
    changes = member.run("plan", "-o", "json").json["changes"]
    return [(change["address"], change["held"]) for change in changes]


def test_ids_are_pushed_and_others_neither_delete_nor_undo(team: Team) -> None:
    ann, bob = team.clone("ann"), team.clone("bob")
    ann.apply()
    add(team, "new")
    on_the_server(team, "rat1", description="changed in the browser")
    result = ann.run("pull", "--all")
    assert result.code == 0, result.said
    assert team.story()[0].startswith("lab: pull: 2 records")
    state = json.loads(git(team.remote, "show", f"{STATES}:lab.state.json"))
    assert state["records"]["session/new"]["id"]
    assert plan(ann) == []
    assert plan(bob) == [("session/rat1", "revert")]
    assert "1 record is in the state since a pull" in bob.run("plan").out
    assert bob.apply("--allow", "delete").out.count("reverted") == 0

    ann.publish("What was pulled")
    bob.git("pull", "-q")
    assert plan(bob) == []
    bob.apply()
    assert plan(bob) == plan(ann) == []


def test_a_pull_elsewhere_writes_the_same_files_again(team: Team) -> None:
    ann, bob = team.clone("ann"), team.clone("bob")
    ann.apply()
    add(team, "new")
    on_the_server(team, "rat1", description="changed in the browser")
    assert ann.run("pull", "--all").code == 0
    assert bob.run("pull", "--all").code == 0
    for member in (ann, bob):
        member.git("add", "-A")
    assert ann.git("diff", "--cached") == bob.git("diff", "--cached")
    story = team.story()
    assert ann.run("pull", "--all").code == 0
    assert team.story() == story


def test_a_record_that_was_pulled_is_deleted_only_when_that_is_written(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    add(team, "new")
    assert ann.run("pull", "--all").code == 0
    ann.git("clean", "-fdq", "records")
    assert plan(ann) == []
    ann.write("records/deleted.yaml", "deleted: [session/new]\n")
    assert plan(ann) == [("session/new", None)]
