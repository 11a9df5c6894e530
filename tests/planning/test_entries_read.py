"""Entries as records: what a reading of their logs tells of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.entry_ids import entry_id, in_utc
from stemctl.core.snapshot import Completeness, Reading
from stemctl.planning.entries import derived_reading, ids_listed, twice, without_entries
from stemctl.schema.catalog import load_catalog
from stemctl.util.json_types import is_record_id

CATALOG = load_catalog("2026")
LOG, ENTRY = CATALOG.models["subjectlog"], CATALOG.models["subjectlogentry"]
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER = "1f8fad5b-d9cb-469f-a165-70867728950e"
NOON, NIGHT = "2024-03-12T12:00:00Z", "2024-03-12T23:00:00Z"


def reading(*entries: object, **more: object) -> Reading:
    records = {ID: {"id": ID, "type": "Weighing", "entries": list(entries)}}
    # The type of `more` is that of several arguments.
    return Reading("subjectlog", Completeness.COMPLETE, records, **more)  # type: ignore[arg-type]


def test_an_entry_has_the_id_of_its_log_and_its_moment() -> None:
    parents = reading({"date_time": "2024-03-12T13:00:00+01:00", "notes": None})
    found = derived_reading(ENTRY, parents, [])
    (entry,) = found.records.values()
    assert entry["id"] == f"{ID}/{NOON}"
    assert entry["subjectlog"] == ID
    assert found.completeness is Completeness.COMPLETE


def test_an_entry_is_missing_only_if_its_log_was_read_without_it() -> None:
    ids = [f"{ID}/{NOON}", f"{ID}/{NIGHT}", f"{OTHER}/{NOON}"]
    found = derived_reading(ENTRY, reading({"date_time": NOON}), ids)
    assert found.missing == {f"{ID}/{NIGHT}"}
    gone = reading({"date_time": NOON}, missing=frozenset({OTHER}))
    assert derived_reading(ENTRY, gone, ids).missing == {f"{ID}/{NIGHT}", f"{OTHER}/{NOON}"}
    hidden = reading({"date_time": NOON}, hidden=frozenset({OTHER}))
    assert derived_reading(ENTRY, hidden, ids).hidden == {f"{OTHER}/{NOON}"}


def test_entries_of_logs_that_could_not_be_read_are_not_complete() -> None:
    denied = Reading("subjectlog", Completeness.DENIED, {}, reason="No.")
    assert derived_reading(ENTRY, denied, []).completeness is Completeness.DENIED
    partial = Reading("subjectlog", Completeness.PARTIAL, {}, reason="One page is missing.")
    assert not derived_reading(ENTRY, partial, []).sound


def test_odd_entries_do_no_harm() -> None:
    odd = reading(None, 1, {}, {"date_time": "yesterday"}, {"date_time": 5}, {"date_time": NOON})
    assert list(derived_reading(ENTRY, odd, []).records) == [f"{ID}/{NOON}"]
    wrong = derived_reading(ENTRY, reading({"date_time": NOON, "notes": ["a"]}), [])
    assert not wrong.sound
    assert "the notes of entry" in wrong.reason


@pytest.mark.parametrize("entries", ["none", {"a": 1}, 5, [None], ["a"]])
def test_a_log_that_does_not_tell_its_entries_is_not_one_without(entries: object) -> None:
    record = {"id": ID, "type": "Weighing", "entries": entries}
    # A server may answer with anything; the types say what is sound.
    parents = Reading("subjectlog", Completeness.COMPLETE, {ID: record})  # type: ignore[dict-item]
    assert "the entries of record" in derived_reading(ENTRY, parents, []).reason
    less = Reading("subjectlog", Completeness.COMPLETE, {ID: {"id": ID, "type": "Weighing"}})
    assert "without its entries" in derived_reading(ENTRY, less, []).reason


def test_an_entry_is_not_gone_while_the_time_of_another_cannot_be_read() -> None:
    odd = reading({"date_time": "yesterday"}, {"date_time": NOON})
    assert derived_reading(ENTRY, odd, [f"{ID}/{NOON}"]).sound
    assert "no time that can be read" in derived_reading(ENTRY, odd, [f"{ID}/{NIGHT}"]).reason


def test_two_at_one_moment_are_known() -> None:
    record = reading({"date_time": NOON}, {"start_date_time": NOON}).records[ID]
    assert twice(ENTRY, record) == {f"{ID}/{NOON}"}


def test_a_log_lists_its_entries_by_id_and_can_be_seen_without_some() -> None:
    record = reading({"date_time": NOON}, {"date_time": "?"}).records[ID]
    assert ids_listed(CATALOG, LOG, record, "entries") == [f"{ID}/{NOON}", "unreadable"]
    left = without_entries(CATALOG, LOG, record, [f"{ID}/{NOON}"])
    assert left["entries"] == [{"date_time": "?"}]
    assert len(record["entries"]) == 2


@given(st.datetimes(timezones=st.timezones()))
def test_every_moment_makes_an_id_that_is_one(moment: object) -> None:
    # Hypothesis gives datetimes under a wider type.
    text = in_utc(moment.isoformat())  # type: ignore[attr-defined]
    assert text is None or is_record_id(entry_id(ID, text))


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_anything_else_makes_none_or_one(value: object) -> None:
    text = in_utc(value)
    assert text is None or is_record_id(entry_id(ID, text))
