"""An apply that is killed at every point of it, one after the other: whoever comes next brings it
to the same end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.runner import Runner, runner
from tests.support.effort import step
from tests.support.lab import SEED
from tests.support.served import serve

STEP = step(4)
"""The second test takes each fourth point, unless there is time for all."""

BEFORE = """\
defaults: {{sessions: {{projects: [Theta Maze Study]}}}}
sessions:
  - {{name: {0} edited, description: One., tags: [x]}}
  - {{name: {0} kept, description: Kept.}}
  - {{name: {0} deleted, description: Deleted.}}
"""
AFTER = """\
defaults: {{sessions: {{projects: [Theta Maze Study]}}}}
deleted: [session/{0} deleted]
sessions:
  - {{name: {0} edited, description: Two., tags: [x, y]}}
  - {{name: {0} kept, description: Kept.}}
  - {{name: {0} new, description: New.}}
  - {{name: {0} new too}}
sensory_stimulus_types:
  - {{name: {0} puff, description: Brief puff}}
"""


class Server:
    """A served sandbox, and what it has under a prefix of names."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, prefix: str) -> list[dict[str, Any]]:
        query = f"limit=100&filter{{name.startswith}}={prefix} "
        answer = httpx.get(
            f"{self.url}api/private/{path}/?{query}",
            headers={"Authorization": "Bearer sandbox-admin"},
        ).json()
        (records,) = (value for value in answer.values() if isinstance(value, list))
        return [dict(record) for record in records]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "stemctl.yaml").write_text("servers: {sandbox: {url: 'sandbox:', seed: seed.yaml}}\n")
    (folder / "seed.yaml").write_text(SEED)
    with serve(folder) as url:
        yield Server(url)


class Case:
    """One repository, whose names begin with its number."""

    def __init__(self, root: Path, prefix: str, server: Server, run: Runner) -> None:
        self.root, self.prefix, self.server, self._run = root / prefix, prefix, server, run
        (self.root / "records").mkdir(parents=True)
        (self.root / "stemctl.yaml").write_text(
            f"default_server: lab\nservers:\n  lab: {{url: '{server.url}', edition: 2024}}\n"
        )
        self.declare(BEFORE)
        assert self.run("apply", "-y").code == 0
        self.declare(AFTER)

    def declare(self, text: str) -> None:
        (self.root / "records" / "all.yaml").write_text(text.format(self.prefix))

    def run(self, *words: str, **options: Any) -> Any:
        return self._run.run("-C", str(self.root), *words, **options)

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
        state = json.loads((self.root / "lab.state.json").read_text())["records"]
        ids = {
            address.removeprefix(f"session/{self.prefix} "): e["id"]
            for address, e in state.items()
            if e["id"]
        }
        assert ids == {name: r["id"] for name, r in sessions.items()}
        assert state[f"sensorystimulustype/{self.prefix} puff"]["approval"]["id"] == proposal["id"]
        plan = self.run("plan", "--detailed-exitcode", clock=999)
        assert plan.code == 0, plan.said
        left = {path.name for path in (self.root / ".stemctl").iterdir()}
        assert left <= {".gitignore", "runs", "lab.lock", "lab.owner.json"}, left


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 16])
def test_a_kill_at_every_point_of_an_apply(tmp_path: Path, server: Server, every: int) -> None:
    with runner(tmp_path / "said") as run:
        whole = Case(tmp_path, f"w{every}", server, run)
        ended = whole.run("apply", "-y", "--parallelism", "2")
        assert ended.code == 0, ended.said
        whole.check()
        kills = 0
        numbers = range(1, ended.points + 1, every)
        for number in numbers:
            case = Case(tmp_path, f"e{every} k{number:03}", server, run)
            killed = case.run("apply", "-y", "--parallelism", "2", kill_at=number)
            kills += killed.code is None
            again = case.run("apply", "-y", clock=100)
            assert again.code == 0, (number, again.said)
            case.check()
        # The number of points differs by one or two, with how many intents share a sync.
        assert ended.points > 45
        assert kills >= len(numbers) - max(1, 5 // every)


@pytest.mark.slow
def test_a_kill_at_every_point_of_the_command_that_takes_over(
    tmp_path: Path, server: Server
) -> None:
    with runner(tmp_path / "said") as run:
        number, kills = 1 - STEP, 0
        while True:
            number += STEP
            case = Case(tmp_path, f"t{number:03}", server, run)
            assert case.run("apply", "-y", "--parallelism", "2", kill_at=40).code is None
            assert (case.root / ".stemctl" / "lab.journal").exists()
            second = case.run("apply", "-y", "--parallelism", "2", kill_at=number, clock=100)
            again = case.run("apply", "-y", clock=200)
            assert again.code == 0, (number, again.said)
            case.check()
            if second.code is not None:
                break
            kills += 1
        assert kills > 30 / STEP


@pytest.mark.slow
def test_a_disk_that_fills_up_at_any_byte(tmp_path: Path, server: Server) -> None:
    """No file takes more than so many bytes, in steps: what is not written down is not sent, and
    nothing is lost.
    """
    with runner(tmp_path / "said") as run:
        codes: dict[int, int] = {}
        for largest in range(500, 20000, 500):
            case = Case(tmp_path, f"d{largest:05}", server, run)
            ended = case.run("apply", "-y", "--parallelism", "2", largest=largest)
            assert ended.code in (0, 1, 3), ended.said
            assert ended.code == 0 or "cannot be written" in ended.said, ended.said
            codes[largest] = ended.code
            again = case.run("apply", "-y", clock=100)
            assert again.code == 0, (largest, again.said)
            case.check()
            if ended.code == 0:
                break
        assert set(codes.values()) == {0, 1, 3}, codes
