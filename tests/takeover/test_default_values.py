"""Defaults of new files: the records that are read back are exactly those that were meant."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.diagnostics import Severity
from stemctl.core.records import Address
from stemctl.manifests.formatter.layout import format_text
from stemctl.manifests.load import load_repository
from stemctl.schema.catalog import load_catalog
from stemctl.schema.detail_values import as_stored, type_of
from stemctl.takeover.default_values import lift, under_defaults
from stemctl.takeover.rows import NewFile, Row
from stemctl.takeover.text import text_of

CATALOG = load_catalog("2026")
OUTER, INNER = CATALOG.models["session"], CATALOG.models["dataacquisition"]

PROJECTS = st.lists(st.sampled_from(["A", "B", "C: d"]), min_size=1, max_size=3, unique=True)
TAGS = st.lists(st.sampled_from(["x", "y", "no", "12"]), min_size=1, max_size=3, unique=True)
EXTRA = st.dictionaries(st.sampled_from(["room", "n", "a_b"]), st.sampled_from([1, "B", "012"]))
TEXT = st.sampled_from(["One line", "Two\nlines\n", "colon: hash #", " - x", "'quoted'", "é ☃"])


def some(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with some of these fields, none of them empty."""
    return st.fixed_dictionaries({}, optional=fields).map(
        lambda found: {name: value for name, value in found.items() if value not in ([], {})}
    )


OUTER_FIELDS = some(
    projects=PROJECTS,
    tags=TAGS,
    extra_fields=EXTRA,
    description=TEXT,
    datastorage=st.just(["Server"]),
    date_time=st.sampled_from(["2024-03-12T09:00:00Z", "2024-03-13"]),
)
DETAILS = {
    "ExtracellularEphys": some(
        nChannels=st.sampled_from([32, 64]), sr=st.sampled_from(["30 kHz", "20 kHz"])
    ),
    "VideoTracking": some(frameRate=st.sampled_from(["30 Hz", "50 Hz"])),
}


@st.composite
def inner_fields(draw: st.DrawFn) -> dict[str, Any]:
    type_ = draw(st.sampled_from(list(DETAILS)))
    details = draw(DETAILS[type_])
    more = draw(some(notes=TEXT, order=st.sampled_from([1, 2]), procedures=PROJECTS))
    return {"type": type_, **({"details": details} if details else {}), **more}


OUTER_DEFAULTS = some(projects=PROJECTS, tags=TAGS, extra_fields=EXTRA, datastorage=PROJECTS)
DEFAULTS = st.fixed_dictionaries(
    {}, optional={"sessions": OUTER_DEFAULTS, "data_acquisitions": inner_fields()}
)
RECORDS = st.lists(
    st.tuples(OUTER_FIELDS, st.lists(inner_fields(), max_size=3)), min_size=1, max_size=6
)


def rows_of(records: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> list[Row]:
    """The rows of these records, each with a key of its own."""
    rows = []
    for number, (fields, inside) in enumerate(records):
        name = f"s{number}"
        row = Row(OUTER, name, Address("session", name), {"name": name, **copy.deepcopy(fields)})
        children = []
        for at, child in enumerate(inside):
            own = {"key": f"k{at}"} if len(inside) > 1 else {}
            key = f"{name}/k{at}" if own else name
            address = Address("dataacquisition", key)
            children.append(Row(INNER, key, address, {**own, **copy.deepcopy(child)}))
        if children:
            row.inside[INNER.section] = children
        rows.append(row)
    return rows


def meant(rows: list[Row]) -> dict[Address, dict[str, Any]]:
    """The fields that the records are meant to have."""
    found = {}
    for row in rows:
        for one in row.walk():
            fields = {name: value for name, value in one.fields.items() if name != "key"}
            if one is not row:
                fields["session"] = row.address.key
            found[one.address] = plain(one.model, copy.deepcopy(fields))
    return found


def plain(model: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with sets in one order, and details as they are stored."""
    found = {}
    for name, value in fields.items():
        row = model.fields[name]
        if row.details:
            type_ = type_of(row, fields.get(row.details.selector))
            value = as_stored(type_, value) if type_ else value
        found[name] = sorted(value, key=repr) if isinstance(value, list) and row.merges else value
    return found


def read_back(root: Path, text: str, defaults: dict[str, Any]) -> dict[Address, dict[str, Any]]:
    """The records of a file beside these folder defaults."""
    folder = root / "records"
    folder.mkdir()
    if defaults:
        (folder / "_defaults.yaml").write_text(yaml.safe_dump({"defaults": defaults}))
    (folder / "new.yaml").write_text(text, encoding="utf-8")
    repository, findings = load_repository(root, ["records"], CATALOG, ignore_gitignore=True)
    assert [one.message for one in findings if one.severity is Severity.ERROR] == []
    return {
        address: plain(CATALOG.models[address.model], dict(record.fields))
        for address, record in repository.records.items()
    }


@given(RECORDS, DEFAULTS)
def test_the_records_of_a_new_file_are_those_that_were_meant(tmp_path_factory, records, defaults):
    rows = rows_of(records)
    wanted = meant(rows)
    new = NewFile("records/new.yaml", {OUTER.section: rows})
    for row in rows:
        under_defaults(CATALOG, row, defaults)
    lift(new)
    text = text_of(new)
    assert format_text(text).text == text
    assert read_back(tmp_path_factory.mktemp("lab"), text, defaults) == wanted


def lifted(*records: tuple[dict[str, Any], list[dict[str, Any]]]) -> dict[str, Any]:
    new = NewFile("records/new.yaml", {OUTER.section: rows_of(list(records))})
    lift(new)
    return new.defaults


def test_three_records_that_share_a_value_have_it_as_a_default():
    same = ({"projects": ["A"]}, [])
    assert lifted(same, same) == {}
    assert lifted(same, same, same) == {"sessions": {"projects": ["A"]}}
    assert lifted(same, same, same, ({"tags": ["x"]}, [])) == {}
    assert lifted(same, same, same, ({"projects": ["A", "B"]}, [])) == {}


def test_another_value_may_stay_where_nothing_is_merged():
    ephys, video = {"type": "ExtracellularEphys"}, {"type": "VideoTracking"}
    records = [({}, [{**ephys, "order": 1}]) for _ in range(3)]
    found = lifted(*records, ({}, [{**video, "order": 1}]))
    assert found == {"data_acquisitions": {"type": "ExtracellularEphys", "order": 1}}


@pytest.mark.parametrize("name", ["description", "date_time"])
def test_what_is_about_one_record_stays_there(name):
    value = "2024-03-12" if name == "date_time" else "First day."
    assert lifted(*(({name: value}, []) for _ in range(4))) == {}
