"""The state moves between a file and a branch, and is never in two places or in none."""

from __future__ import annotations

import json

import pytest

from tests.git.team import Member, Team
from tests.support.served import Gate

GIT, FILE = ", state: {backend: git}", ""


def keep(member: Member, state: str) -> None:
    """Say in stemctl.yaml where the state is kept."""
    text = (member.root / "stemctl.yaml").read_text().replace(GIT, FILE)
    member.write("stemctl.yaml", text.replace("edition: 2024", f"edition: 2024{state}"))


def test_from_a_file_to_a_branch_and_back(team: Team) -> None:
    ann = team.clone("ann")
    keep(ann, FILE)
    ann.apply()
    file = ann.root / "lab.state.json"
    text = file.read_text()

    keep(ann, GIT)
    result = ann.run("plan")
    assert result.code == 1
    assert "The state of lab is still in lab.state.json." in result.err
    assert "state migrate --to git" in result.err
    result = ann.run("state", "migrate", "--to", "git")
    assert result.code == 0, result.said
    assert "(1 record) is now in branch stemctl-state of origin." in result.out
    assert not file.exists()
    assert "Nothing to do" in ann.run("plan").out
    assert ann.run("state", "migrate", "--to", "git").code == 1

    ann.sessions("{name: rat1, date_time: 2024-03-12T09:00:00Z, description: second}")
    ann.apply()
    keep(ann, FILE)
    assert ann.run("state", "migrate", "--to", "file").code == 0
    moved = json.loads(file.read_text())
    assert moved["lineage"] == json.loads(text)["lineage"]
    assert moved["serial"] == 2
    assert "Nothing to do" in ann.run("plan").out
    assert team.files() == ["README.md", "lab.run.jsonl"]
    assert team.story()[0] == "lab: the state was moved elsewhere [skip ci]"


def test_a_state_that_the_configuration_leaves_behind_is_seen(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    keep(ann, FILE)
    result = ann.run("plan")
    assert result.code == 1
    assert "The state of lab is still in branch stemctl-state of origin." in result.err
    assert "state migrate --to file" in result.err
    assert ann.run("state", "migrate", "--to", "file").code == 0
    assert "Nothing to do" in ann.run("plan").out


def test_a_move_that_broke_off_goes_on(team: Team) -> None:
    ann = team.clone("ann")
    keep(ann, FILE)
    ann.apply()
    text = (ann.root / "lab.state.json").read_text()
    keep(ann, GIT)
    assert ann.run("state", "migrate", "--to", "git").code == 0
    ann.write("lab.state.json", text)  # as if it had died before the file was taken away
    assert ann.run("state", "migrate", "--to", "git").code == 0
    assert not (ann.root / "lab.state.json").exists()


def test_another_state_is_not_written_over(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    ann.write("lab.state.json", "{}")
    other = team.clone("other")
    keep(other, FILE)
    other.apply()
    keep(other, GIT)
    result = other.run("state", "migrate", "--to", "git")
    assert result.code == 1
    assert "already has another state of lab." in result.err
    assert (other.root / "lab.state.json").exists()


@pytest.mark.parametrize(("state", "to"), [(GIT, "file"), (FILE, "git")])
def test_the_configuration_comes_first(team: Team, state: str, to: str) -> None:
    ann = team.clone("ann")
    keep(ann, state)
    ann.apply()
    result = ann.run("state", "migrate", "--to", to)
    assert result.code == 1
    assert "Nothing was moved." in result.err


def test_while_a_run_is_on_nothing_moves(team: Team, gate: Gate) -> None:
    gate.opened.clear()
    ann, ben = team.clone("ann"), team.clone("ben")
    job = ann.start("apply", "--auto-approve")
    gate.wait_for(1)
    keep(ben, FILE)
    result = ben.run("state", "migrate", "--to", "file")
    assert result.code == 1
    assert "A run is in progress, or was interrupted." in result.err
    gate.opened.set()
    job.communicate()
