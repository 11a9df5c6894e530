"""A team on one machine: a bare remote, clones of it, and one sandbox that serves all of them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from stemctl.git import mirror_cache
from stemctl.schema.catalog import load_catalog
from tests.support.lab import Result, run_in_process
from tests.support.paths import PROJECT

ROOT = PROJECT

CONFIG = """\
manifests: [records]
default_server: lab
servers:
  lab: {{url: "{url}", edition: 2024, state: {{backend: git}}}}
"""

SERVED = 'servers: {sandbox: {url: "sandbox:", seed: seed.yaml}}\n'
SEED = """\
projects:
  - {name: Theta Maze Study}
sensory_stimulus_types:
  - {name: Auditory, description: Auditory cue}
"""

STATES = "stemctl-state"
SOURCE = "git+https://forge.example/lab/stemctl@4f9d2b7c81e6a05d3b9c7f1e2a68d04b5c3e9f17"
"""Where the workflows of tests and examples get stemctl: an address that no one can have."""
ON_GITHUB = f"git+https://github.com/lab/stemctl@{'5' * 40}"
"""Where those of the short form look for stemctl's action."""


def git(folder: Path, *words: str, check: bool = True) -> str:
    """What git prints in a folder."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


@dataclass(frozen=True)
class Member:
    """A clone, and the name of the person who works in it."""

    root: Path
    name: str

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def sessions(self, *records: str, name: str = "records/sessions.yaml") -> None:
        """Declare sessions, each as flow mapping text."""
        lines = "".join(f"  - {record}\n" for record in records) or "  []\n"
        self.write(
            name, f"defaults:\n  sessions:\n    projects: [Theta Maze Study]\nsessions:\n{lines}"
        )

    def git(self, *words: str, check: bool = True) -> str:
        return git(self.root, *words, check=check)

    def commit(self, message: str) -> str:
        """Commit all files; gives the commit."""
        self.git("add", "-A")
        author = ("-c", f"user.name={self.name}", "-c", f"user.email={self.name}@lab.example")
        self.git(*author, "commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def publish(self, message: str) -> str:
        """Commit and push to main."""
        made = self.commit(message)
        self.git("push", "-q", "origin", "HEAD:main")
        return made

    def own(self, kind: str = mirror_cache.STATES) -> Path:
        """The bare repository of stemctl's own that it has for this clone."""
        folder = mirror_cache.of_root(self.root)
        assert folder is not None
        (found,) = folder.glob(f"*/{kind}")
        return found

    def run(self, *arguments: str) -> Result:
        """Run a command in this process."""
        return run_in_process("-C", str(self.root), *arguments)

    def apply(self, *arguments: str, code: int = 0) -> Result:
        """Apply unasked."""
        result = self.run("apply", "--auto-approve", *arguments)
        assert result.code == code, result.said
        return result

    def start(self, *arguments: str, lease: float = 120, **environ: str) -> subprocess.Popen[str]:
        """Run a command in a process of its own, with short leases."""
        command = [sys.executable, "-m", "tests.git.quick", "-C", str(self.root), *arguments]
        env = {**os.environ, "STEMCTL_TEST_LEASE": str(lease), "PYTHONPATH": str(ROOT), **environ}
        pipes = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "stdin": subprocess.DEVNULL,
        }
        return subprocess.Popen(command, cwd=ROOT, env=env, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


@dataclass(frozen=True)
class Team:
    """The remote, the server, and a folder for clones."""

    folder: Path
    url: str

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    def clone(self, name: str, *options: str, of: str | None = None) -> Member:
        """A clone of the remote."""
        git(self.folder, "clone", "-q", *options, of or str(self.remote), name)
        return Member(self.folder / name, name)

    def story(self) -> list[str]:
        """The subjects along the first parents of the state branch, the latest first."""
        return git(self.remote, "log", "--first-parent", "--format=%s", STATES).splitlines()

    def files(self, ref: str = STATES) -> Sequence[str]:
        """The files of the state branch."""
        return git(self.remote, "ls-tree", "-r", "--name-only", ref).splitlines()


_PIP_LOG = """\
#!/bin/sh
case "$*" in
  *"-m pip install"*) echo "$*" >> {log}; exit 0 ;;
esac
exec {python} "$@"
"""


def pip_log(log: Path) -> str:
    """A script for `python` that writes down what pip was to install: the machines here have it
    already, and tests/git/test_install.py has pip install it.
    """
    return _PIP_LOG.format(log=log, python=sys.executable)


def make_team(folder: Path, url: str) -> Team:
    """A remote whose main branch holds the configuration, and whose history cannot be rewritten."""
    git(folder, "init", "-q", "--bare", "--shared", "--initial-branch=main", "remote.git")
    team = Team(folder, url)
    founder = team.clone("founder")
    founder.write("stemctl.yaml", CONFIG.format(url=url))
    founder.sessions("{name: rat1, date_time: 2024-03-12T09:00:00Z, description: first}")
    founder.publish("A repository")
    return team


def serve_folder(folder: Path) -> Path:
    """A folder that `sandbox serve` can be run in."""
    folder.mkdir()
    (folder / "stemctl.yaml").write_text(SERVED, encoding="utf-8")
    (folder / "seed.yaml").write_text(SEED, encoding="utf-8")
    return folder


def on_the_server(team: Team, name: str, **fields: Any) -> None:
    """What a colleague does to a session in the browser."""
    table = load_catalog("2024").models["session"]
    base = f"{team.url}api/private/{table.app}/{table.name}/"
    headers = {"Authorization": "Bearer sandbox-user"}
    found = httpx.get(f"{base}?filter{{name}}={name}", headers=headers).json()[table.many]
    httpx.patch(f"{base}{found[0]['id']}/", json=fields, headers=headers).raise_for_status()


def hostile_modules(member: Member, ran: Path) -> None:
    """Files that a Python which looks for modules in its folder would run; they say so in the file
    `ran`.
    """
    for name in ("json", "pip", "sitecustomize", "stemctl", "sys", "usercustomize"):
        member.write(f"{name}.py", f"open({str(ran)!r}, 'a').write({name!r})\n")
