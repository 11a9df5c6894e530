"""The comparison of one field, where no server of the other tests leads."""

from __future__ import annotations

import pytest

from stemctl.core.records import Address, Location, Record, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import Entry, State
from stemctl.planning.bindings import Bound, Identities
from stemctl.planning.compare_fields import BoundRecord, compare_field
from stemctl.planning.merge import UNSET
from stemctl.planning.references import Resolver
from stemctl.schema.catalog import load_catalog
from stemctl.util.json_types import Fields

CATALOG = load_catalog("2024")
ADDRESS = Address("session", "s")


def bound(live: Fields, accepted: bool) -> BoundRecord:
    record = Record(ADDRESS, {"description": "One."}, Location("records/s.yaml", 1, 1))
    entry = Entry("1", {"description": "One."})
    return BoundRecord(
        record,
        Bound("1", {"1": live}, "state", entry),
        CATALOG.models["session"],
        entry=entry,
        base=entry,
        accepted=accepted,
    )


@pytest.fixture
def resolver() -> Resolver:
    state = State("sandbox:", "private", "2024")
    return Resolver(
        CATALOG, Repository({}), Snapshot({}), state=state, identities=Identities({}, {})
    )


def test_an_accepted_value_that_the_server_does_not_show_is_no_change(resolver: Resolver) -> None:
    """Nothing can be said of what the reviewer made of it; the base is what was proposed."""
    row = CATALOG.models["session"].fields["description"]
    compared = compare_field(bound({}, accepted=True), row, resolver, granted=frozenset())
    assert compared.changes == ()
    assert (compared.declared, compared.observed, compared.send) == ("One.", UNSET, UNSET)


def test_a_value_that_the_answer_lacks_is_a_finding(resolver: Resolver) -> None:
    row = CATALOG.models["session"].fields["description"]
    compared = compare_field(bound({}, accepted=False), row, resolver, granted=frozenset())
    (finding,) = compared.diagnostics
    assert "the server's records have no description" in finding.message
    assert (compared.changes, compared.declared, compared.send) == ((), UNSET, UNSET)
