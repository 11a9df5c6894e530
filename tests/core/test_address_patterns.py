"""Patterns of addresses, and names that look like patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.address_patterns import escaped, is_pattern, literal, matches
from stemctl.core.records import Address

NAMES = st.text(alphabet="ab*?[]!\\-/", min_size=1, max_size=8)


@given(NAMES, NAMES)
def test_an_escaped_address_is_a_pattern_of_itself_alone(name: str, other: str) -> None:
    address = Address("session", name)
    pattern = escaped(str(address))
    assert not is_pattern(pattern)
    assert literal(pattern) == str(address)
    assert matches(pattern, address)
    if other not in (name, pattern.removeprefix("session/")):
        assert not matches(pattern, Address("session", other))


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("session/m?", "m1", True),
        ("session/m?", "m?", True),
        (r"session/m\?", "m?", True),
        (r"session/m\?", "m1", False),
        (r"session/\*", "*", True),
        (r"session/\*", "x", False),
        (r"session/\\*", r"\x", True),
        (r"session/a\b", r"a\b", True),
        ("session/rat[1]", "rat[1]", True),
        ("session/rat[1]", "rat1", False),
        ("session/rat[1]*", "rat[1]_a", True),
        ("session/*", "a/b\nc", True),
    ],
)
def test_wildcards(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, Address("session", name)) is expected
