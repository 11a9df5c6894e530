"""Our own repositories are where nothing of a checkout can be, and for their user alone."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from stemctl.git import mirror_cache
from stemctl.git.mirror import Mirror, open_mirror
from tests.git.team import STATES, Member, Team, git

pytestmark = pytest.mark.slow


@pytest.fixture
def ann(team: Team) -> Member:
    return team.clone("ann")


def test_it_is_outside_of_the_checkout_and_private(ann: Member) -> None:
    os.umask(0)
    try:
        ann.apply()
    finally:
        os.umask(0o022)
    own = ann.own()
    assert own.is_relative_to(os.environ["XDG_CACHE_HOME"])
    for folder in (own.parent, own.parent.parent, own.parent.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in (ann.root / ".stemctl").iterdir()}.isdisjoint({"git", "history"})


def test_two_folders_and_two_remotes_share_nothing(team: Team, ann: Member, tmp_path: Path) -> None:
    ben = team.clone("ben")
    ann.apply()
    ben.run("plan")
    assert ann.own() != ben.own()
    before = ann.own()
    shutil.copytree(team.remote, tmp_path / "copy.git")
    ann.git("remote", "set-url", "origin", str(tmp_path / "copy.git"))
    ann.run("plan")
    folder = mirror_cache.of_root(ann.root)
    assert folder is not None
    assert len(list(folder.glob("*/states"))) == 2
    assert before in folder.glob("*/states")


def test_another_password_is_no_other_remote(tmp_path: Path) -> None:
    def folder(url: str) -> Path:
        return mirror_cache.folder_for(tmp_path, tmp_path, "origin", [url])

    assert folder("https://job:1@forge.example/x") == folder("https://job:2@forge.example/x")
    assert folder("https://forge.example/x") != folder("https://forge.example/y")


def works_without_it(ann: Member) -> None:
    """A folder of the process is enough."""
    ann.apply()
    assert "Nothing to do" in ann.run("plan").out
    assert mirror_cache._of_this_process().is_dir()


@pytest.fixture
def passing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders of this process are made, as of a new process."""
    folder = tmp_path / "passing"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    mirror_cache._of_this_process.cache_clear()
    return folder


@pytest.mark.parametrize("below", ["", ".cache", "records/.cache"])
def test_a_cache_inside_the_checkout_is_not_used(
    ann: Member, below: str, monkeypatch: pytest.MonkeyPatch, passing: Path
) -> None:
    """Some CI services keep only what is below the checkout. Then it can be committed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(ann.root / below))
    works_without_it(ann)
    assert not list(ann.root.rglob("states"))
    assert len(list(passing.iterdir())) == 1


def test_nor_one_inside_the_checkout_that_a_subfolder_is_of(
    team: Team, ann: Member, monkeypatch: pytest.MonkeyPatch, passing: Path
) -> None:
    lab = Member(ann.root / "lab", "ann")
    lab.root.mkdir()
    for name in ("stemctl.yaml", "records"):
        (ann.root / name).rename(lab.root / name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(ann.root / ".cache"))
    works_without_it(lab)
    assert not (ann.root / ".cache").exists()


@pytest.mark.parametrize("value", ["relative", "/dev/null"])
def test_a_cache_that_cannot_be_used(
    ann: Member, value: str, monkeypatch: pytest.MonkeyPatch, passing: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.chdir(ann.root)
    works_without_it(ann)
    assert not (ann.root / value).exists() or value == "/dev/null"


def test_one_that_others_may_write_is_not_used(ann: Member, passing: Path) -> None:
    folder = mirror_cache.of_root(ann.root)
    assert folder is not None
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    works_without_it(ann)
    assert list(folder.iterdir()) == []


def test_a_link_in_its_place_is_not_used(ann: Member, tmp_path: Path, passing: Path) -> None:
    folder = mirror_cache.of_root(ann.root)
    assert folder is not None
    folder.parent.mkdir(parents=True)
    (tmp_path / "theirs").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "theirs")
    works_without_it(ann)
    assert list((tmp_path / "theirs").iterdir()) == []


def test_a_folder_of_a_process_ends_with_it(ann: Member, passing: Path) -> None:
    job = ann.start("plan", XDG_CACHE_HOME="relative", TMPDIR=str(passing))
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 0, said
    assert list(passing.iterdir()) == []


def test_the_place_of_earlier_versions_is_not_obeyed(ann: Member, tmp_path: Path) -> None:
    """Case: a repository below .stemctl whose settings name a command."""
    old = ann.root / ".stemctl/git"
    git(ann.root, "init", "-q", "--bare", "--template=", str(old))
    git(old, "config", "remote.origin.uploadpack", f"touch {tmp_path}/ran; git-upload-pack")
    for command in (["validate"], ["plan", "--offline"], ["plan"], ["apply", "--auto-approve"]):
        assert ann.run(*command).code == 0
    assert not (tmp_path / "ran").exists()
    assert (old / "config").exists()


def test_what_runs_leave_is_packed(ann: Member) -> None:
    """Each run leaves about eight loose objects, which take 4 KiB each."""
    ann.apply()
    states = open_mirror(mirror_cache.STATES, ann.root, "origin", os.environ)
    commit = states.last_seen(STATES)
    for number in range(30):
        files = {f"lab.state/{name:02x}.json": f"{number} {name}".encode() for name in range(90)}
        commit = states.commit(commit, [str(commit)], "x", files, ("A", "a@lab.example"), 1)
        states.git.run("update-ref", "refs/stemctl/kept", commit)
    assert loose(states) > 2500
    ann.sessions("{name: rat1, description: Edited.}")
    ann.apply()
    assert loose(states) < 100
    assert ann.run("plan").code == 0


def test_the_mirrors_of_a_removed_checkout_go_when_another_one_comes(
    team: Team, ann: Member
) -> None:
    ann.apply()
    kept = mirror_cache.of_root(ann.root)
    assert kept is not None
    ben, cem = team.clone("ben"), team.clone("cem")
    ben.run("plan")
    assert kept.exists(), "its checkout is still there"
    shutil.rmtree(ann.root)
    ben.run("plan")
    assert kept.exists(), "nothing new has come"
    cem.run("plan")
    assert not kept.exists()
    assert ben.own().exists()


def loose(mirror: Mirror) -> int:
    """How many objects of a mirror are not packed."""
    return int(mirror.git.text("count-objects").split()[0])
