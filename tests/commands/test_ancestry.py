"""From which commit an apply goes on, and what it brings in."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.git.team import Member, Team, git
from tests.support.served import Gate

WHO = ("-c", "user.name=a", "-c", "user.email=a@x")
RAT = "{{name: rat1, date_time: 2024-03-12T09:00:00Z, description: {0}}}"


def edited(member: Member, text: str) -> str:
    member.sessions(RAT.format(text))
    return member.publish(f"Description: {text}")


def test_a_plan_says_what_came_since_the_last_apply(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    applied = ann.git("rev-parse", "HEAD")
    commits = [edited(ann, text) for text in ("second", "third")]
    out = ann.run("plan").out
    assert f"Since commit {applied[:7]}, the last one applied: 2 commits." in out
    assert out.index(f"{commits[1][:7]} Description: third") < out.index(
        f"{commits[0][:7]} Description: second"
    )
    ann.apply()
    assert "the last one applied" not in ann.run("plan").out
    assert f"Since: {applied}" in git(team.remote, "log", "-1", "--format=%B", "stemctl-state")


@pytest.mark.parametrize("options", [(), ("--depth=1",)])
def test_an_older_commit_is_refused_by_name(
    team: Team, gate: Gate, options: tuple[str, ...]
) -> None:
    ann = team.clone("ann")
    old = ann.git("rev-parse", "HEAD")
    edited(ann, "newer")
    ann.apply()
    sent = len(gate.arrived)
    ben = team.clone("ben", *options, of=f"file://{team.remote}")
    ben.git("fetch", "-q", *options, "origin", old)
    ben.git("checkout", "-q", "--detach", old)
    result = ben.apply(code=1)
    assert "1 commit that was applied is not in HEAD." in result.err
    assert "Description: newer" in result.err
    assert "apply --allow-behind" in result.err
    assert len(gate.arrived) == sent
    assert "1 commit that was applied is not in HEAD:" in ben.run("plan").out
    ben.apply("--allow-behind")
    assert len(gate.arrived) == sent + 1


@pytest.mark.slow
def test_a_branch_that_lacks_a_commit_is_refused_also_as_a_kept_plan(team: Team) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    edited(ann, "newer")
    ann.apply()
    ben.sessions(RAT.format("from a branch"))
    ben.commit("A branch")
    assert ben.run("plan", "--out", "plan.json").code == 0
    result = ben.run("apply", "plan.json")
    assert result.code == 1
    assert (
        "1 commit that was applied is not in HEAD." in result.err
    )  # fetched to be named: the clone lacks it
    assert "Description: newer" in result.err
    assert ben.run("apply", "plan.json", "--allow-behind").code == 0


@pytest.mark.slow
def test_a_merge_brings_both_sides_in(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    ann.git("checkout", "-q", "-b", "topic")
    ann.sessions(RAT.format("on a branch"))
    ann.commit("On a branch")
    ann.git("checkout", "-q", "main")
    ann.write("README.md", "a lab")
    ann.commit("On main")
    ann.git("-c", "user.name=a", "-c", "user.email=a@x", "merge", "-q", "--no-edit", "topic")
    assert "3 commits." in ann.run("plan").out
    ann.apply()


@pytest.mark.slow
def test_a_shallow_clone_knows_what_came_since(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    for text in ("second", "third", "fourth"):
        edited(ann, text)
    job = team.clone("job", "--depth=1", of=f"file://{team.remote}")
    before = job.git("rev-list", "--count", "HEAD")
    assert "the last one applied: 3 commits." in job.run("plan").out
    job.apply()
    assert (
        job.git("rev-list", "--count", "HEAD") == before == "1"
    )  # the clone is as shallow as it was


@pytest.mark.slow
def test_history_that_cannot_be_fetched_is_not_guessed(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    edited(ann, "second")
    job = team.clone("job", "--depth=1", of=f"file://{team.remote}")
    job.sessions(RAT.format("third"))
    job.commit("On top, and not pushed")
    result = job.apply(code=1)
    assert "The history here is too short" in result.err
    assert "fetch --unshallow" in result.err
    job.git("fetch", "-q", "--unshallow")
    job.apply()


def test_a_git_that_cannot_merge_in_memory_compares_the_files(
    team: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before 2.38: the same files are enough, a squash onto something else is not."""
    old = tmp_path / "bin/git"
    old.parent.mkdir()
    refuses = 'case " $* " in *" --write-tree "*) echo usage: git merge-tree >&2; exit 129;; esac'
    old.write_text(f'#!/bin/sh\n{refuses}\nexec {shutil.which("git")} "$@"\n')
    old.chmod(0o755)
    ann = team.clone("ann")
    ann.git("checkout", "-q", "-b", "topic")
    ann.sessions(RAT.format("on a branch"))
    ann.commit("On a branch")
    ann.apply()
    ann.git("checkout", "-q", "main")
    ann.git(*WHO, "merge", "-q", "--squash", "topic")
    ann.commit("Squashed")
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    assert "but it contains the same changes" in ann.run("plan").out
    ann.git("reset", "-q", "--hard", "HEAD^")
    ann.write("README.md", "a lab")
    ann.commit("On main")
    ann.git(*WHO, "merge", "-q", "--squash", "topic")
    ann.commit("Squashed")
    assert "1 commit that was applied is not in HEAD" in ann.run("plan").out


def test_the_advice_helps(team: Team) -> None:
    """A branch that is only here is merged; commits that others pushed are pulled."""
    ann = team.clone("ann")
    ann.git("checkout", "-q", "-b", "topic")
    ann.sessions(RAT.format("on a branch"))
    applied = ann.commit("On a branch")
    ann.apply()
    ann.git("checkout", "-q", "main")
    ann.write("README.md", "a lab")
    ann.commit("On main")
    assert f" merge {applied[:12]} " in ann.apply(code=1).err
    ann.git(*WHO, "merge", "-q", "--no-edit", applied[:12])
    ann.apply()
    ben = team.clone("ben")
    edited(ann, "newer")
    ann.apply()
    assert " pull " in ben.apply(code=1).err
    ben.git("pull", "-q", "--ff-only")
    ben.apply()


def test_a_file_state_remembers_the_commit_too(team: Team) -> None:
    ann = team.clone("ann")
    config = (ann.root / "stemctl.yaml").read_text()
    ann.write("stemctl.yaml", config.replace(", state: {backend: git}", ""))
    ann.apply()
    first = ann.git("rev-parse", "HEAD")
    assert json.loads((ann.root / "lab.state.json").read_text())["commit"] == first
    ann.commit("State")
    edited(ann, "second")
    ann.apply()
    ann.git("checkout", "-q", "--", ".")
    ann.git("stash", "-q", check=False)
    state = (ann.root / "lab.state.json").read_text()
    ann.git("checkout", "-q", "--detach", first)
    ann.write("lab.state.json", state)
    assert ann.apply(code=1).err.count("Description: second") <= 1


def test_without_git_nothing_is_compared(team: Team) -> None:
    loose = Member(team.folder / "loose", "nobody")
    config = (team.folder / "founder/stemctl.yaml").read_text()
    loose.write("stemctl.yaml", config.replace(", state: {backend: git}", ""))
    loose.sessions(RAT.format("first"))
    loose.apply()
    assert "the last one applied" not in loose.run("plan").out
