"""An apply that is killed at every point of it, git's calls among them: another clone brings it to
the same end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.runner import Runner, runner
from tests.faults.test_every_point import AFTER, BEFORE, Server
from tests.git.team import STATES, git
from tests.support.effort import step
from tests.support.lab import SEED
from tests.support.served import serve

STEP = step(19)
"""Each nineteenth point, unless there is time for all."""
LATER = 1000
"""Seconds by which the clock of the next command is ahead: no lease is as old."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "stemctl.yaml").write_text("servers: {sandbox: {url: 'sandbox:', seed: seed.yaml}}\n")
    (folder / "seed.yaml").write_text(SEED)
    with serve(folder) as url:
        yield Server(url)


class Case:
    """A remote and two clones, whose names begin with its number. Something was applied, something
    else is meant.
    """

    def __init__(self, folder: Path, prefix: str, server: Server, run: Runner) -> None:
        self.folder, self.prefix, self.server, self._run = folder / prefix, prefix, server, run
        self.folder.mkdir()
        git(self.folder, "init", "-q", "--bare", "--initial-branch=main", "remote.git")
        for name in ("ann", "ben"):
            git(self.folder, "clone", "-q", "remote.git", name)
            (self.folder / name / "records").mkdir()
            (self.folder / name / "stemctl.yaml").write_text(
                "default_server: lab\nservers:\n"
                f"  lab: {{url: '{server.url}', edition: 2024, state: {{backend: git}}}}\n"
            )
        self.declare(BEFORE)
        assert self.run("ann", "apply", "-y").code == 0
        self.declare(AFTER)

    def declare(self, text: str) -> None:
        for name in ("ann", "ben"):
            (self.folder / name / "records" / "all.yaml").write_text(text.format(self.prefix))

    def run(self, who: str, *words: str, **options: Any) -> Any:
        return self._run.run("-C", str(self.folder / who), *words, **options)

    def check(self) -> None:
        """Each record exists once, with its content. State and server agree. Nothing is left."""
        sessions = {
            r["name"].removeprefix(f"{self.prefix} "): r
            for r in self.server.get("stem/session", self.prefix)
        }
        found = {name: (r["description"], sorted(r["tags"])) for name, r in sessions.items()}
        assert found == {
            "edited": ("Two.", ["x", "y"]),
            "kept": ("Kept.", []),
            "new": ("New.", []),
            "new too": ("", []),
        }
        assert len(self.server.get("stem/session", self.prefix)) == 4
        (proposal,) = self.server.get("taxonomies/sensorystimulustype_approvals", self.prefix)
        remote = self.folder / "remote.git"
        state = json.loads(git(remote, "show", f"{STATES}:lab.state.json"))["records"]
        ids = {
            address.removeprefix(f"session/{self.prefix} "): e["id"]
            for address, e in state.items()
            if e["id"]
        }
        assert ids == {name: r["id"] for name, r in sessions.items()}
        assert state[f"sensorystimulustype/{self.prefix} puff"]["approval"]["id"] == proposal["id"]
        assert "lab.claim.json" not in git(remote, "ls-tree", "-r", "--name-only", STATES)
        for who in ("ann", "ben"):
            plan = self.run(who, "plan", "--detailed-exitcode", clock=LATER)
            assert plan.code == 0, plan.said
        again = self.run("ann", "apply", "-y", clock=2 * LATER)
        assert again.code == 0, again.said
        left = {path.name for path in (self.folder / "ann/.stemctl").iterdir()}
        assert left <= {
            ".gitignore",
            "runs",
            "lab.lock",
            "lab.owner.json",
            "lab.journal.new",
            "git",
        }, left


@pytest.mark.slow
@pytest.mark.parametrize("next_one", ["ben", "ann"])
def test_a_kill_at_every_point(tmp_path: Path, server: Server, next_one: str) -> None:
    with runner(tmp_path / "said") as run:
        whole = Case(tmp_path, f"{next_one} whole", server, run)
        ended = whole.run("ann", "apply", "-y", "--parallelism", "2")
        assert ended.code == 0, ended.said
        whole.check()
        first = 1 if next_one == "ben" else 1 + STEP // 2
        numbers, kills = range(first, ended.points + 1, STEP), 0
        for number in numbers:
            case = Case(tmp_path, f"{next_one} {number:03}", server, run)
            killed = case.run("ann", "apply", "-y", "--parallelism", "2", kill_at=number)
            kills += killed.code is None
            again = case.run(next_one, "apply", "-y", clock=LATER)
            assert again.code == 0, (number, again.said)
            case.check()
        assert kills >= len(numbers) - 2 > 0


@pytest.mark.slow
def test_a_disk_that_fills_up(tmp_path: Path, server: Server) -> None:
    """No file takes more than so many bytes, those of git among them."""
    with runner(tmp_path / "said") as run:
        codes = []
        for largest in (100, 3000, 30000):
            case = Case(tmp_path, f"d{largest:05}", server, run)
            ended = case.run("ann", "apply", "-y", "--parallelism", "2", largest=largest)
            assert ended.code in (0, 1, 3), ended.said
            assert ended.code == 0 or "cannot be" in ended.said, ended.said
            codes.append(ended.code)
            again = case.run("ann", "apply", "-y", clock=LATER)
            assert again.code == 0, (largest, again.said)
            case.check()
        assert codes[0] == 1
        assert codes[-1] == 0
