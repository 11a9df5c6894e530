"""pull over the sandbox: what is on the server gets into files and state, and nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import edition_2026
from tests.support.lab import Lab
from tests.support.small_lab import LAB as EVERYTHING


def contents(root: Path) -> dict[str, bytes]:
    """All files of a repository but the database of its sandbox."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "sandbox.db" and "lock" not in path.name
    }


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab of edition 2026 with one record of each model on the server, and no file."""
    lab = Lab(tmp_path, monkeypatch)
    lab.write("stemctl.yaml", edition_2026.CONFIG)
    lab.write("seed.yaml", json.dumps(EVERYTHING))
    return lab


def is_settled(lab: Lab) -> bool:
    """Whether a plan sends nothing, holds nothing, and would not even move a base."""
    plan = lab.plan()
    assert plan["changes"] == [], lab.run("plan").said
    assert plan["bookkeeping"] == []
    return True


def test_everything_is_taken_over(lab: Lab) -> None:
    result = lab.run("pull", "--all")
    assert result.code == 0, result.said
    assert lab.writes == []
    assert is_settled(lab)
    before = contents(lab.root)
    again = lab.run("pull", "--all")
    assert again.code == 0, again.said
    assert contents(lab.root) == before
