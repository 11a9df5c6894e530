"""A few seeds of the torture; `python -m tests.faults.torture` runs many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.runner import runner
from tests.faults.torture import torture


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(1, 4), range(4, 7)])
def test_nothing_is_lost_and_nothing_is_doubled(tmp_path: Path, seeds: range) -> None:
    with runner(tmp_path / "said") as run:
        seen = [torture(seed, tmp_path, run) for seed in seeds]
    assert sum(s.kills for s in seen) >= 2 * len(seen)
    assert sum(s.faults for s in seen) >= 30 * len(seen)
