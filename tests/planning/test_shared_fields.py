"""What was applied stays the same where it shares its values with the files."""

from __future__ import annotations

import itertools

from stemctl.core.records import Address, Location, Record, Repository
from stemctl.core.state import Entry, State
from stemctl.planning.shared_fields import with_shared_fields
from stemctl.util.json_types import Fields, Value

ADDRESS = Address("session", "a")
HERE = Location("records/a.yaml", 1, 1)
VALUES: list[Value] = [
    *(None, True, False, 0, 1, 0.0, -0.0, 1.0, 10**30, float("inf"), "", "1", "\ud800"),
    *([], [1], [1.0], {}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": True}, {"a": [-0.0]}),
]


def shared(declared: Fields, applied: Fields) -> tuple[Fields, Fields]:
    """What was applied, before and after."""
    repository = Repository({ADDRESS: Record(ADDRESS, declared, HERE)})
    before = State(
        "https://lab.test/",
        "private",
        "2024",
        records={Address("session", "a"): Entry(id="1", applied=applied)},
    )
    ((address, entry),) = with_shared_fields(before, repository).records.items()
    assert address is ADDRESS
    assert entry.id == "1"
    return applied, dict(entry.applied)


def test_it_stays_the_same() -> None:
    number = 0
    for one, other in itertools.product(VALUES, VALUES):
        declared = {"x": [one]}
        before, after = shared(declared, {"x": [other]})
        assert repr(before) == repr(after)
        number += after["x"] is declared["x"]
    assert number >= len(VALUES) - 1


def test_the_order_of_keys_stays() -> None:
    declared = {"a": [3], "b": {"c": 2, "d": 1}}
    before, after = shared(declared, {"b": {"c": 2, "d": 1}, "a": [3]})
    assert repr(before) == repr(after)
    assert after["a"] is declared["a"]
    before, after = shared(declared, {"b": {"d": 1, "c": 2}, "a": [3]})
    assert repr(before) == repr(after)


def test_a_part_is_not_the_whole() -> None:
    before, after = shared({"a": [1], "b": [2]}, {"a": [1]})
    assert repr(before) == repr(after)
    before, after = shared({"a": [1]}, {"a": [1], "b": [2]})
    assert repr(before) == repr(after)
