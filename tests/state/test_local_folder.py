"""Nothing below .stemctl is believed, written or read through that is a link or came with the
checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.git.team import git
from tests.support.lab import Lab

pytestmark = pytest.mark.slow

COMMANDS = [
    *(
        ["validate"],
        ["plan"],
        ["plan", "--offline"],
        ["apply", "-y"],
        ["drift"],
        ["state", "list"],
        ["runs", "list"],
    ),
    *(
        ["runs", "show", "x"],
        ["get", "project"],
        ["sandbox", "seed"],
        ["sandbox", "reset"],
        ["show", "session/a"],
    ),
]


@pytest.fixture
def used(lab: Lab) -> Lab:
    """A repository with a state, a sandbox and a run in it."""
    git(lab.root, "init", "-q")
    lab.write(".gitignore", "")
    lab.sessions("{name: a}")
    lab.apply()
    lab.sessions("{name: a}", "{name: b}")
    return lab


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(lab: Lab, *said: str) -> None:
    for command in COMMANDS:
        result = lab.run(*command)
        assert result.code == 1, (command, result.said)
        for words in said:
            assert words in result.err, command
        assert lab.requests == []


@pytest.mark.parametrize(
    "name",
    [
        "runs",
        "runs/sandbox",
        "runs/sandbox/x.jsonl",
        "sandbox.journal",
        "sandbox.lock",
        "sandbox.db-wal",
        "other/deep/x",
    ],
)
@pytest.mark.parametrize("there", [False, True], ids=["to nothing", "to what is there"])
def test_links_are_refused_at_any_depth(
    used: Lab, name: str, there: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    beside = tmp_path_factory.mktemp("beside")
    path, target = used.root / ".stemctl" / name, beside / "there"
    if path.exists():
        path.rename(target if there else used.root / "away")
    elif there:
        target.write_text("theirs\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    before = contents(beside)
    refused(used, f".stemctl/{name} is a link.", f"rm .stemctl/{name}")
    assert contents(beside) == before


@pytest.mark.parametrize("target", ["/dev/zero", "elsewhere.json", "records/sessions.yaml"])
def test_a_state_file_is_no_link(used: Lab, target: str) -> None:
    used.write("stemctl.yaml", "servers: {there: {url: 'http://127.0.0.1:9/', edition: 2024}}\n")
    (used.root / "there.state.json").symlink_to(target)
    for command in (
        ["plan"],
        ["plan", "--offline"],
        ["state", "list"],
        ["apply", "-y"],
        ["validate"],
    ):
        result = used.run("--server", "there", *command, token="sandbox-user")
        assert result.code == 1
        assert "there.state.json is a link." in result.err


def test_what_is_no_file_is_refused(used: Lab) -> None:
    os.mkfifo(used.root / ".stemctl/runs/sandbox/pipe")  # whoever opens it waits for ever
    refused(used, ".stemctl/runs/sandbox/pipe is neither a file nor a folder.")


def test_a_file_in_its_place_is_refused(lab: Lab) -> None:
    lab.sessions("{name: a}")
    (lab.root / ".stemctl").write_text("")
    refused(lab, ".stemctl is not a folder.")


TRACKED = [
    "sandbox.db",
    "sandbox.state.json",
    "sandbox.journal",
    "sandbox.lock",
    "runs/sandbox/x.jsonl",
    "git/config",
]


@pytest.mark.parametrize("name", TRACKED)
def test_what_git_tracks_came_with_the_checkout(used: Lab, name: str) -> None:
    path = used.root / ".stemctl" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n")
    git(used.root, "add", "-f", f".stemctl/{name}")
    before = contents(used.root)
    refused(
        used,
        f".stemctl/{name} is tracked by git.",
        " rm -r --cached .stemctl",
        " rm -r .stemctl",
    )
    assert contents(used.root) == before
    git(used.root, "rm", "-r", "-q", "--cached", ".stemctl")
    path.unlink()
    assert used.run("plan").code == 0


def test_its_gitignore_may_be_tracked(used: Lab) -> None:
    git(used.root, "add", "-f", ".stemctl/.gitignore")
    assert used.run("plan").code == 0


def test_a_submodule_in_its_place_came_with_the_checkout(used: Lab) -> None:
    (used.root / ".stemctl").rename(used.root / "away")
    (used.root / ".stemctl").mkdir()
    git(used.root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},.stemctl")
    refused(used, ".stemctl is tracked by git.")


@pytest.mark.parametrize("place", ["git", "history"])
def test_a_repository_of_an_earlier_version_is_neither_read_nor_removed(
    used: Lab, place: str
) -> None:
    folder = used.root / ".stemctl" / place
    folder.mkdir()
    (folder / "HEAD").symlink_to("refs/heads/main")  # as old versions of git made it
    assert used.run("plan").code == 0
    assert (folder / "HEAD").is_symlink()


def git_calls(lab: Lab, monkeypatch: pytest.MonkeyPatch, *command: str) -> list[str]:
    from stemctl.git.process import Git

    calls, real = list[str](), Git.run

    def noted(self: Git, *words: str, **options: bytes) -> bytes:
        calls.append(words[-1])
        return real(self, *words, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Git, "run", noted)
        lab.run(*command)
    return calls


@pytest.mark.parametrize("command", [("validate",), ("plan",), ("apply", "-y"), ("state", "list")])
def test_git_is_asked_once_and_only_where_there_is_a_folder(
    used: Lab, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    assert git_calls(used, monkeypatch, *command).count(":(icase).stemctl") == 1
    (used.root / ".stemctl").rename(used.root / "away")
    assert git_calls(used, monkeypatch, *command).count(":(icase).stemctl") == 0
