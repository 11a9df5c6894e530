"""A git that cannot answer is not taken for one that says no, and a checkout does not decide what
git runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stemctl.errors import StateError
from stemctl.git.process import GitFailure, NoGit, NoRepository, TooLate, clean, user_git
from stemctl.git.repository import head_commit
from stemctl.manifests.git_ignored import not_ignored
from tests.git.team import git
from tests.support.lab import Lab, run_in_process

pytestmark = pytest.mark.slow

BARE = "looks like a bare git repository"


@pytest.fixture
def repo(lab: Lab) -> Lab:
    """A git repository with an ignored manifest."""
    git(lab.root, "init", "-q")
    lab.sessions("{name: a}")
    lab.sessions("{name: draft}", name="records/draft.yaml")
    lab.write(".gitignore", ".stemctl/\nrecords/draft.yaml\n")
    commit(lab.root)
    return lab


def commit(folder: Path, message: str = "x") -> None:
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@x", "commit", "-q", "-m", message)


def assume_another_owner(repo: Lab) -> None:
    real, folder = shutil.which("git"), repo.root.with_name(f"{repo.root.name}-bin")
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    repo.monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def no_head(repo: Lab) -> None:
    (repo.root / ".git/HEAD").unlink()


def bad_index(repo: Lab) -> None:
    (repo.root / ".git/index").write_bytes(b"zz")


def bad_config(repo: Lab) -> None:
    (repo.root / ".git/config").write_text("[core\n")


def unknown_extension(repo: Lab) -> None:
    git(repo.root, "config", "core.repositoryFormatVersion", "1")
    git(repo.root, "config", "extensions.somethingNew", "true")


def git_folder_elsewhere(repo: Lab) -> None:
    (repo.root / ".git").rename(repo.root / "moved")
    (repo.root / ".git").write_text("gitdir: /nowhere\n")


DAMAGE = [
    assume_another_owner,
    no_head,
    bad_index,
    bad_config,
    unknown_extension,
    git_folder_elsewhere,
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_git_that_cannot_answer_ends_the_command(
    repo: Lab, damage: Callable[[Lab], None]
) -> None:
    damage(repo)
    for command in (
        ["validate"],
        ["plan"],
        ["plan", "--offline"],
        ["apply", "-y"],
        ["fmt", "--check"],
    ):
        result = repo.run(*command)
        assert result.code == 1, (command, result.said)
        assert "git cannot read this repository." in result.err
        assert "git: fatal: " in result.err
        assert repo.writes == []
        if damage is assume_another_owner:
            assert f"git config --global --add safe.directory {repo.root}" in result.err


@pytest.mark.parametrize("head", ["nothing\n", "1" * 40 + "\n"])
def test_a_head_that_leads_nowhere_is_not_the_time_before_the_first_commit(
    repo: Lab, head: str
) -> None:
    branch = git(repo.root, "symbolic-ref", "HEAD")
    (repo.root / ".git" / branch).write_text(head)
    with pytest.raises(StateError, match="cannot read this repository"):
        head_commit(repo.root)


def test_what_is_no_repository_has_no_commit(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert head_commit(lab.root) is None
    (lab.root / ".git").mkdir()  # as a container has it that hides the real one
    assert head_commit(lab.root) is None
    git(lab.root, "init", "-q")
    assert head_commit(lab.root) is None  # before the first commit
    monkeypatch.setenv("PATH", "")
    assert head_commit(lab.root) is None
    with pytest.raises(NoGit):
        user_git(lab.root).run("version")


def test_failures_are_told_apart(repo: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    here = user_git(repo.root)
    assert here.query_or_stop("rev-parse", "--verify", "--quiet", "nosuch") is None
    with pytest.raises(GitFailure) as found:
        here.query("rev-parse", "--verify", "nosuch")
    assert found.value.code == 128
    with pytest.raises(TooLate):
        here.run("cat-file", "--batch", timeout=-1)
    with pytest.raises(NoRepository):
        user_git(tmp_path_factory.mktemp("loose")).query_or_stop("rev-parse", "HEAD")


# what is ignored, where it has to be asked in another way


def submodule(repo: Lab) -> Path:
    """A submodule below the manifests, with an ignored file of its own."""
    rig = repo.root.with_name(f"{repo.root.name}-rig")
    rig.mkdir()
    git(rig, "init", "-q")
    (rig / "s.yaml").write_text("sessions: []\n")
    (rig / ".gitignore").write_text("own.yaml\n")
    commit(rig)
    allowed = ("-c", "protocol.file.allow=always")
    git(repo.root, *allowed, "submodule", "--quiet", "add", str(rig), "records/rig")
    commit(repo.root)
    return repo.root / "records/rig"


PATHS = [
    "records/draft.yaml",
    "records/sessions.yaml",
    "records/rig/own.yaml",
    "records/rig/s.yaml",
]


def test_files_of_a_submodule_are_ignored_by_its_own_rules(repo: Lab) -> None:
    (submodule(repo) / "own.yaml").write_text("sessions: []\n")
    assert not_ignored(repo.root, PATHS) == ["records/sessions.yaml", "records/rig/s.yaml"]
    assert "No errors in 2 files" in repo.run("validate").said


def test_a_submodule_that_was_not_fetched_has_no_rules(repo: Lab) -> None:
    submodule(repo)
    git(repo.root, "submodule", "deinit", "--force", "--quiet", "records/rig")
    assert not_ignored(repo.root, PATHS) == PATHS[1:]


def test_a_submodule_whose_git_folder_is_gone_ends_the_command(repo: Lab) -> None:
    submodule(repo)
    shutil.rmtree(repo.root / ".git/modules")
    with pytest.raises(StateError, match="cannot read this repository"):
        not_ignored(repo.root, PATHS)


def test_a_repository_in_the_repository_has_its_rules_and_those_above(repo: Lab) -> None:
    inner = repo.root / "records/inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / ".git/info/exclude").write_text("private.yaml\n")
    paths = [
        "records/draft.yaml",
        *(f"records/inner/{name}.yaml" for name in ("draft", "kept", "private")),
    ]
    assert not_ignored(repo.root, paths) == ["records/inner/draft.yaml", "records/inner/kept.yaml"]
    repo.write(".gitignore", ".stemctl/\ndraft.yaml\n")
    assert not_ignored(repo.root, paths) == ["records/inner/kept.yaml"]


def test_a_repository_in_a_folder_without_one_has_its_rules(lab: Lab) -> None:
    inner = lab.root / "records/inner"
    inner.mkdir(parents=True)
    git(inner, "init", "-q")
    (inner / ".gitignore").write_text("draft.yaml\n")
    paths = ["records/draft.yaml", "records/inner/draft.yaml"]
    assert not_ignored(lab.root, paths) == ["records/draft.yaml"]


def test_what_is_reached_through_a_link_is_ignored_where_it_is(repo: Lab) -> None:
    (repo.root / "linked").symlink_to("records")
    paths = ["linked/draft.yaml", "linked/sessions.yaml", "records/draft.yaml"]
    assert not_ignored(repo.root, paths) == ["linked/sessions.yaml"]


# what comes with a checkout


def bare_at(folder: Path, ran: Path) -> None:
    """The files of a bare repository whose settings name a command, as they can be committed."""
    subprocess.run(["git", "init", "-q", "--bare", "--template=", folder], check=True)
    for name in ("fsmonitor", "pager", "sshCommand", "hooksPath"):
        git(folder, "config", f"core.{name}", f"touch {ran}; false")
    git(folder, "config", "core.bare", "false")
    git(folder, "config", "core.worktree", str(folder))


def bare_of_two(folder: Path, ran: Path) -> None:
    """One whose parts are in another folder."""
    bare_at(folder.parent / "other", ran)
    folder.mkdir(exist_ok=True)
    shutil.copy(folder.parent / "other/HEAD", folder / "HEAD")
    (folder / "commondir").write_text("../other\n")


@pytest.mark.parametrize("make", [bare_at, bare_of_two])
@pytest.mark.parametrize("below", ["", "records"])
def test_a_committed_bare_repository_is_not_obeyed(
    repo: Lab, make: Callable[[Path, Path], None], below: str, tmp_path: Path
) -> None:
    """In a folder of the metadata that git is run in; git 2.38 and newer refuses it as well."""
    ran, folder = tmp_path / "ran", repo.root / "lab"
    (repo.root / "stemctl.yaml").rename(repo.root / "kept")
    make(folder, ran)
    (repo.root / "kept").rename(folder / "stemctl.yaml")
    (folder / "records").mkdir()
    (folder / "records/a.yaml").write_text("sessions: []\n")
    if below:
        make(folder / below, ran)
        (folder / "HEAD").unlink()
    result = run_in_process("-C", str(folder), "validate")
    assert result.code == (0 if below else 1), result.err
    assert below or BARE in result.err
    with pytest.raises(StateError, match="bare"):
        user_git(folder / below).run("status")
    assert not ran.exists()


def test_at_the_top_of_a_checkout_its_own_git_folder_counts(repo: Lab, tmp_path: Path) -> None:
    bare_at(repo.root / "x", tmp_path / "ran")
    for path in (repo.root / "x").iterdir():
        path.rename(repo.root / path.name)
    assert repo.run("plan").code == 0
    assert not (tmp_path / "ran").exists()


def test_what_the_user_configured_is_outweighed_where_a_checkout_could_use_it(
    repo: Lab, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    git(repo.root, "config", "core.fsmonitor", f"touch {ran}; false")
    git(repo.root, "config", "protocol.ext.allow", "always")
    git(repo.root, "remote", "add", "odd", f"ext::touch {ran}")
    user_git(repo.root).run("status")
    environ = clean({**os.environ, "GIT_ALLOW_PROTOCOL": "ext:file"})
    for given in (clean(os.environ), environ):
        with pytest.raises(GitFailure, match="not allowed"):
            user_git(repo.root, given).run("ls-remote", "odd")
    assert not ran.exists()
    assert environ["GIT_ALLOW_PROTOCOL"] == "file"


def test_no_token_in_the_environment_of_git(repo: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRAINSTEM_TOKEN", "BRAINSTEM_API_TOKEN"):
        monkeypatch.setenv(name, "a-secret-of-the-user")
    git(repo.root, "config", "alias.environ", "!env")
    said = user_git(repo.root).text("environ")
    assert "HOME=" in said
    assert "BRAINSTEM" not in said
    assert "a-secret" not in said
