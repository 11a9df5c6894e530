"""Leases: one run at a time over all machines, and runs that die in the middle, wherever."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.state import recovery, state_branch
from tests.git.quick import hurry
from tests.git.team import STATES, Member, Team, git
from tests.support.served import Gate


def sessions(*names: str) -> list[str]:
    return [f"{{name: {name}, date_time: 2024-03-12T09:00:00Z}}" for name in names]


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> float:
    """Leases of seconds in this process; those of other processes are told so."""
    lease = 6.0
    for (module, constant), value in hurry(lease).items():
        monkeypatch.setattr(module, constant, value)
    return lease


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def leased(team: Team) -> bool:
    return (
        "lab.claim.json" in team.files() if git(team.remote, "branch", "--list", STATES) else False
    )


def until_said(process: subprocess.Popen[str], words: str) -> str:
    """What a process says until a line holds these words."""
    assert process.stdout is not None
    said = ""
    while words not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


def ended(process: subprocess.Popen[str]) -> str:
    """What a process said, which must have ended well."""
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def on_server(team: Team, member: Member) -> list[str]:
    """The names of all live sessions."""
    found = member.run("get", "session", "-o", "json").json
    return sorted(record["name"] for record in found)


def test_the_second_apply_waits_for_the_first_and_plans_anew(
    team: Team, gate: Gate, short_leases: float
) -> None:
    gate.opened.clear()
    ann, ben = team.clone("ann"), team.clone("ben")
    ben.sessions(*sessions("rat1", "rat2"))
    first = ann.start("apply", "--auto-approve", lease=60)
    gate.wait_for(1)
    assert leased(team)
    said = ben.run("plan").err
    assert (
        "holds the lease on branch stemctl-state of origin until" in said
    )  # who only reads does not wait
    assert ben.run("plan", "--out", "meanwhile.json").code == 0
    second = ben.start("apply", "--auto-approve", lease=60)
    heard = until_said(second, "  lease  ")
    assert gate.arrived == ["POST /api/private/stem/session/"]
    gate.opened.set()
    ended(first)
    said = heard + ended(second)
    waiting = "Waiting: another run holds the lease on branch stemctl-state of origin."
    assert f"{waiting} Nothing was sent yet." in said
    assert said.count("Plan: ") == 1  # while it waits, it plans nothing that would not be so
    assert on_server(team, ben) == ["rat1", "rat2"]
    assert "meanwhile.json was made with another state." in ben.run("apply", "meanwhile.json").err
    assert [subject.split(" [")[0] for subject in team.story()][:2] == [
        "lab: 1 created",
        "lab: 1 created",
    ]


def test_a_kept_plan_is_not_made_anew(team: Team, gate: Gate) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    ben.sessions(*sessions("rat2"))
    assert ben.run("plan", "--out", "plan.json").code == 0
    ann.apply()
    result = ben.run("apply", "plan.json")
    assert result.code == 1
    assert "plan.json was made with another state." in result.err
    assert len(gate.done) == 1


@pytest.mark.slow
def test_three_first_leases_at_once(team: Team) -> None:
    members = [team.clone(name) for name in ("ann", "ben", "cleo")]
    for member in members:
        member.sessions(*sessions("s1", "s2"))
    said = [
        ended(process)
        for process in [m.start("apply", "--auto-approve", lease=30) for m in members]
    ]
    assert on_server(team, members[0]) == ["s1", "s2"]
    assert sum("created" in text and "Applied: 2 created" in text for text in said) == 1
    assert team.story() == ["lab: 2 created [skip ci]", "Initialise stemctl state [skip ci]"]


def test_a_machine_that_died_is_settled_by_another_one_from_its_lease(
    team: Team, gate: Gate, short_leases: float
) -> None:
    gate.opened.clear()
    ann, ben = team.clone("ann"), team.clone("ben")
    for member in (ann, ben):
        member.sessions(*sessions(*(f"s{n}" for n in range(12))))
    job = ann.start("apply", "--auto-approve", "--parallelism", "4", lease=short_leases)
    gate.wait_for(4)
    job.kill()
    job.communicate()
    shutil.rmtree(ann.root)
    gate.opened.set()
    gate.wait_for(4, "done")  # what it sent arrives, and its answer is lost
    result = ben.apply()
    assert "ended at" in result.err
    assert "Taking over, and checking 12 changes on the server." in result.err
    assert on_server(team, ben) == sorted(f"s{n}" for n in range(12))
    assert "Nothing to do" in ben.run("plan").out
    assert not leased(team)
    runs = ben.run("runs", "list").out.splitlines()
    assert len(runs) == 2
    assert runs[1].endswith("12 settled from its claim")


def test_a_killed_run_goes_on_in_its_own_folder_at_once(team: Team, gate: Gate) -> None:
    gate.opened.clear()
    ann = team.clone("ann")
    ann.sessions(*sessions("s1", "s2", "s3"))
    job = ann.start("apply", "--auto-approve", "--parallelism", "1", lease=120)
    gate.wait_for(1)
    job.kill()
    job.communicate()
    gate.opened.set()
    gate.wait_for(1, "done")
    result = ann.apply()  # its own journal tells more than the lease: nothing to wait for
    assert "Taking over from run" in result.err
    assert on_server(team, ann) == ["s1", "s2", "s3"]
    assert team.story()[0].startswith("lab: 2 created")


@pytest.mark.slow
def test_a_run_that_slept_too_long_sends_nothing_more(
    team: Team, gate: Gate, short_leases: float
) -> None:
    gate.opened.clear()
    ann, ben = team.clone("ann"), team.clone("ben")
    for member in (ann, ben):
        member.sessions(*sessions(*(f"s{n}" for n in range(8))))
    sleeper = ann.start("apply", "--auto-approve", "--parallelism", "1", lease=short_leases)
    gate.wait_for(1)
    os.kill(sleeper.pid, signal.SIGSTOP)
    gate.opened.set()
    ben.apply()
    assert on_server(team, ben) == [f"s{n}" for n in range(8)]
    arrived = len(gate.arrived)
    os.kill(sleeper.pid, signal.SIGCONT)
    said, _ = sleeper.communicate(timeout=60)
    assert sleeper.returncode == 3, said
    assert "lost its lease" in said
    assert len(gate.arrived) == arrived
    assert on_server(team, ben) == [f"s{n}" for n in range(8)]
    assert "Nothing to do" in ben.run("plan").out
    git(ann.root, "status")
    assert "Nothing to do" in ann.run("plan").out


@pytest.mark.slow
def test_a_remote_that_goes_away_stops_the_run_before_its_lease_ends(
    team: Team, gate: Gate, short_leases: float
) -> None:
    gate.opened.clear()
    ann = team.clone("ann")
    ann.sessions(*sessions(*(f"s{n}" for n in range(6))))
    job = ann.start("apply", "--auto-approve", "--parallelism", "1", lease=2)
    gate.wait_for(1)
    team.remote.rename(team.folder / "away.git")
    time.sleep(3)
    gate.opened.set()
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 3, said
    assert "could not be renewed in time" in said
    assert "What was sent is recorded in .stemctl/lab.journal" in said
    assert len(gate.done) == 1
    (team.folder / "away.git").rename(team.remote)
    ann.apply()
    assert on_server(team, ann) == [f"s{n}" for n in range(6)]


@pytest.mark.slow
def test_a_long_run_renews_its_lease(team: Team, gate: Gate) -> None:
    gate.opened.clear()
    ann = team.clone("ann")
    job = ann.start("apply", "--auto-approve", lease=2)
    gate.wait_for(1)
    until(lambda: git(team.remote, "log", "--format=%s", STATES).count("renewed") >= 6)
    gate.opened.set()
    ended(job)
    assert team.story() == ["lab: 1 created [skip ci]", "Initialise stemctl state [skip ci]"]


@pytest.mark.slow
def test_a_command_that_edits_the_state_does_not_wait_for_a_run(team: Team, gate: Gate) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    ann.apply()
    gate.opened.clear()
    ann.sessions("{name: rat1, date_time: 2024-03-12T09:00:00Z, description: edited}")
    job = ann.start("apply", "--auto-approve")
    gate.wait_for(2)
    result = ben.run("state", "rm", "session/rat1")
    assert result.code == 1
    assert "Another run holds the lease on branch stemctl-state of origin." in result.err
    gate.opened.set()
    ended(job)
    assert ben.run("state", "rm", "session/rat1").code == 0


def test_of_two_edits_of_the_state_at_once_one_is_refused(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    ann.sessions(*sessions("rat1", "rat2"))
    ann.apply()
    push = state_branch.push

    def after_ben(*words: Any, **options: Any) -> None:
        monkeypatch.setattr(state_branch, "push", push)
        assert ben.run("state", "rm", "session/rat2").code == 0
        push(*words, **options)

    monkeypatch.setattr(state_branch, "push", after_ben)
    result = ann.run("state", "rm", "session/rat1")
    assert result.code == 1
    assert "The state on branch stemctl-state of origin has changed." in result.err
    assert list(ben.run("state", "list", "-o", "json").json) == ["session/rat1"]


def test_a_push_whose_answer_is_lost_has_arrived_all_the_same(team: Team, tmp_path: Path) -> None:
    ann = team.clone("ann")
    script = tmp_path / "deaf.sh"  # receives the push, and says that it failed
    script.write_text('#!/bin/sh\ngit-receive-pack "$@"\nexit 1\n', encoding="utf-8")
    script.chmod(0o755)
    ann.git("config", "remote.origin.receivepack", str(script))
    ann.apply()
    assert team.story()[0] == "lab: 1 created [skip ci]"
    assert not leased(team)


@pytest.mark.slow
def test_at_a_terminal_the_loser_is_shown_the_new_plan_and_asked_again(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    ann.sessions(*sessions("rat1", "ann1"))
    ben.sessions(*sessions("rat1"))

    class Terminal(io.StringIO):
        """Where an answer takes its time: before the first one, someone else applies."""

        def isatty(self) -> bool:
            return True

        def readline(self, size: int = -1, /) -> str:
            if self.tell() == 0:
                ended(ben.start("apply", "--auto-approve"))
            return super().readline(size)

    monkeypatch.setattr("sys.stdin", Terminal("yes\nyes\n"))
    result = ann.run("apply")
    assert result.code == 0, result.said
    assert "The state has changed in the meantime. Planning again." in result.err
    assert result.err.count('Only "yes" is accepted') == 2
    assert "Plan: 2 to create" in result.out
    assert "Plan: 1 to create, 0 to update, 0 to delete, 1 unchanged." in result.out
    assert on_server(team, ann) == ["ann1", "rat1"]


@pytest.mark.slow
def test_a_lease_that_comes_between_plan_and_answer_is_waited_for(
    team: Team, gate: Gate, monkeypatch: pytest.MonkeyPatch, short_leases: float
) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    ann.sessions(*sessions("rat1", "ann1"))
    ben.sessions(*sessions("rat1"))
    gate.opened.clear()
    jobs: list[subprocess.Popen[str]] = []

    class Terminal(io.StringIO):
        """Where an answer takes its time: before the first one, someone else begins to apply."""

        def isatty(self) -> bool:
            return True

        def readline(self, size: int = -1, /) -> str:
            if not jobs:
                jobs.append(ben.start("apply", "--auto-approve", lease=60))
                gate.wait_for(1)
                threading.Timer(1, gate.opened.set).start()
            return super().readline(size)

    monkeypatch.setattr("sys.stdin", Terminal("yes\nyes\n"))
    result = ann.run("apply")
    ended(jobs[0])
    assert result.code == 0, result.said
    assert "Waiting: another run holds the lease on branch stemctl-state of origin." in result.err
    assert result.err.count('Only "yes" is accepted') == 2
    assert on_server(team, ann) == ["ann1", "rat1"]
    assert len(gate.done) == 2


@pytest.mark.slow
def test_two_that_settle_a_dead_run_at_the_same_moment_both_go_on(
    team: Team, gate: Gate, monkeypatch: pytest.MonkeyPatch, short_leases: float
) -> None:
    gate.opened.clear()
    ann, ben, cleo = (team.clone(name) for name in ("ann", "ben", "cleo"))
    job = ann.start("apply", "--auto-approve", lease=short_leases)
    gate.wait_for(1)
    job.kill()
    job.communicate()
    gate.opened.set()
    gate.wait_for(1, "done")
    reduce, others = recovery.reduce, [ben]

    def meanwhile(state: State, run: Run) -> State:
        """Between our look at the lease and our push, someone else settles it."""
        while others:
            ended(others.pop().start("apply", "--auto-approve", lease=0.5))
        return reduce(state, run)

    monkeypatch.setattr(recovery, "reduce", meanwhile)
    cleo.apply()
    assert others == []
    assert on_server(team, cleo) == ["rat1"]
    assert not leased(team)
