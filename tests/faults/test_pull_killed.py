"""A pull that is killed at every point of it: files are whole, plans send nothing, and the same
command again brings it to the same end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.runner import Runner, runner
from tests.support.effort import step
from tests.support.served import serve
from tests.support.small_lab import LAB

PROJECT = """\
# Declared by hand, and applied
projects:
  - name: Theta   # the maze study
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A lab with one record of each model."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "stemctl.yaml").write_text(
        "servers: {sandbox: {url: 'sandbox:', edition: 2026, seed: seed.yaml}}\n"
    )
    (folder / "seed.yaml").write_text(json.dumps(LAB))
    with serve(folder) as url:
        yield url


class Case:
    """One repository that pulls the lab."""

    def __init__(self, root: Path, url: str, run: Runner) -> None:
        self.root, self._run = root, run
        (root / "records").mkdir(parents=True)
        server = f"{{url: '{url}', edition: 2026}}"
        (root / "stemctl.yaml").write_text(f"default_server: lab\nservers:\n  lab: {server}\n")
        (root / "records" / "mine.yaml").write_text(PROJECT)

    def run(self, *words: str, **options: Any) -> Any:
        return self._run.run("-C", str(self.root), *words, **options)

    def files(self) -> dict[str, str]:
        paths = sorted((self.root / "records").rglob("*"))
        return {str(p.relative_to(self.root)): p.read_text() for p in paths if p.is_file()}

    def entries(self) -> Any:
        return json.loads((self.root / "lab.state.json").read_text())["records"]

    def check_plan(self) -> None:
        """No plan of what is there would send anything."""
        said = self.run("plan", "-o", "json").said
        plan = json.loads(said[said.index("{") :])
        assert [c for c in plan["changes"] if c.get("request")] == [], plan["changes"]


@pytest.mark.parametrize("every", [pytest.param(step(3), marks=pytest.mark.slow), 9])
def test_a_kill_at_every_point_of_a_pull(tmp_path: Path, url: str, every: int) -> None:
    with runner(tmp_path / "said") as run:
        whole = Case(tmp_path / "whole", url, run)
        ended = whole.run("pull", "--all")
        assert ended.code == 0, ended.said
        numbers = range(1, ended.points + 1, every)
        halves = set()
        for number in numbers:
            case = Case(tmp_path / f"k{number:03}", url, run)
            killed = case.run("pull", "--all", kill_at=number)
            halves.add((len(case.files()), (case.root / "lab.state.json").exists()))
            case.check_plan()
            again = case.run("pull", "--all")
            assert again.code == 0, (number, again.said)
            assert case.files() == whole.files(), (number, killed.said)
            assert case.entries() == whole.entries()
            plan = case.run("plan", "--detailed-exitcode")
            assert plan.code == 0, plan.said
        assert any(number > 1 and not is_bound for number, is_bound in halves), halves
