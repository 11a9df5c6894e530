"""What is damaged, gone or someone else's: our own repository, the branch, a lease. It heals, or
says what to do.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stemctl.core.lease import lease_json, read_lease, renewed
from stemctl.errors import StateError
from stemctl.git.mirror_cache import HISTORY
from stemctl.state import git_lock
from tests.git.team import STATES, Member, Team, git
from tests.state.test_leases import ended, on_server, sessions, short_leases
from tests.support.served import Gate

__all__ = ["short_leases"]
REF = "refs/stemctl/seen/origin/stemctl-state"


def no_head(own: Path) -> None:
    (own / "HEAD").unlink()


def no_objects(own: Path) -> None:
    shutil.rmtree(own / "objects")


def no_refs(own: Path) -> None:
    shutil.rmtree(own / "refs")


def emptied(own: Path) -> None:
    """As a machine leaves files that went down before they were on the disk."""
    for path in own.glob("objects/??/*"):
        path.chmod(0o644)
        path.write_bytes(b"")


def garbled(own: Path) -> None:
    for path in own.glob("objects/??/*"):
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-3] + b"???")


def locked(own: Path) -> None:
    """As a git leaves it that was killed."""
    (own / f"{REF}.lock").write_text("")


def bad_ref(own: Path) -> None:
    (own / REF).write_text("nothing\n")


def bad_config(own: Path) -> None:
    (own / "config").write_text("[core\n")


def gone(own: Path) -> None:
    shutil.rmtree(own)


def a_file(own: Path) -> None:
    shutil.rmtree(own)
    own.write_text("")


def half_gone(own: Path) -> None:
    for path in own.glob("objects/[0-7]?/*"):
        path.unlink()


DAMAGE = [
    no_head,
    no_objects,
    no_refs,
    emptied,
    garbled,
    locked,
    bad_ref,
    bad_config,
    gone,
    a_file,
    half_gone,
]


@pytest.mark.parametrize(
    "damage",
    [pytest.param(one, marks=[] if one is no_objects else pytest.mark.slow) for one in DAMAGE],
)
def test_our_own_repository_heals(team: Team, damage: Callable[[Path], None]) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    ann.apply()
    damage(ann.own())
    assert ann.run("validate").code == 0
    result = ann.run("plan")
    assert "Nothing to do" in result.out, result.err
    ben.sessions(*sessions("rat1", "rat2"))
    ben.apply()
    damage(ann.own())
    assert len(ann.run("runs", "list").out.splitlines()) == 2
    ann.sessions(*sessions("rat1", "rat2", "rat3"))
    ann.apply()
    assert on_server(team, ann) == ["rat1", "rat2", "rat3"]


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE)
def test_it_heals_while_a_run_is_on(team: Team, gate: Gate, damage: Callable[[Path], None]) -> None:
    gate.opened.clear()
    ann = team.clone("ann")
    job = ann.start("apply", "--auto-approve", lease=60)
    gate.wait_for(1)
    damage(ann.own())
    gate.opened.set()
    ended(job)
    assert team.story()[0] == "lab: 1 created [skip ci]"
    assert "Nothing to do" in ann.run("plan").out


@pytest.mark.slow
@pytest.mark.parametrize("damage", [no_head, no_objects, garbled, bad_config, a_file])
def test_fetched_history_heals(team: Team, damage: Callable[[Path], None]) -> None:
    ann = team.clone("ann")
    ann.apply()
    for text in ("second", "third"):
        ann.sessions(f"{{name: rat1, date_time: 2024-03-12T09:00:00Z, description: {text}}}")
        ann.publish(text)
    job = team.clone("job", "--depth=1", of=f"file://{team.remote}")
    assert "the last one applied: 2 commits." in job.run("plan").out
    damage(job.own(HISTORY))
    assert "the last one applied: 2 commits." in job.run("plan").out


def test_what_cannot_be_repaired_is_said(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = team.clone("ann")
    ann.apply()
    monkeypatch.setattr("stemctl.git.mirror._remove", lambda path: None)
    no_objects(ann.own())
    result = ann.run("plan")
    assert result.code == 1
    assert f"git cannot use {ann.own()}." in result.err
    assert f"rm -r {ann.own()}" in result.err


@pytest.mark.slow
def test_many_readers_in_one_folder(team: Team) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    ann.apply()
    ben.sessions(*sessions("rat1", "rat2"))
    ben.apply()
    for process in [ann.start("state", "list") for _ in range(6)]:
        assert "session/rat2" in ended(process)


def in_the_middle(team: Team, gate: Gate, what: Callable[[], object]) -> tuple[Member, str]:
    """An apply, with something else before its end."""
    ann = team.clone("ann")
    ann.apply()
    gate.opened.clear()
    ann.sessions(*sessions("rat1", "rat2"))
    job = ann.start("apply", "--auto-approve", "--parallelism", "1", lease=60)
    gate.wait_for(2)
    what()
    gate.opened.set()
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 3, said
    return ann, said


def replaced(team: Team) -> None:
    empty = git(team.remote, "hash-object", "-t", "tree", "--stdin", "-w")
    words = ("-c", "user.name=a", "-c", "user.email=a@x", "commit-tree", "-m", "Anew", empty)
    git(team.remote, "update-ref", f"refs/heads/{STATES}", git(team.remote, *words))


@pytest.mark.slow
@pytest.mark.parametrize("anew", [False, True])
def test_the_branch_is_taken_away_while_a_run_is_on(team: Team, gate: Gate, anew: bool) -> None:
    take = (
        (lambda: replaced(team))
        if anew
        else (lambda: git(team.remote, "update-ref", "-d", f"refs/heads/{STATES}"))
    )
    ann, said = in_the_middle(team, gate, take)
    assert "lost its lease on branch stemctl-state of origin." in said
    assert "or replaced the branch" in said
    ann.apply()  # what has a name is found by it
    assert on_server(team, ann) == ["rat1", "rat2"]
    assert "Nothing to do" in team.clone("ben").run("plan").out or ann.run("plan").code == 0


def test_the_branch_is_replaced_between_two_runs(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    replaced(team)
    assert ann.run("state", "list", "-o", "json").json == {}
    ann.apply()
    assert list(ann.run("state", "list", "-o", "json").json) == ["session/rat1"]


def test_a_renewal_whose_answer_is_lost_does_not_cost_the_lease(
    team: Team, gate: Gate, short_leases: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.opened.clear()
    ann, real, calls = team.clone("ann"), git_lock.GitLock.renew, threading.Event()

    def unheard(self: git_lock.GitLock, lease: object) -> None:
        seen = self.branch._tip
        real(self, lease)  # type: ignore[arg-type]
        self.branch._tip = seen
        calls.set()
        raise StateError("The remote does not answer.")

    def open_after() -> None:
        calls.wait(30)
        gate.opened.set()

    monkeypatch.setattr(git_lock.GitLock, "renew", unheard)
    opener = threading.Thread(target=open_after)
    opener.start()
    ann.apply()
    opener.join()
    assert team.story()[0] == "lab: 1 created [skip ci]"
    assert "lab.claim.json" not in team.files()


# leases


def push_file(team: Team, name: str, text: str) -> None:
    """Put a file on the state branch, as an editor of it would."""
    editor = team.folder / "editor"
    if not editor.exists():
        git(team.folder, "clone", "-q", "-b", STATES, str(team.remote), "editor")
    git(editor, "pull", "-q")
    (editor / name).write_text(text)
    Member(editor, "editor").commit("by hand")
    git(editor, "push", "-q", "origin", f"HEAD:{STATES}")


LEASE = {
    "format": 1,
    "run": "2024-03-22T14:03:11Z",
    "owner": "mara",
    "commit": None,
    "changes": 1,
    "renewed": "2024-03-22T14:03:11+00:00",
    "until": "2024-03-22T14:05:11+00:00",
    "nonce": "n",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        *(
            json.dumps({**LEASE, **odd})
            for odd in (
                {"format": "1"},
                {"changes": float("inf")},
                {"until": "9999-12-31T23:59:59+00:00", "renewed": "9999-12-31T23:59:00+00:00"},
                {"until": "2999-12-31T23:59:59+00:00"},
                {"until": "2024-03-22T14:03:11+00:00"},
                {"renewed": "0001-01-01T00:00:00+14:00", "until": "0001-01-01T00:01:00+14:00"},
                {"renewed": "2024-03-22T14:03:11"},
            )
        ),
    ],
)
def test_a_damaged_lease_is_refused(team: Team, gate: Gate, text: str) -> None:
    ann = team.clone("ann")
    ann.apply()
    push_file(team, "lab.claim.json", text)
    sent = len(gate.arrived)
    for words in (("plan",), ("apply", "--auto-approve"), ("state", "list")):
        result = ann.run(*words)
        assert result.code == 1
        assert "The lease on branch stemctl-state of origin cannot be read." in result.err
        assert "git log" in result.err
    assert len(gate.arrived) == sent


@pytest.mark.slow
@pytest.mark.parametrize("plan", [None, "", "{}\n", "nothing\n"])
def test_a_lease_without_its_plan(team: Team, gate: Gate, plan: str | None) -> None:
    ann = team.clone("ann")
    ann.apply()
    push_file(team, "lab.claim.json", json.dumps({**LEASE, "owner": "\x1b[31mmara"}))
    if plan is not None:
        push_file(team, "lab.plan.jsonl", plan)
    sent = len(gate.arrived)
    for words in (("plan",), ("apply", "--auto-approve")):
        result = ann.run(*words)
        assert result.code == 1
        assert "lab.plan.jsonl on branch stemctl-state of origin" in result.err
        assert "git log" in result.err
        assert "rm lab" not in result.err
        assert "\x1b" not in result.said
    assert len(gate.arrived) == sent


def test_a_lease_is_read_as_it_was_written() -> None:
    lease = read_lease(json.dumps(LEASE), "here")
    assert read_lease(lease_json(lease), "here") == lease
    assert renewed(lease, lease.until).nonce == lease.nonce
