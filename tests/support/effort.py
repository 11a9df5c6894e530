"""How hard the tests look: how many random examples they draw, and at how many moments they kill an
apply.

The examples are the same each time, so that only a change of the code makes a test fail.
`--hypothesis-seed=N` draws others, and `python -m tests.look_harder` draws new ones until its time
is up. STEMCTL_EFFORT=20 draws twenty times as many examples and tries up to twenty times as many
moments.
"""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import HealthCheck, settings

EFFORT = max(1, int(os.environ.get("STEMCTL_EFFORT", "1")))
DEADLINE = float(os.environ.get("STEMCTL_DEADLINE", "inf"))
"""The time after which no further test begins, where `look_harder` has set one."""


def load_profile(config: pytest.Config) -> None:
    """Draw the usual examples, or those of a given seed."""
    # A slow machine is no failure of the code: no deadline, no health checks.
    everywhere = settings(
        max_examples=100 * EFFORT,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    settings.register_profile("usual", everywhere, derandomize=True, database=None)
    settings.register_profile("fresh", everywhere, derandomize=False)
    settings.load_profile("usual" if given_seed(config) is None else "fresh")


def given_seed(config: pytest.Config) -> int | None:
    """The number of `--hypothesis-seed`, which other random tests draw from as well."""
    given = config.getoption("hypothesis_seed")
    return None if given is None else int(given)


def seeds(config: pytest.Config, *usual: int) -> list[int]:
    """The seeds of a test that draws without Hypothesis: the usual ones, or as many others."""
    given = given_seed(config)
    return list(usual) if given is None else [1000 * given + number for number in usual]


def time_is_up() -> bool:
    """Whether the deadline has passed."""
    return time.time() > DEADLINE


def examples(number: int) -> settings:
    """The settings of a test that draws another number of examples than a hundred."""
    return settings(max_examples=number * EFFORT)


def step(usual: int) -> int:
    """Every how many moments a test tries one."""
    return max(1, usual // EFFORT)
