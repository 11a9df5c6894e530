"""A state on a branch is of one set of manifests; others are refused before anything is read or
sent.
"""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.git.team import CONFIG, STATES, Member, Team, git
from tests.support.served import Gate

pytestmark = pytest.mark.slow

ALLOW = "policy: {allow: {delete: 5}}\n"
COMMANDS = [
    ("plan",),
    ("plan", "--offline"),
    ("drift",),
    ("apply", "--auto-approve", "--allow-behind"),
    ("resolve", "session/x"),
    ("state", "rm", "session/ann1"),
    ("state", "mv", "session/ann1", "session/x"),
    ("import", "session/x", "01234567-89ab-cdef-0123-456789abcdef"),
]


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ann@lab.example")


def manifests(team: Team, root: Path, *names: str) -> Member:
    member = Member(root, "ann")
    member.write("stemctl.yaml", CONFIG.format(url=team.url) + ALLOW)
    member.sessions(*(f"{{name: {name}}}" for name in names))
    return member


def repository(
    team: Team, name: str, *names: str, commit: bool = True, push: bool = False
) -> Member:
    """A repository of its own, whose remote is the one of the team."""
    git(team.folder, "init", "-q", "--initial-branch=main", name)
    member = manifests(team, team.folder / name, *names)
    member.git("remote", "add", "origin", str(team.remote))
    if commit:
        member.commit(f"Of {name}")
    if push:
        member.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{name}")
    return member


def folder_of(state: Team) -> object:
    return json.loads(git(state.remote, "show", f"{STATES}:lab.state.json")).get("folder")


def refuses(team: Team, gate: Gate, member: Member, said: str, command: tuple[str, ...]) -> None:
    sent, tip = len(gate.arrived), git(team.remote, "rev-parse", STATES)
    result = member.run(*command)
    assert result.code == 1, result.said
    assert "holds the state of other manifests." in result.err
    assert said in result.err
    assert "state: {backend: git, branch: stemctl-state-" in result.err
    assert (len(gate.arrived), git(team.remote, "rev-parse", STATES)) == (sent, tip)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_another_folder_is_refused(team: Team, gate: Gate, command: tuple[str, ...]) -> None:
    top = team.clone("ann")
    ann, ben = (
        manifests(team, top.root / "labs/ann", "ann1"),
        manifests(team, top.root / "labs/ben", "x"),
    )
    top.publish("Two labs")
    ann.apply()
    refuses(
        team,
        gate,
        ben,
        "the folder labs/ann, which still has a stemctl.yaml. You are in the folder labs/ben",
        command,
    )
    assert "Nothing to do" in ann.run("plan").out


def test_another_branch_or_name_is_the_way_out(team: Team) -> None:
    top = team.clone("ann")
    ann, ben = manifests(team, top.root / "ann", "ann1"), manifests(team, top.root / "ben", "ben1")
    top.publish("Two labs")
    ann.apply()
    text = (ben.root / "stemctl.yaml").read_text()
    ben.write(
        "stemctl.yaml", text.replace("backend: git", "backend: git, branch: stemctl-state-ben")
    )
    ben.apply()
    ben.write("stemctl.yaml", text.replace("lab", "ben"))
    ben.apply()
    assert [member.run("plan").code for member in (ann, ben)] == [0, 0]
    assert "Nothing to do" in ann.run("plan").out


def test_a_folder_that_was_moved_takes_its_state_along(team: Team) -> None:
    top = team.clone("ann")
    old = manifests(team, top.root / "old", "ann1")
    top.publish("A lab")
    old.apply()
    assert folder_of(team) == "old"
    top.git("mv", "old", "new")
    top.publish("Moved")
    new = Member(top.root / "new", "ann")
    assert "Nothing to do" in new.run("plan").out
    new.sessions("{name: ann1, description: edited}")
    top.publish("Edited")
    new.apply()
    assert folder_of(team) == "new"
    # A clone of before the move has it there still, and is behind as ever.
    top.git("checkout", "-q", "--detach", "HEAD~2")
    assert "which still has a stemctl.yaml" not in old.run("plan").err


def test_the_folder_counts_where_only_the_commit_has_it(team: Team, gate: Gate) -> None:
    top = team.clone("ann")
    ann, ben = manifests(team, top.root / "ann", "ann1"), manifests(team, top.root / "ben", "ben1")
    top.publish("Two labs")
    ann.apply()
    (ann.root / "stemctl.yaml").unlink()
    refuses(team, gate, ben, "the folder ann, which still has a stemctl.yaml", ("plan",))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("commit", "push"),
    [
        (True, True),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((True, False), (False, False))),
    ],
)
def test_another_repository_is_refused(
    team: Team, gate: Gate, command: tuple[str, ...], commit: bool, push: bool
) -> None:
    ann = repository(team, "ann", "ann1", commit=commit, push=push)
    ann.apply()
    ben = repository(team, "ben", "ben1", commit=commit, push=push)
    said = {
        (True, True): "no commit in common",
        (
            True,
            False,
        ): "neither here nor on the remote. None of its records is declared here: session/ann1",
        (
            False,
            False,
        ): "files that were not committed. None of its records is declared here: session/ann1",
    }[commit, push]
    refuses(team, gate, ben, said, command)
    assert "Nothing to do" in ann.run("plan").out


def test_a_repository_without_a_commit_is_refused(team: Team, gate: Gate) -> None:
    repository(team, "ann", "ann1", push=True).apply()
    ben = repository(team, "ben", "ann1", commit=False)
    refuses(team, gate, ben, "this repository has no commit", ("plan",))


def test_uncommitted_manifests_go_on_where_they_were_applied_and_where_they_are_declared(
    team: Team,
) -> None:
    ann = repository(team, "ann", "ann1", commit=False)
    ann.apply()
    ann.sessions("{name: ann2}")
    assert ann.run("plan").code == 0  # the run was made here
    ben = repository(team, "ben", "ann1", "ben1", commit=False)
    assert "1 to create, 0 to update, 0 to delete" in ben.run("plan").out


def test_a_commit_that_was_not_pushed_is_ours_where_a_record_is_declared(team: Team) -> None:
    repository(team, "ann", "ann1").apply()
    ben = repository(team, "ben", "ann1", "ben1")
    result = ben.apply(code=1)
    assert "the last one applied, is neither here nor on the remote." in result.err
    assert " runs list " in result.err
    ben.apply("--allow-behind")


def test_a_history_that_was_written_anew_goes_on(team: Team) -> None:
    """With the same content at once; else by the merge that the message names."""
    ann = repository(team, "ann", "ann1", push=True)
    ann.apply()
    ann.git("checkout", "-q", "--orphan", "anew")
    ann.commit("All at once")
    assert "Nothing to do" in ann.run("plan").out
    ann.git("commit", "-q", "--allow-empty", "-m", "More")
    ann.sessions("{name: ann1, description: edited}")
    ann.git("commit", "-q", "--amend", "-a", "-m", "Edited")
    assert "1 to update" in ann.run("plan").out
    ann.git("checkout", "-q", "--orphan", "again")
    ann.commit("All at once, edited")
    result = ann.run("plan")
    assert result.code == 1
    command = next(line for line in result.err.splitlines() if line.startswith("Next  git"))
    subprocess.run(["sh", "-c", command.split("  ")[1]], check=True, capture_output=True)
    assert "1 to update" in ann.run("plan").out
    ann.apply()


def test_a_shallow_clone_that_cannot_tell_goes_on(team: Team) -> None:
    ann = team.clone("ann")
    ann.commit("nothing") if ann.git("status", "--porcelain") else None
    ann.apply()
    ann.sessions("{name: rat1, description: edited}")
    ann.publish("Edited")
    job = team.clone("job", "--depth=1", of=f"file://{team.remote}")
    job.git("remote", "set-url", "origin", f"file://{team.folder}/gone.git")
    git(team.folder, "clone", "-q", "--bare", "--depth=1", f"file://{team.remote}", "gone.git")
    git(team.folder / "gone.git", "fetch", "-q", str(team.remote), f"{STATES}:{STATES}")
    result = job.run("plan")
    assert result.code == 0, result.said
    assert "The history here is too short" in result.out


def test_a_state_of_the_first_format_belongs_to_whoever_uses_it_next(team: Team) -> None:
    from stemctl.util.canonical_json import hash_of

    top = team.clone("ann")
    ann = manifests(team, top.root / "ann", "ann1")
    top.publish("A lab")
    ann.apply()
    git(top.root, "fetch", "-q", "origin", STATES)
    top.git("checkout", "-q", "-b", "old", "FETCH_HEAD")
    body = json.loads((top.root / "lab.state.json").read_text())
    del body["folder"], body["checksum"]
    body["format"] = 1
    top.write("lab.state.json", json.dumps({**body, "checksum": hash_of(body)}))
    top.git("commit", "-q", "-a", "-m", "An older stemctl")
    top.git("push", "-q", "origin", f"HEAD:{STATES}")
    top.git("checkout", "-q", "--force", "-")
    assert folder_of(team) is None
    ann.sessions("{name: ann1, description: edited}")
    top.publish("Edited")
    ann.apply()
    assert folder_of(team) == "ann"


def test_a_run_of_others_that_died_is_not_settled_here(team: Team, gate: Gate) -> None:
    top = team.clone("ann")
    ann, ben = manifests(team, top.root / "ann", "ann1"), manifests(team, top.root / "ben", "ben1")
    top.publish("Two labs")
    gate.opened.clear()
    process = ann.start("apply", "--auto-approve", lease=2)
    gate.wait_for(1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gate.opened.set()
    refuses(team, gate, ben, "the folder ann, which still has a stemctl.yaml", ("plan",))
