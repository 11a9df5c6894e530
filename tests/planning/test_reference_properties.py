"""References to records that several fields tell apart: never to another record than is meant."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.plan import Target
from stemctl.core.records import Address, Location, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import State
from stemctl.planning import compare
from stemctl.planning.bindings import Identities
from stemctl.planning.matching import identify
from stemctl.planning.planner import Options, make_plan
from stemctl.planning.references import Resolver
from stemctl.schema.catalog import load_catalog

CATALOG = load_catalog("2026")
REGION = CATALOG.models["procedure"].fields["brain_region"]
HERE = Location("records/a.yaml", 1, 1)
WORDS = st.sampled_from(["A", "B", "A/B", "B/A", "a", "A/A/B"])
REGIONS = st.lists(
    st.fixed_dictionaries({"atlas": WORDS, "acronym": WORDS, "name": WORDS}),
    max_size=5,
    unique_by=(
        lambda fields: (fields["atlas"], fields["acronym"]),
        lambda fields: (fields["atlas"], fields["name"]),
    ),
)


def reading(model: str, rows: list[dict[str, Any]]) -> Reading:
    ids = [str(uuid.uuid5(uuid.NAMESPACE_OID, f"{model} {n}")) for n in range(len(rows))]
    records = {id_: {**fields, "id": id_} for id_, fields in zip(ids, rows, strict=True)}
    return Reading(model, Completeness.COMPLETE, records)


def state() -> State:
    return State("https://x.example/", "private", "2026")


@given(REGIONS, WORDS, WORDS)
def test_a_reference_means_the_one_record_that_is_called_so(
    rows: list[dict[str, Any]], first: str, second: str
) -> None:
    found = reading("brainregion", rows)
    snapshot = Snapshot({"brainregion": found})
    text = f"{first}/{second}"
    resolver = Resolver(
        CATALOG, Repository({}), snapshot, state=state(), identities=Identities({}, {})
    )
    record = Record(Address("procedure", "p"), {}, HERE)
    joined = {
        id_
        for id_, f in found.records.items()
        if text in (f"{f['atlas']}/{f['acronym']}", f"{f['atlas']}/{f['name']}")
    }
    alone = {id_ for id_, f in found.records.items() if text in (f["acronym"], f["name"])}
    meant = joined or alone
    answer = resolver.resolve(REGION, text, record)
    if len(meant) == 1:
        assert answer == meant.pop()
        assert resolver.diagnostics == []
    else:
        code = "ambiguous-reference" if meant else "unknown-reference"
        assert [finding.code for finding in resolver.diagnostics] == [code]


@given(REGIONS, REGIONS)
def test_a_declared_record_is_bound_to_the_live_one_with_its_values(
    declared: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> None:
    records = {
        Address("brainregion", str(n)): Record(Address("brainregion", str(n)), fields, HERE)
        for n, fields in enumerate(declared)
    }
    found = reading("brainregion", rows)
    identities = identify(Repository(records), state(), Snapshot({"brainregion": found}), CATALOG)
    for address, record in records.items():
        pairs = [("atlas", "acronym"), ("atlas", "name")]
        alike = {
            id_
            for id_, live in found.records.items()
            for pair in pairs
            if all(live[name] == record.fields[name] for name in pair)
        }
        bound = identities.id_of(address)
        assert bound in alike if alike else bound is None


def test_what_equals_a_new_record_is_found_without_comparing_all(monkeypatch: Any) -> None:
    number, compared = 300, 0
    sessions = reading("session", [{"name": f"s{n}", "projects": []} for n in range(number)])
    rows = [
        {"session": id_, "type": "Audio", "notes": notes, "details": {}}
        for id_ in sessions.records
        for notes in ("One.", "Two.")
    ]
    snapshot = Snapshot({"session": sessions, "dataacquisition": reading("dataacquisition", rows)})
    records = {}
    for n in range(number):
        session = Address("session", f"s{n}")
        records[session] = Record(session, {"name": f"s{n}"}, HERE)
        for notes in ("One.", "Two."):
            address = Address("dataacquisition", f"s{n}/{notes}")
            fields = {"session": f"s{n}", "type": "Audio", "notes": notes, "details": {}}
            records[address] = Record(address, fields, HERE)
    holds = compare._holds

    def counted(*arguments: Any) -> bool:
        nonlocal compared
        compared += 1
        return holds(*arguments)

    monkeypatch.setattr(compare, "_holds", counted)
    repository = Repository(records)
    plan = make_plan(
        repository,
        state(),
        snapshot,
        identify(repository, state(), snapshot, CATALOG),
        catalog=CATALOG,
        target=Target("s", "https://x.example/", "private", "2026"),
        options=Options(),
    )
    blocked = [change for change in plan.changes if change.held == "blocked"]
    assert len(blocked) == 2 * number
    assert compared <= 4 * number
