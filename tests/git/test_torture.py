"""A few seeds of the torture of leases; `python -m tests.git.torture` runs many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git.torture import Seen, runners, torture
from tests.support.effort import given_seed, seeds


@pytest.mark.slow
@pytest.mark.torture
def test_racing_clones_lose_and_double_nothing(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    total = Seen()
    with runners(tmp_path) as runs:
        for seed in seeds(pytestconfig, 1, 2):
            total.add(torture(seed, tmp_path / f"world{seed}", runs))
    if given_seed(pytestconfig) is None:
        assert (
            total.kills + total.deaf >= 2
        )  # it depends on the speed of the machine what strikes when
