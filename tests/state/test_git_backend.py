"""The state on a branch: what is there, what is left alone, who may write, and who comes first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from stemctl.state import state_branch
from stemctl.state.state_branch import StateBranch
from tests.git.team import STATES, Member, Team, git
from tests.support.served import Gate

RAT1 = "{name: rat1, date_time: 2024-03-12T09:00:00Z, description: first}"
RAT2 = "{name: rat2, date_time: 2024-03-13T09:00:00Z, description: second}"


def seen(member: Member) -> tuple[str, ...]:
    """All that git knows of a clone: status, refs, index, configuration."""
    words = [
        ("status", "--porcelain", "--untracked-files=all"),
        ("for-each-ref",),
        ("ls-files", "--stage"),
        ("rev-parse", "HEAD"),
        ("config", "--local", "--list"),
        ("count-objects", "-v"),
    ]
    return tuple(member.git(*row) for row in words)


def test_a_run_is_one_commit_and_nothing_of_the_clone_is_touched(team: Team) -> None:
    ann = team.clone("ann")
    ann.write("notes.txt", "not added")
    ann.write(
        "records/sessions.yaml", (ann.root / "records/sessions.yaml").read_text() + f"  - {RAT2}\n"
    )
    before = seen(ann)
    ann.apply()
    assert seen(ann) == before
    assert team.story() == ["lab: 2 created [skip ci]", "Initialise stemctl state [skip ci]"]
    assert team.files() == ["README.md", "lab.run.jsonl", "lab.state.json"]


def test_the_story_says_who_did_what_from_where(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_RUN_ID", "8412")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://forge.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "lab/metadata")
    ann = team.clone("ann")
    digest = ann.run("plan", "-o", "json").json["digest"]
    ann.apply()
    commit = ann.git("rev-parse", "HEAD")
    told = git(team.remote, "log", "-1", "--format=%B", STATES).splitlines()
    assert "Who: GitHub Actions, job 8412" in told
    assert "CI: https://forge.example/lab/metadata/actions/runs/8412" in told
    assert f"Commit: {commit}" in told
    assert f"Digest: {digest}" in told
    assert any(line.startswith("+ session/rat1 created ") for line in told)
    assert not any("broke off" in line for line in told)


def test_another_clone_goes_on_from_there(team: Team) -> None:
    team.clone("ann").apply()
    ben = team.clone("ben")
    assert "Nothing to do" in ben.run("plan").out
    ben.sessions(RAT1.replace("first", "edited"))
    assert [
        f["reason"] for c in ben.run("plan", "-o", "json").json["changes"] for f in c["fields"]
    ] == ["edited"]
    ben.apply()
    assert team.story()[0] == "lab: 1 updated [skip ci]"
    runs = json.loads(team.clone("cleo").run("runs", "list", "-o", "json").out)
    assert [run["numbers"] for run in runs] == [{"applied": 1}, {"applied": 1}]
    shown = team.clone("dora").run("runs", "show", runs[0]["run"], "-o", "yaml").out
    assert (
        "description: first" in shown
    )  # the record as it was, on a machine that did not change it


@pytest.mark.parametrize(
    "options", [("--depth=1",), ("--depth=1", "--no-single-branch"), ("--filter=tree:0",)]
)
def test_in_a_shallow_clone_with_a_detached_head_and_nobody_in_it(
    team: Team, options: tuple[str, ...]
) -> None:
    job = team.clone("job", *options, of=f"file://{team.remote}")
    job.git("checkout", "-q", "--detach")
    before = seen(job)
    job.apply()
    assert seen(job) == before
    assert team.story()[0] == "lab: 1 created [skip ci]"


def test_a_remote_by_a_relative_path(team: Team) -> None:
    ann = team.clone("ann")
    ann.git("remote", "set-url", "origin", "../remote.git")
    (ann.root / "deep").mkdir()
    (ann.root / "stemctl.yaml").rename(ann.root / "deep/stemctl.yaml")
    (ann.root / "records").rename(ann.root / "deep/records")
    assert Member(ann.root / "deep", "ann").apply().code == 0
    assert team.story()[0] == "lab: 1 created [skip ci]"


def test_inside_a_hook_gits_own_variables_do_not_lead_astray(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = team.clone("ann")
    elsewhere = team.clone("elsewhere")
    with monkeypatch.context() as patch:
        patch.setenv("GIT_DIR", str(elsewhere.root / ".git"))
        patch.setenv("GIT_INDEX_FILE", str(elsewhere.root / ".git/index"))
        patch.setenv("GIT_WORK_TREE", str(elsewhere.root))
        ann.apply()
    assert team.story()[0] == "lab: 1 created [skip ci]"


def hook(team: Team, name: str, text: str) -> None:
    path = team.remote / "hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_a_protected_branch_is_found_before_the_first_write(team: Team, gate: Gate) -> None:
    hook(
        team,
        "update",
        'case "$1" in refs/heads/stemctl-state) echo "protected branch"; exit 1;; esac',
    )
    ann = team.clone("ann")
    result = ann.apply(code=1)
    assert "origin does not allow you to push to its branch stemctl-state." in result.err
    assert "Nothing was sent." in result.err
    assert gate.arrived == []
    assert ann.run("plan").code == 0  # reading needs no right to push


def test_a_branch_that_holds_something_else_is_not_written_to(team: Team, gate: Gate) -> None:
    ann = team.clone("ann")
    config = (ann.root / "stemctl.yaml").read_text()
    ann.write("stemctl.yaml", config.replace("backend: git", "backend: git, branch: main"))
    result = ann.apply(code=1)
    assert (
        "branch main of origin contains files that are not states: records/sessions.yaml"
        in result.err
    )
    assert gate.arrived == []


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("{backend: git, remote: elsewhere}", "no remote 'elsewhere'"),
        ("{backend: git, remote: --upload-pack=touch x}", "cannot be `"),
        ("{backend: git, remote: 'ext::sh -c touch% x'}", "cannot be `"),
        ("{backend: git, branch: -x}", "cannot be `"),
        ("{backend: git, branch: ../main}", "cannot be `"),
        ("{backend: cloud}", "cannot be `cloud`"),
        ("{backend: gti}", "Write `git`"),
        ("{backend: git, brnach: x}", "has no key `brnach`"),
        ("{branch: x}", "has no `backend`"),
        ("git", "Write `{backend: git}`"),
    ],
)
def test_a_remote_is_a_name_and_nothing_that_git_would_obey(
    team: Team, state: str, said: str
) -> None:
    ann = team.clone("ann")
    config = (ann.root / "stemctl.yaml").read_text()
    ann.write("stemctl.yaml", config.replace("{backend: git}", state))
    result = ann.run("plan")
    assert result.code == 1
    assert said in result.err


def test_without_a_repository_it_says_what_is_missing(team: Team, tmp_path: Path) -> None:
    bare = Member(tmp_path / "export", "nobody")
    bare.write("stemctl.yaml", (team.folder / "founder/stemctl.yaml").read_text())
    bare.sessions(RAT1)
    result = bare.run("plan")
    assert result.code == 1
    assert "is not in a git repository" in result.err
    assert bare.run("validate").code == 0  # the files alone need none


def test_a_remote_that_is_gone_sends_nothing(team: Team, gate: Gate) -> None:
    ann = team.clone("ann")
    team.remote.rename(team.folder / "moved.git")
    result = ann.apply(code=1)
    assert "origin cannot be reached." in result.err
    assert "ls-remote origin" in result.err
    assert gate.arrived == []
    assert ann.run("validate").code == 0  # what needs no state works on


def test_validate_asks_no_remote_and_remembers_what_was_seen(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    team.remote.rename(team.folder / "moved.git")
    ann.write(
        "records/sessions.yaml", "sessions:\n  - {name: rat1, description: without its project}\n"
    )
    result = ann.run("validate")
    assert result.code == 0
    assert "left to the server [missing-field]" in result.out


@pytest.mark.slow
def test_a_large_state_is_written_in_pieces(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_branch, "SHARDED_ABOVE", 10)
    ann = team.clone("ann")
    records = [f"{{name: s{n}, date_time: 2024-03-12T09:00:00Z}}" for n in range(40)]
    ann.sessions(*records)
    ann.publish("Forty sessions")
    ann.apply()
    assert "Nothing to do" in team.clone("ben").run("plan").out
    before = git(team.remote, "ls-tree", "-r", STATES).splitlines()
    ann.sessions(*records[:-1], "{name: s39, date_time: 2024-03-12T09:00:00Z, description: new}")
    ann.apply()
    after = git(team.remote, "ls-tree", "-r", STATES).splitlines()
    changed = sorted(line.split("\t")[1] for line in set(after) - set(before))
    assert len(changed) == 3
    assert changed[0] == "lab.run.jsonl"
    assert changed[1] == "lab.state.json"
    assert changed[2].startswith("lab.state/")
    assert len(before) > 20
    ann.sessions(*records[:5])
    ann.apply("--allow", "delete=40")
    assert team.files() == ["README.md", "lab.run.jsonl", "lab.state.json"]


def test_two_servers_share_a_branch(team: Team) -> None:
    ann = team.clone("ann")
    config = (ann.root / "stemctl.yaml").read_text()
    ann.write("stemctl.yaml", config + config.splitlines()[-1].replace("lab:", "lab.2:") + "\n")
    ann.apply()
    result = ann.run("--server", "lab.2", "apply", "--auto-approve")
    assert result.code == 0, result.said
    assert team.files() == [
        "README.md",
        "lab.2.run.jsonl",
        "lab.2.state.json",
        "lab.run.jsonl",
        "lab.state.json",
    ]
    assert team.story()[:2] == ["lab.2: 1 adopted [skip ci]", "lab: 1 created [skip ci]"]


def test_an_edit_of_the_state_is_a_commit_too(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    id_ = ann.run("state", "list", "-o", "json").json["session/rat1"]
    assert ann.run("state", "mv", "session/rat1", "session/one").code == 0
    assert ann.run("state", "rm", "session/one").code == 0
    ben = team.clone("ben")
    assert ben.run("state", "list", "-o", "json").json == {}
    assert ben.run("import", "session/rat1", id_).code == 0
    assert ann.run("state", "list", "-o", "json").json == {"session/rat1": id_}
    assert team.story()[0] == "lab: import session/rat1, serial 4 [skip ci]"


def test_a_damaged_state_is_refused(team: Team) -> None:
    ann = team.clone("ann")
    ann.apply()
    ann.git("fetch", "-q", "origin", STATES)
    ann.git("checkout", "-q", "-B", "mend", "FETCH_HEAD")
    state = (ann.root / "lab.state.json").read_text()
    (ann.root / "lab.state.json").write_text(state.replace("first", "forged"))
    ann.commit("by hand")
    ann.git("push", "-q", "origin", f"HEAD:{STATES}")
    ben = team.clone("ben")
    result = ben.run("plan")
    assert result.code == 1
    assert (
        "lab.state.json on branch stemctl-state of origin does not match its checksum."
        in result.err
    )


def test_a_list_reads_the_records_of_other_machines_alone(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = team.clone("ann"), team.clone("ben")
    ann.apply()
    ben.git("pull", "-q", "origin", "main")
    ben.sessions("{name: rat1, description: Of Ben.}")
    ben.apply()
    reads: list[int] = []
    original = StateBranch.read

    def counted(self: StateBranch, blobs: Iterable[str]) -> list[bytes]:
        wanted = list(blobs)
        reads.append(sum("run.jsonl" in blob for blob in wanted))
        return original(self, wanted)

    monkeypatch.setattr(StateBranch, "read", counted)
    listed = ann.run("runs", "list", "-o", "json").json
    assert len(listed) == 2
    assert sum(reads) == 1
    reads.clear()
    assert "session/rat1" in ann.run("runs", "show", listed[0]["run"]).out
    assert len(team.clone("cem").run("runs", "list", "-o", "json").json) == 2
