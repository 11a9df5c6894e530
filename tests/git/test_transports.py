"""Every way in which a clone reaches its remote, with git's own programs: the state goes the same
way.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.git.serving import BASIC, PASSWORD, SECRETS, USER, Forge, http_forge, local_ssh
from tests.git.team import SOURCE, STATES, Member, Team, git, make_team
from tests.support.served import Gate

pytestmark = pytest.mark.slow

DONE = "lab: 1 created [skip ci]"


@pytest.fixture
def forge(team: Team) -> Iterator[Forge]:
    git(team.remote, "config", "http.receivepack", "true")
    with http_forge(team.folder) as found:
        yield found


@pytest.fixture
def ann(team: Team) -> Member:
    return team.clone("ann")


def no_secret(member: Member, *said: str) -> None:
    """Nothing below .stemctl/, nothing in our own repository and nothing that was said holds a
    credential.
    """
    texts = [*(text.encode() for text in said)]
    for folder in (member.root / ".stemctl", member.own()):
        texts += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(secret.encode() in text for secret in SECRETS for text in texts)


def over(member: Member, url: str) -> None:
    member.git("remote", "set-url", "origin", url)


# ssh


@pytest.mark.parametrize("form", ["ssh://git@forge.example{path}", "git@forge.example:{path}"])
@pytest.mark.parametrize("by", ["environment", "configuration"])
def test_ssh(team: Team, ann: Member, form: str, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = shlex.quote(str(local_ssh(team.folder)))
    if by == "environment":
        monkeypatch.setenv("GIT_SSH_COMMAND", command)
    else:
        ann.git("config", "core.sshCommand", command)
    over(ann, form.format(path=team.remote))
    ann.apply()
    assert team.story()[0] == DONE
    assert "git@forge.example git-receive-pack" in (team.folder / "ssh.log").read_text()


def test_a_key_that_ssh_does_not_take(team: Team, ann: Member, gate: Gate) -> None:
    ann.git(
        "config",
        "core.sshCommand",
        "sh -c 'echo \"git@forge.example: Permission denied (publickey).\" >&2; exit 255'",
    )
    over(ann, f"git@forge.example:{team.remote}")
    result = ann.apply(code=1)
    assert "origin did not accept your credentials." in result.err
    assert "Permission denied (publickey)" in result.err
    assert gate.arrived == []


# http, and the ways in which its password is given


def extraheader(member: Member, forge: Forge) -> None:
    """As the checkout action of GitHub leaves it."""
    member.git(
        "config", "--local", f"http.{forge.url}.extraheader", f"AUTHORIZATION: basic {BASIC}"
    )


def included(member: Member, forge: Forge) -> None:
    """As newer versions of it do: in a file of the runner, included for this repository alone."""
    file = member.root.parent / "runner" / "git-credentials.config"
    file.parent.mkdir()
    git(
        member.root,
        "config",
        "--file",
        str(file),
        f"http.{forge.url}.extraheader",
        f"AUTHORIZATION: basic {BASIC}",
    )
    git_dir = Path(member.git("rev-parse", "--absolute-git-dir")).resolve()
    member.git("config", "--local", f"includeIf.gitdir:{git_dir}.path", str(file))


def helper(member: Member, forge: Forge) -> None:
    script = f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f"
    member.git("config", "--local", f"credential.{forge.url}.helper", script)


def in_the_url(member: Member, forge: Forge) -> None:
    over(member, forge.url_of("remote.git").replace("://", f"://{USER}:{PASSWORD}@"))


def instead_of(member: Member, forge: Forge) -> None:
    member.git(
        "config",
        f"url.{forge.url.replace('://', f'://{USER}:{PASSWORD}@')}.insteadOf",
        "git@forge.example:",
    )
    over(member, "git@forge.example:remote.git")


GIVEN = [
    helper,
    *(
        pytest.param(way, marks=pytest.mark.slow)
        for way in (extraheader, included, in_the_url, instead_of)
    ),
]


@pytest.mark.parametrize("given", GIVEN)
def test_a_password_that_only_the_clone_knows(
    team: Team, ann: Member, forge: Forge, given: Callable[[Member, Forge], None]
) -> None:
    over(ann, forge.url_of("remote.git"))
    given(ann, forge)
    result = ann.apply()
    assert team.story()[0] == DONE
    assert "POST /remote.git/git-receive-pack" in forge.seen
    no_secret(ann, result.said, git(team.remote, "log", "-p", "stemctl-state"))


@pytest.mark.parametrize("given", GIVEN)
def test_who_may_read_and_not_push(
    team: Team, ann: Member, forge: Forge, gate: Gate, given: Callable[[Member, Forge], None]
) -> None:
    forge.reader = forge.echo = True
    over(ann, forge.url_of("remote.git"))
    given(ann, forge)
    result = ann.apply(code=1)
    assert "You can read origin, but not push to it." in result.err
    assert "contents: write" in result.err
    assert gate.arrived == []
    no_secret(ann, result.said)
    assert ann.run("plan").code == 0


def test_a_push_url_of_its_own(team: Team, ann: Member, forge: Forge) -> None:
    """Read from one address without a password, written to another with it, like a replica."""
    ann.git("config", "remote.origin.pushurl", forge.url_of("remote.git"))
    extraheader(ann, forge)
    ann.apply()
    assert team.story()[0] == DONE
    assert all("git-receive-pack" in request or request.startswith("GET") for request in forge.seen)


def other(team: Team, *, at_both: bool = False) -> Path:
    """Another repository; `at_both`: a fork, to which the state branch was copied."""
    path = team.folder / "other.git"
    git(
        team.folder,
        *(("clone", "-q", "--bare", "remote.git") if at_both else ("init", "-q", "--bare")),
        str(path),
    )
    return path


def by_pushurl(ann: Member, there: Path) -> None:
    ann.git("config", "remote.origin.pushurl", str(there))


def by_push_instead_of(ann: Member, there: Path) -> None:
    ann.git("config", f"url.{there}.pushInsteadOf", ann.git("remote", "get-url", "origin"))


def by_a_second_url(ann: Member, there: Path) -> None:
    """Pushes go to all of them: what is read is among them."""
    ann.git("config", "--add", "remote.origin.url", str(there))


@pytest.mark.parametrize("how", [by_pushurl, by_push_instead_of])
@pytest.mark.parametrize("at_both", [False, True])
def test_a_push_that_leads_to_another_repository_is_taken_back(
    team: Team, ann: Member, gate: Gate, how: Callable[[Member, Path], None], at_both: bool
) -> None:
    if at_both:
        team.clone("ben").apply()
    there = other(team, at_both=at_both)
    how(ann, there)
    before, sent = git(there, "for-each-ref"), len(gate.arrived)
    ann.sessions("{name: rat2}")
    for _ in range(2):
        result = ann.apply(code=1)
        assert "origin is read from one repository and pushed to another." in result.err
        assert f"pushed to  {there}" in result.err
        assert f"read from  {team.remote}" in result.err
        assert "It was undone." in result.err
        assert git(there, "for-each-ref") == before
        assert len(gate.arrived) == sent
    assert (
        "--unset-all remote.origin.pushurl" in result.err
        if how is by_pushurl
        else "pushinsteadof" in result.err
    )


def test_what_cannot_be_taken_back_is_said(team: Team, ann: Member, gate: Gate) -> None:
    there = other(team)
    git(there, "config", "receive.denyDeletes", "true")
    by_pushurl(ann, there)
    result = ann.apply(code=1)
    assert "It could not be undone: delete stemctl-state there." in result.err
    assert gate.arrived == []


def test_a_branch_that_is_not_the_same_at_both_is_not_pushed(
    team: Team, ann: Member, gate: Gate
) -> None:
    team.clone("ben").apply()
    there, sent = other(team), len(gate.arrived)
    by_pushurl(ann, there)
    ann.sessions("{name: rat2}")
    result = ann.apply(code=1)
    assert (
        "Its branch stemctl-state differs between the two. Nothing was pushed or sent."
        in result.err
    )
    assert git(there, "for-each-ref") == ""
    assert len(gate.arrived) == sent


def test_a_password_in_one_of_two_addresses_is_not_shown(
    team: Team, ann: Member, forge: Forge
) -> None:
    there = other(team)
    git(there, "config", "http.receivepack", "true")
    ann.git(
        "config",
        "remote.origin.pushurl",
        forge.url_of("other.git").replace("://", f"://{USER}:{PASSWORD}@"),
    )
    result = ann.apply(code=1)
    assert "pushed to another" in result.err
    assert git(there, "for-each-ref") == ""
    no_secret(ann, result.said)


def test_pushes_may_go_to_a_mirror_too(team: Team, ann: Member) -> None:
    there = other(team)
    by_a_second_url(ann, there)
    ann.apply()
    assert team.story()[0] == DONE
    assert git(there, "rev-parse", STATES) == git(team.remote, "rev-parse", STATES)


# repositories of another kind


def test_a_repository_of_sha256(tmp_path: Path, team: Team) -> None:
    folder = tmp_path / "sha256"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_DEFAULT_HASH", "sha256")
        other = make_team(folder, team.url)
    ann = other.clone("ann")
    assert len(ann.git("rev-parse", "HEAD")) == 64
    ann.apply()
    assert other.story()[0] == DONE
    assert "Nothing to do" in other.clone("ben").run("plan").out


def test_a_folder_whose_name_is_not_utf_8(team: Team) -> None:
    ann = team.clone(os.fsdecode(b"ann\xff"))
    ann.apply()
    assert team.story()[0] == DONE
    assert "Nothing to do" in ann.run("plan").out
    assert ann.run("ci", "init", "github", "--source", SOURCE).code == 0


def test_a_work_tree_of_its_own_branch(team: Team, ann: Member) -> None:
    """Also what is configured for that work tree alone."""
    ann.git("config", "extensions.worktreeConfig", "true")
    ann.git("worktree", "add", "-q", "../beside", "-b", "beside")
    beside = Member(team.folder / "beside", "ann")
    over(ann, "git@forge.example:remote.git")
    beside.git("config", "--worktree", f"url.{team.folder}/.insteadOf", "git@forge.example:")
    beside.apply()
    assert team.story()[0] == DONE


def test_a_submodule(team: Team, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "above")
    above = Member(tmp_path / "above", "ann")
    above.git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(team.remote),
        "metadata",
    )
    Member(above.root / "metadata", "ann").apply()
    assert team.story()[0] == DONE


def test_a_git_folder_elsewhere(team: Team) -> None:
    ann = team.clone("ann", "--separate-git-dir", str(team.folder / "elsewhere"))
    assert (ann.root / ".git").is_file()
    ann.apply()
    assert team.story()[0] == DONE


def test_a_repository_of_someone_else(
    team: Team, ann: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper(tmp_path, monkeypatch, "export GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
    result = ann.run("plan")
    assert result.code == 1
    assert "dubious ownership" in result.err
    assert f"git config --global --add safe.directory {ann.root}" in result.err
    assert "git init" not in result.err


# what a user has configured for every repository


def wrapper(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """A git that does something first."""
    real = shutil.which("git")
    (folder / "bin").mkdir()
    (folder / "bin/git").write_text(f'#!/bin/sh\n{line}\nexec {real} "$@"\n')
    (folder / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")


def everywhere(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (folder / "gitconfig").write_text(text)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))


ODD = """\
[push]
    gpgSign = true
    followTags = true
    recurseSubmodules = check
    pushOption = ci.skip
[log]
    showSignature = true
    decorate = full
[color]
    ui = always
[fetch]
    prune = true
    pruneTags = true
[core]
    logAllRefUpdates = always
    hooksPath = HOOKS
    quotePath = false
[safe]
    bareRepository = explicit
[user]
    useConfigOnly = true
"""


def test_what_is_configured_for_people_does_not_matter(
    team: Team, ann: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "pre-push", "post-commit"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    git(
        team.remote, "config", "core.hooksPath", "/nowhere"
    )  # that it is on the same machine is not the point
    everywhere(tmp_path, monkeypatch, ODD.replace("HOOKS", str(hooks)))
    ann.apply()
    assert "Nothing to do" in ann.run("plan").out
    assert len(ann.run("runs", "list").out.splitlines()) == 1
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert team.story()[0] == DONE


def test_what_is_configured_for_some_repositories_alone(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of a lab, taken for what lies below a folder: our repository lies elsewhere than the
    user's.
    """
    command = shlex.quote(str(local_ssh(team.folder)))
    ann = team.clone("ann", "--separate-git-dir", str(team.folder / "elsewhere"))
    over(ann, f"git@forge.example:{team.remote}")
    git(tmp_path, "config", "--file", "lab.config", "core.sshCommand", command)
    folder = (team.folder / "elsewhere").resolve()
    condition = f'[includeIf "gitdir:{folder}"]\n path = {tmp_path}/lab.config\n'
    everywhere(tmp_path, monkeypatch, condition)
    ann.apply()
    assert team.story()[0] == DONE


def test_a_setting_without_a_value_is_true(team: Team, ann: Member) -> None:
    with (ann.root / ".git/config").open("a") as file:
        file.write("[http]\n\tsslVerify\n")
    ann.apply()
