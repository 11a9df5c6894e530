"""Every command in a checkout that tries to make it run something, as a process with a token."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from stemctl.cli.main import COMMANDS
from tests.git.team import SOURCE, Member, Team, git, make_team, serve_folder
from tests.security.hostile import (
    OWN,
    SECRET,
    Traps,
    Trick,
    bare,
    git_files,
    lay,
    names_and_links,
    publish,
    script,
    subfolder,
)
from tests.support.served import Gate, serve_behind

CANARY = "canary-7f3a9c51"

LINES = [
    *(
        "init",
        "new session name=rat9 --dry-run",
        "set session/rat1 description=x --dry-run",
        "mv session/rat1 session/rat9 --dry-run",
        "rm session/rat1 --dry-run",
        "pull --all --dry-run",
        "load sheet.csv --as session --dry-run",
        "validate",
        "fmt --check",
        "plan",
        "plan --offline",
        "plan --base origin/main",
        "plan --out plan.json",
    ),
    *(
        "apply --auto-approve",
        "apply plan.json --auto-approve",
        "show session/rat1",
        "report",
        "drift",
        "resolve session/rat1",
    ),
    *(
        "get project",
        "approvals list",
        "import session/rat1 x",
        "state list",
        "runs list",
        "explain session",
    ),
    *(
        "schema show",
        "--server sandbox login",
        "logout",
        "doctor",
        "completion bash",
        f"ci init github --source {SOURCE}",
        "--server sandbox sandbox seed",
    ),
]
STATEFUL = ["validate", "plan --offline", "plan", "apply --auto-approve"]


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    monkeypatch.setenv("BRAINSTEM_TOKEN", "sandbox-user")
    gate = Gate()
    gate.opened.set()
    with serve_behind(gate, serve_folder(tmp_path / "server")) as url:
        yield make_team(tmp_path, url)


@pytest.fixture
def traps(tmp_path: Path) -> Traps:
    return lay(tmp_path)


@pytest.fixture
def environments(tmp_path: Path, team: Team, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the environment of each git that was started, and of the hook of the remote."""
    folder = tmp_path / "environments"
    folder.mkdir()
    script(
        tmp_path / "bin/git", f'#!/bin/sh\nenv > {folder}/git-$$\nexec {shutil.which("git")} "$@"\n'
    )
    script(tmp_path / "remote.git/hooks/pre-receive", f"#!/bin/sh\nenv > {folder}/hook-$$\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("BRAINSTEM_API_TOKEN", CANARY)
    return folder


def run(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own; -P, as modules of the folder are none of its program's."""
    command = [sys.executable, "-P", "-m", "stemctl", *line.split()]
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def survives(
    folder: Path, traps: Traps, environments: Path, lines: Sequence[str] = LINES
) -> dict[str, str]:
    """Run commands. Whatever they say, which it gives: nothing was run, told or written that a
    checkout wanted.
    """
    before, said = contents(traps.outside), {}
    for path in environments.iterdir():
        path.unlink()  # of the gits that made the checkout
    for line in lines:
        done = run(folder, line)
        said[line] = done.stdout + done.stderr
        assert done.returncode in (0, 1, 2, 3), (line, said[line])
        assert traps.sprung() == [], line
        assert SECRET not in said[line], line
        assert "\x1b" not in said[line], line
        assert contents(traps.outside) == before, line
    for path in environments.iterdir():
        text = path.read_text(errors="replace")
        assert "BRAINSTEM" not in text, path
        assert CANARY not in text, path
    return said


def test_all_commands_are_tried() -> None:
    assert {word for line in LINES for word in line.split() if word in COMMANDS} == set(COMMANDS)


def victim(team: Team, traps: Traps, *tricks: Trick) -> Member:
    publish(team.clone("eve"), traps, *tricks)
    return team.clone("victim")


@pytest.mark.slow
def test_a_checkout_with_every_trick(team: Team, traps: Traps, environments: Path) -> None:
    ann = victim(team, traps, *OWN, git_files, names_and_links)
    said = survives(ann.root, traps, environments)
    assert all("Error: .stemctl/" in said[line] for line in STATEFUL)
    assert git(team.remote, "branch", "--list", "stemctl-state") == ""


@pytest.mark.parametrize(
    "trick", [OWN[0], *(pytest.param(trick, marks=pytest.mark.slow) for trick in OWN[1:])]
)
def test_a_committed_folder_of_our_own(
    team: Team, traps: Traps, environments: Path, trick: Trick
) -> None:
    """Each kind alone, so that none of them is hidden by another's refusal."""
    said = survives(victim(team, traps, trick).root, traps, environments, STATEFUL)
    assert all("Error: .stemctl/" in said[line] for line in STATEFUL)


@pytest.mark.slow
def test_without_what_is_refused_at_once(team: Team, traps: Traps, environments: Path) -> None:
    """The same tricks, where the commands go on to do their work."""
    ann = victim(team, traps, git_files, names_and_links)
    for name in ("_defaults.yaml", "out", "out.yaml"):
        (ann.root / "records" / name).unlink()
    said = survives(ann.root, traps, environments)
    assert "1 created" in said["apply --auto-approve"], said["apply --auto-approve"]
    assert {path.name.partition("-")[0] for path in environments.iterdir()} == {"git", "hook"}


def test_a_metadata_folder_that_looks_like_a_repository(
    team: Team, traps: Traps, environments: Path
) -> None:
    ann = victim(team, traps, subfolder)
    lines = [
        "validate",
        "plan",
        "plan --offline",
        "plan --base origin/main",
        "apply --auto-approve",
        f"ci init github --source {SOURCE}",
    ]
    said = survives(ann.root / "lab", traps, environments, lines)
    assert all("looks like a bare git repository" in said[line] for line in lines)


def test_the_traps_work(tmp_path: Path, traps: Traps) -> None:
    """Else the tests above would prove nothing."""
    bare(tmp_path / "bare", traps, "own")
    for words in (
        ["status"],
        ["add", "--all"],
        ["ls-remote", "ext::sh -c :"],
        ["update-ref", "refs/heads/x", "HEAD"],
    ):
        git(tmp_path / "bare", *words, check=False)
    git(tmp_path / "bare", "ls-remote", str(tmp_path / "bare"), check=False)
    git(tmp_path / "bare", "config", "remote.origin.url", str(tmp_path / "bare"))
    git(tmp_path / "bare", "ls-remote", "origin", check=False)
    assert {"own-core.fsmonitor", "own-uploadpack"} <= set(traps.sprung())


def test_completion_starts_no_program(
    environments: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "bin/bash", f"#!/bin/sh\nenv > {environments}/bash\n")
    command = [sys.executable, "-P", "-c", "from stemctl.cli import start; start()"]
    for asked in ("bash_source", "bash"):
        monkeypatch.setenv("_STEMCTL_COMPLETE", asked)
        done = subprocess.run(
            [*command, "stemctl pl", "pl"], capture_output=True, text=True, check=True
        )
        assert ("_stemctl_completion" if asked == "bash_source" else "plan") in done.stdout
    assert not (environments / "bash").exists()


def test_the_browser_is_told_no_token(
    environments: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "bin/shows", f"#!/bin/sh\nenv > {environments}/browser\n")
    monkeypatch.setenv("BROWSER", "shows")
    command = [
        sys.executable,
        "-P",
        "-c",
        "from stemctl.cli.browser import open_in_browser; import os; assert open_in_browser('http://x/')",
    ]
    subprocess.run(
        [*command[:-1], f"{command[-1]}; assert os.environ['BRAINSTEM_API_TOKEN']"], check=True
    )
    told = (environments / "browser").read_text()
    assert "BROWSER=shows" in told
    assert "BRAINSTEM" not in told
