"""Property: whatever files, base and server say of a field, a pull takes what only the server
changed, leaves what the files changed, and ends where it ends.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.records import Address, Location, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry, State
from stemctl.planning.bindings import Bound, Identities
from stemctl.planning.compare_fields import BoundRecord, versions_of
from stemctl.planning.merge import UNSET, merge_field
from stemctl.schema.catalog import load_catalog
from stemctl.takeover.field_takeover import FieldTakeover, take_field
from stemctl.takeover.new_base import state_after
from stemctl.takeover.pull_selection import Selection
from stemctl.takeover.sides import Sides

CATALOG = load_catalog("2024")
MODEL = CATALOG.models["session"]
ADDRESS = Address("session", "a")
TEXTS = st.sampled_from(["", "one", "two", "three"])
SETS = st.lists(st.sampled_from("abcd"), unique=True)
MAPS = st.dictionaries(st.sampled_from(["room", "cage", "light"]), st.sampled_from([1, 2, "x"]))
FIELDS = {"description": TEXTS, "tags": SETS, "extra_fields": MAPS}


@st.composite
def sides(draw: Any) -> tuple[str, Sides]:
    """A record with one field, as files, base and server have it."""
    name = draw(st.sampled_from(sorted(FIELDS)))
    values = FIELDS[name]
    files, live = draw(values), draw(values)
    applied = draw(st.one_of(values, st.just(files), st.none()))
    observed = draw(st.one_of(values, st.just(live), st.none()))
    base = Entry("id")
    if applied is not None:
        seen = {} if observed is None else {name: observed}
        base = Entry("id", {name: applied}, seen, run="r")
    return name, of(name, files, base, live)


def of(name: str, files: Any, entry: Entry, live: Any) -> Sides:
    record = Record(ADDRESS, {"name": "a", name: files}, Location("f.yaml", 1, 1))
    fields = {"id": "id", "name": "a", name: live}
    state = State("u", "private", "2024", records={ADDRESS: entry})
    return Sides(
        CATALOG,
        Repository({ADDRESS: record}),
        state,
        Snapshot({"session": Reading("session", Completeness.COMPLETE, {"id": fields})}),
        Identities({ADDRESS: Bound("id", {"id": fields}, "state", entry)}, {}),
        Selection(CATALOG, ("session/*",)),
        lambda address: record.fields,
    )


def bound_in(world: Sides) -> BoundRecord:
    binding = world.identities.bindings[ADDRESS]
    assert isinstance(binding, Bound)
    assert binding.entry is not None
    record = world.repository.records[ADDRESS]
    return BoundRecord(
        record, binding, MODEL, entry=binding.entry, base=binding.entry, accepted=False
    )


def take(world: Sides, name: str, theirs: bool = False) -> FieldTakeover:
    row, bound = MODEL.fields[name], bound_in(world)
    return take_field(bound, row, world.resolver, lambda: bound.record.fields, theirs)


def after(world: Sides, name: str, taken: FieldTakeover) -> Sides:
    """The world once the file is written, and the base moved."""
    bound = bound_in(world)
    files = bound.record.fields[name] if taken.value is UNSET else taken.value
    live = bound.binding.live[name]
    written = of(name, files, bound.entry, live)
    state = state_after(written, [ADDRESS])
    return of(name, files, state.records[ADDRESS], live)


def cases(world: Sides, name: str) -> set[str]:
    """What a plan would make of the field."""
    row = MODEL.fields[name]
    merged = merge_field(row, versions_of(bound_in(world), row, world.resolver), ())
    return {diff.case.value for diff in merged.diffs} | ({"form"} if merged.form else set())


@given(sides())
def test_only_what_the_files_changed_is_left_for_a_plan(given_: tuple[str, Sides]) -> None:
    name, world = given_
    taken = take(world, name)
    left = cases(after(world, name, taken), name)
    assert left <= {"edited", "fill", "conflict", "replace"}
    assert bool(left) == bool(taken.kept)
    if cases(world, name) <= {"drift", "form", "same"}:
        assert not taken.kept


@given(sides())
def test_a_second_pull_changes_nothing(given_: tuple[str, Sides]) -> None:
    name, world = given_
    once = after(world, name, take(world, name))
    again = take(once, name)
    assert again.is_empty
    twice = after(once, name, again)
    assert twice.state.records == once.state.records


@pytest.mark.parametrize(
    "name, files, applied, live, taken, base",
    [
        (
            "extra_fields",
            {"room": 1, "cage": 2},
            {"room": 1, "cage": 1},
            {"room": 2, "cage": 1, "light": "x"},
            {"room": 2, "cage": 2, "light": "x"},
            {"room": 2, "cage": 1, "light": "x"},
        ),
        ("tags", ["a", "mine"], ["a", "b"], ["b", "x"], ["mine", "x"], ["b", "x"]),
    ],
)
def test_the_base_of_what_was_taken_moves_and_of_nothing_else(
    name: str, files: Any, applied: Any, live: Any, taken: Any, base: Any
) -> None:
    world = of(name, files, Entry("id", {name: applied, "name": "a"}, run="r"), live)
    found = take(world, name)
    assert found.value == taken
    entry = bound_in(after(world, name, found)).entry
    assert entry.applied[name] == base
    assert entry.observed[name] == live


@given(sides())
def test_theirs_is_what_the_server_has(given_: tuple[str, Sides]) -> None:
    name, world = given_
    then = after(world, name, take(world, name, theirs=True))
    assert cases(then, name) == set()
    live = bound_in(world).binding.live[name]
    files = bound_in(then).record.fields[name]
    assert (sorted(files) if name == "tags" else files) == (
        sorted(live) if name == "tags" else live
    )


@given(sides())
def test_nothing_that_the_files_changed_is_lost(given_: tuple[str, Sides]) -> None:
    name, world = given_
    bound = bound_in(world)
    files, base = bound.record.fields[name], bound.entry.applied.get(name)
    taken = take(world, name)
    then = files if taken.value is UNSET else taken.value
    if name == "tags":
        mine = set(files) - set(base or ())
        out = set(base or ()) - set(files)
        assert mine <= set(then)
        assert not out & set(then)
    elif name == "extra_fields":
        known = base or {}
        assert all(then.get(key) == files[key] for key in files if known.get(key) != files[key])
        assert not {key for key in known if key not in files} & then.keys()
    elif base is not None and files != base:
        assert then == files


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_same_everywhere_is_left_alone(name: str) -> None:
    value: Any = {"description": "one", "tags": ["a"], "extra_fields": {"room": 1}}[name]
    world = of(name, value, Entry("id", {name: value, "name": "a"}, run="r"), value)
    assert take(world, name).is_empty
    assert after(world, name, take(world, name)).state.records == world.state.records
