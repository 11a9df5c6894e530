"""A team for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git.team import Team, make_team, serve_folder
from tests.served import Gate, serve_behind


@pytest.fixture
def gate() -> Gate:
    """Holds writes back that arrive at the server, until it is opened. It is open unless a test closes it."""
    found = Gate()
    found.opened.set()
    return found


@pytest.fixture
def team(tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    monkeypatch.setenv("BRAINSTEM_TOKEN", "sandbox-user")
    with serve_behind(gate, serve_folder(tmp_path / "server")) as url:
        yield make_team(tmp_path, url)
