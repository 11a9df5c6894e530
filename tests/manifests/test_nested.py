"""Records inside records: what is read of them, and what one says of the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Address, Location, Record, Repository
from stemctl.manifests.cross_file import check_references
from stemctl.manifests.load import load_repository
from stemctl.schema.catalog import load_catalog
from tests.support.effort import examples

CATALOG = load_catalog("2026")
Load = Callable[..., tuple[dict[str, Record], list[Diagnostic]]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(
        text: str, zone: str | None = None, **more: str
    ) -> tuple[dict[str, Record], list[Diagnostic]]:
        for name, other in {"a": text, **more}.items():
            (tmp_path / f"{name}.yaml").write_text(text if name == "a" else other)
        repository, found = load_repository(
            tmp_path, ["."], CATALOG, time_zone=ZoneInfo(zone) if zone else None
        )
        return by_address(repository), list(found)

    return load_text


def by_address(repository: Repository) -> dict[str, Record]:
    return {str(address): record for address, record in repository.records.items()}


RAT = """\
defaults:
  behaviors: {setup: Maze room, session: elsewhere, subjects: [rat12]}
  subject_logs: {description: From the scale.}
sessions:
  - name: rat12_2024-03-12
    behaviors:
      - {}
      - {key: second, setup: Box}
    manipulations: []
subjects:
  - key: animals/12
    name: rat12
    procedures:
      - key: surgery
        procedure_logs:
          - type: Impedances
            entries:
              - {date_time: 2024-03-12T08:00:00Z}
    subject_logs:
      - key: weight
        entries:
          - {date_time: 2024-03-12}
behaviors:
  - {key: rat12_2024-03-12/third, session: rat12_2024-03-12}
"""


def test_each_has_an_address_its_parent_and_the_defaults(load: Load) -> None:
    records, findings = load(RAT)
    assert findings == []
    parents = {address: str(one.parent) for address, one in records.items() if one.parent}
    assert parents == {
        "behavior/rat12_2024-03-12": "session/rat12_2024-03-12",
        "behavior/rat12_2024-03-12/second": "session/rat12_2024-03-12",
        "procedure/animals/12/surgery": "subject/animals/12",
        "procedurelog/animals/12/surgery": "procedure/animals/12/surgery",
        "procedurelogentry/animals/12/surgery/2024-03-12T08:00:00Z": (
            "procedurelog/animals/12/surgery"
        ),
        "subjectlog/animals/12/weight": "subject/animals/12",
        "subjectlogentry/animals/12/weight/2024-03-12": "subjectlog/animals/12/weight",
    }
    assert records["behavior/rat12_2024-03-12"].fields == {
        "setup": "Maze room",
        "subjects": ["rat12"],
        "session": "rat12_2024-03-12",
    }
    assert records["behavior/rat12_2024-03-12/second"].fields["setup"] == "Box"
    third = records["behavior/rat12_2024-03-12/third"]
    assert third.fields["session"] == "rat12_2024-03-12"
    assert third.fields["setup"] == "Maze room"
    log = records["subjectlog/animals/12/weight"]
    assert log.fields == {"description": "From the scale.", "subject": "animals/12"}
    assert log.location == Location("a.yaml", 20, 9)


def test_a_value_is_located_where_it_is_written(load: Load) -> None:
    records, _ = load(RAT)
    second = records["behavior/rat12_2024-03-12/second"]
    assert second.location_of("setup") == Location("a.yaml", 8, 30)
    assert second.location_of("subjects", "rat12") == Location("a.yaml", 2, 64)
    assert second.location_of("session") == second.location  # its place says it, and no default
    assert second.location_of("key") == Location("a.yaml", 8, 15)


def test_all_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RAT)
    repository, _ = load_repository(tmp_path, ["."], CATALOG)
    assert repository.seen == {"a.yaml": 10}


BROKEN = """\
sessions:
  - name: a
    behaviors:
      - {key: good}
      - {key: bad, setpu: Box}
  - name: b
    tgas: []
    behaviors:
      - {key: lost}
subjects:
  - name: s
    procedures:
      - key: p
        notes: 5
        procedure_logs:
          - {key: deep}
"""


def test_what_is_broken_takes_along_what_is_inside_it_alone(load: Load) -> None:
    records, findings = load(BROKEN)
    assert set(records) == {"session/a", "behavior/a/good", "subject/s"}
    named = {finding.address: finding.field for finding in findings}
    assert named == {
        "behavior/a/bad": "setpu",
        "session/b": "tgas",
        "procedure/s/p": "notes",
    }


def test_a_record_without_a_key_hides_its_children_and_no_move_is_doubted(load: Load) -> None:
    records, findings = load(
        "sessions:\n  - behaviors: [{key: a}]\nmoved:\n"
        "  - {from: behavior/old/a, to: behavior/new/a}\n"
    )
    assert records == {}
    assert [finding.code for finding in findings] == ["missing-field"]


def test_a_move_may_lead_to_a_record_inside_another(load: Load) -> None:
    moved = "moved:\n  - {from: dataacquisition/old/probe, to: dataacquisition/a/probe}\n"
    nested = "sessions: [{name: a, data_acquisitions: [{key: probe}]}]\n"
    assert load(moved + nested)[1] == []
    (finding,) = load(moved + nested.replace("probe}", "prob}"))[1]
    assert finding.code == "bad-move"
    (finding,) = load(nested + "deleted: [dataacquisition/a/probe]\n")[1]
    assert finding.code == "contradiction"


@pytest.mark.parametrize("written", ["a", "long name", "5C0F3C52-7a0e-4b7b-9d6e-0f5a1b6c2d48"])
def test_the_parent_may_be_written_in_each_way(load: Load, written: str) -> None:
    records, findings = load(
        "sessions:\n  - key: a\n    name: long name\n    id: 5C0F3C52-7a0e-4b7b-9d6e-0f5a1b6c2d48\n"
        f"    behaviors: [{{session: {written}}}]\n"
    )
    assert findings == []
    assert records["behavior/a"].fields == {"session": "a"}


def test_a_name_that_two_share_is_no_doubt_where_the_place_decides(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "sessions:\n"
        "  - {key: a, name: b, behaviors: [{}]}\n"
        "  - {key: c, name: a, behaviors: [{}]}\n"
    )
    repository, findings = load_repository(tmp_path, ["."], CATALOG)
    assert findings == ()
    assert list(check_references(repository, CATALOG)) == []


def test_a_time_without_an_offset_gets_it_wherever_it_is(load: Load) -> None:
    text = "subjects: [{name: s, subject_logs: [{entries: [{date_time: 2024-07-01T08:00:00}]}]}]\n"
    records, findings = load(text, zone="Europe/Berlin")
    assert findings == []
    # The key is what is written; what is compared and sent has the offset.
    entry = records["subjectlogentry/s/2024-07-01T08:00:00"]
    assert entry.fields["date_time"] == "2024-07-01T08:00:00+02:00"
    _, (finding,) = load(text.replace("2024-07-01T08", "2024-03-31T02"), zone="Europe/Berlin")
    assert finding.code == "bad-time"


def test_an_alias_is_read_in_each_place(load: Load) -> None:
    records, findings = load(
        "sessions:\n  - name: a\n    behaviors: &same [{setup: Box}]\n"
        "  - {name: b, behaviors: *same}\n"
    )
    assert findings == []
    assert records["behavior/a"].fields["session"] == "a"
    assert records["behavior/b"].fields["session"] == "b"


def test_defaults_of_a_folder_reach_inside(tmp_path: Path) -> None:
    (tmp_path / "_defaults.yaml").write_text("defaults: {behaviors: {setup: Box}}\n")
    (tmp_path / "a.yaml").write_text("sessions: [{name: a, behaviors: [{}]}]\n")
    repository, _ = load_repository(tmp_path, ["."], CATALOG)
    record = repository.records[Address("behavior", "a")]
    assert record.fields["setup"] == "Box"
    assert record.location_of("setup").file == "_defaults.yaml"


KEYS = st.lists(st.sampled_from("abcde"), unique=True, max_size=4)


@examples(60)
@given(st.dictionaries(st.sampled_from("stuv"), KEYS, max_size=3), st.booleans())
def test_nested_and_at_the_top_are_the_same_records(
    tmp_path_factory: pytest.TempPathFactory, children: dict[str, list[str]], flow: bool
) -> None:
    """With the whole key, a record at the top is the one that it would be inside its parent."""
    nested: dict[str, Any] = {
        "sessions": [
            {"name": name, "behaviors": [{"key": key, "notes": key} for key in keys]}
            for name, keys in children.items()
        ]
    }
    flat = {
        "sessions": [{"name": name} for name in children],
        "behaviors": [
            {"key": f"{name}/{key}", "session": name, "notes": key}
            for name, keys in children.items()
            for key in keys
        ],
    }
    read = []
    for data in (nested, flat):
        folder = tmp_path_factory.mktemp("records")
        (folder / "a.yaml").write_text(yaml.safe_dump(data, default_flow_style=flow))
        repository, findings = load_repository(folder, ["."], CATALOG)
        assert findings == ()
        read.append({address: dict(one.fields) for address, one in repository.records.items()})
    assert read[0] == read[1]


DEEP = """\
subjects:
  - {name: a, subject_logs: [{key: w, type: Weighing, entries: []}]}
  - name: b
    subject_logs:
      - {key: fine, type: Weighing}
      - key: w
        type: Weighing
        entries:
          - {date_time: 2024-03-12, details: {weight: 312 g}}
          - {date_time: 2024-03-13, details: {weight: 312 kHz}}
          - {date_time: 2024-03-14, details: {weight: 312 g}}
          - {date_time: 2024-03-15, detials: {weight: 312 g}}
"""


def test_what_is_wrong_deep_inside_is_found_where_it_is(load: Load) -> None:
    """Valid records beside it are left out of the slow validation, and positions count them."""
    records, findings = load(DEEP)
    lines = [finding.location.line for finding in findings if finding.location]
    assert lines == [10, 12]
    assert [finding.address for finding in findings] == [
        "subjectlogentry/b/w/2024-03-13",
        "subjectlogentry/b/w/2024-03-15",
    ]
    assert {"subjectlogentry/b/w/2024-03-12", "subjectlogentry/b/w/2024-03-14"} <= set(records)
    assert "subjectlogentry/b/w/2024-03-13" not in records
