"""How hard the tests look: how many random examples they draw, and how many moments they kill an apply at.

The examples are the same each time, so that only a change of the code can make a test fail. `--hypothesis-seed=N` draws
others, and `python -m tests.look_harder` draws many of them. STEMCTL_EFFORT=20 draws twenty times as many, and leaves
out fewer moments, or none.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

EFFORT = max(1, int(os.environ.get("STEMCTL_EFFORT", "1")))


def load_profile(config: pytest.Config) -> None:
    """Draw the usual examples, or those of a seed. A slow machine is not a failure, nor is a lab that they share."""
    everywhere = settings(
        max_examples=100 * EFFORT, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    settings.register_profile("usual", everywhere, derandomize=True, database=None)
    settings.register_profile("fresh", everywhere, derandomize=False)
    settings.load_profile("usual" if given_seed(config) is None else "fresh")


def given_seed(config: pytest.Config) -> int | None:
    """The number of `--hypothesis-seed`, which other random tests draw from as well."""
    given = config.getoption("hypothesis_seed")
    return None if given is None else int(given)


def examples(number: int) -> settings:
    """The settings of a test that draws another number of examples than a hundred."""
    return settings(max_examples=number * EFFORT)


def step(usual: int) -> int:
    """How many moments a test goes on by, to the next one that it tries."""
    return max(1, usual // EFFORT)
