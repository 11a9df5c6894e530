"""A state that shares its values with the files is the same state, and is written the same."""

from __future__ import annotations

import itertools

from stemctl.core.records import Address, Location, Record, Repository
from stemctl.core.state import Entry, State
from stemctl.core.state_codec import to_json
from stemctl.planning.shared_fields import share_fields
from stemctl.util.json_types import Fields, Value

ADDRESS = Address("session", "a")
HERE = Location("records/a.yaml", 1, 1)
VALUES: list[Value] = [
    *(None, True, False, 0, 1, 0.0, -0.0, 1.0, 10**30, float("inf"), "", "1", "\ud800"),
    *([], [1], [1.0], {}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": True}, {"a": [-0.0]}),
]


def shared(declared: Fields, applied: Fields) -> tuple[State, State]:
    """A state before and after."""
    state = State("https://x.example/", "private", "2024", records={ADDRESS: Entry("1", applied)})
    repository = Repository({ADDRESS: Record(ADDRESS, declared, HERE)})
    return state, share_fields(state, repository)


def test_it_stays_the_same() -> None:
    number = 0
    for one, other in itertools.product(VALUES, VALUES):
        declared = {"x": one}
        before, after = shared(declared, {"x": other})
        assert repr(before) == repr(after)
        number += after.records[ADDRESS].applied is declared
    assert number >= len(VALUES) - 1


def test_the_order_of_keys_stays() -> None:
    fields: Fields = {"b": {"d": 1, "c": 2}, "a": 3}
    before, after = shared({"a": 3, "b": {"c": 2, "d": 1}}, fields)
    assert "".join(to_json(before)) == "".join(to_json(after))
    assert after.records[ADDRESS].applied is fields
