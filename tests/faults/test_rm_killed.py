"""A removal that is killed at every point of it: each file is old or new, no record is lost without
the entry that deletes it, and the same command again finishes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.runner import Runner, runner

CONFIG = "default_server: here\nservers:\n  here: {url: 'sandbox:', edition: 2026}\n"
NAMES = ("one", "two", "three")


def lab(root: Path) -> Path:
    """Three files, of which each has a record to remove and one to keep."""
    (root / "records").mkdir(parents=True)
    (root / "stemctl.yaml").write_text(CONFIG)
    for name in NAMES:
        rows = [f"  - name: old {name}  # gone soon\n", f"  - name: kept {name}  # stays\n"]
        (root / f"records/{name}.yaml").write_text(f"projects:\n{''.join(rows)}")
    return root


def applied(root: Path, run: Runner) -> Path:
    """The same, applied: each removal needs its entry."""
    said = run.run("-C", str(lab(root)), "apply", "--auto-approve")
    assert said.code == 0, said.said
    return root


def files(root: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((root / "records").glob("*.yaml"))}


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [["project/old *"], [f"project/old {name}" for name in NAMES]],
    ids=["pattern", "names"],
)
def test_a_kill_at_every_point_of_a_removal(tmp_path: Path, words: list[str]) -> None:
    with runner(tmp_path / "said") as run:
        begun = applied(tmp_path / "begun", run)
        old = files(begun)
        whole = shutil.copytree(begun, tmp_path / "whole")
        ended = run.run("-C", str(whole), "rm", *words)
        assert ended.code == 0, ended.said
        new = files(whole)
        for name in NAMES:
            assert "gone soon" not in new[f"{name}.yaml"]
            assert f"deleted: [project/old {name}]" in new[f"{name}.yaml"]
        states = set()
        for number in range(1, ended.points + 1):
            root = shutil.copytree(begun, tmp_path / f"k{number:02}")
            killed = run.run("-C", str(root), "rm", *words, kill_at=number)
            assert killed.code is None, killed.said
            there = files(root)
            assert all(text in (old[name], new[name]) for name, text in there.items())
            states.add(sum(text == new[name] for name, text in there.items()))
            again = run.run("-C", str(root), "rm", *words)
            # A pattern that matches no record any more is an error, as it always is.
            assert again.code == (1 if there == new and "*" in words[0] else 0), again.said
            assert files(root) == new, number
        assert states >= {0, 1, 2}
