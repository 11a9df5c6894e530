"""The pinned versions are those that pyproject.toml allows; `.ci/renew` writes them."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.paths import PROJECT

ROOT = PROJECT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DIRECT = [
    Requirement(text)
    for text in PROJECT["project"]["dependencies"]
    + PROJECT["project"]["optional-dependencies"]["dev"]
]
BUILD = [Requirement(text) for text in PROJECT["build-system"]["requires"]]


def pins(name: str) -> dict[str, Version]:
    """The one version of each package in a file of constraints."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        pin = Requirement(line)
        (only,) = pin.specifier
        assert only.operator == "==", line
        assert pin.name not in found, f"{pin.name} has several versions, of which pip takes none"
        found[pin.name] = Version(only.version)
    return found


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-lowest.txt"])
@pytest.mark.parametrize("needed", DIRECT, ids=str)
def test_a_pin_is_allowed(name: str, needed: Requirement) -> None:
    assert needed.specifier.contains(pins(name)[canonicalize_name(needed.name)], prereleases=True)


@pytest.mark.parametrize("needed", DIRECT, ids=str)
def test_the_lowest_pin_is_the_lower_bound(needed: Requirement) -> None:
    (bound,) = [one.version for one in needed.specifier if one.operator in (">=", "==")]
    assert pins("constraints-lowest.txt")[canonicalize_name(needed.name)] == Version(bound)


@pytest.mark.parametrize("needed", BUILD, ids=str)
def test_what_builds_is_pinned_alike(needed: Requirement) -> None:
    """Pip's -c does not reach the environment in which the package is built, so pyproject.toml
    repeats these.
    """
    assert str(needed.specifier) == f"=={pins('constraints.txt')[canonicalize_name(needed.name)]}"


def test_all_that_builds_is_pinned() -> None:
    assert {needed.name for needed in BUILD} >= {"hatchling", "trove-classifiers"}
