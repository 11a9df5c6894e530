"""Maps of columns: as an option, as a file, and from one to the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.errors import ConfigError
from stemctl.schema.catalog import load_catalog
from stemctl.sheets.column_map import ColumnMap, ColumnRule, file_map, option_map
from stemctl.sheets.columns import Columns

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
RULES = st.builds(
    ColumnRule,
    NAMES,
    values=st.dictionaries(NAMES, NAMES | st.sampled_from(["", "no", "1", "null", "-"])),
    date=st.sampled_from(["", "D/M/Y", "M.D.Y", "Y-M-D"]),
    decimal=st.sampled_from(["", ",", "."]),
    unit=st.sampled_from(["", "g", "µm", "%"]),
)
MAPS = st.builds(
    ColumnMap,
    st.dictionaries(NAMES, RULES),
    ignore=st.lists(NAMES, unique=True).map(tuple),
    time_zone=st.sampled_from(["", "Europe/Berlin"]),
)


@given(MAPS)
def test_a_map_comes_back_from_its_file(columns: ColumnMap) -> None:
    assert file_map(columns.text(), "m.yaml") == columns


def test_the_parts_of_an_option() -> None:
    text = 'Animal ID=name, "A, B=C"=strain, Sex=sex:{male: M, no: F}, DOB=birth_date:{date: D/M/Y}'
    assert option_map(text).columns == {
        "Animal ID": ColumnRule("name"),
        "A, B=C": ColumnRule("strain"),
        "Sex": ColumnRule("sex", {"male": "M", "no": "F"}),
        "DOB": ColumnRule("birth_date", date="D/M/Y"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "`a` is not COLUMN=FIELD"),
        ("a=", "is not COLUMN=FIELD"),
        ("a=b,", "is not COLUMN=FIELD"),
        ("a=b, a=c", "`a` is named twice"),
        ("a=b:{x: [1]}", "is not a text"),
        ("a=b:{", "line 1"),
        ("a=b:x", "is not {CELL: VALUE, ...}"),
        ("a=b:{decimal: ;}", "is no decimal mark"),
    ],
)
def test_what_is_no_map_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        option_map(text)
    assert message in raised.value.what


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has no `columns:`"),
        ("columns: {a: b}\nignored: [x]\n", "unknown key `ignored`"),
        ("columns: {a: {path: b}}\n", "`a`: it names no field"),
        ("columns: {a: {field: b, form: c}}\n", "unknown key `form`"),
        ("columns: {a: {field: b, values: [c]}}\n", "`values` is not a mapping"),
        ("columns: {}\nignore: x\n", "`ignore` is not a list"),
        ("columns: {a: b\n", "line "),
        ("columns: " + "[" * 5000, ""),
    ],
)
def test_a_file_that_is_no_map_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        file_map(text, "m.yaml")
    assert raised.value.what.startswith("m.yaml: ")
    assert message in raised.value.what


@pytest.mark.parametrize(
    ("model", "name", "path"),
    [
        ("subject", "Birth date", "birth_date"),
        ("subject", "birthdate", "birth_date"),
        ("subject", "project", "projects"),
        ("subject", "Project", "projects"),
        ("subject", "project__name", "projects"),
        ("subject", "subject__name", "name"),
        ("subject", "Key", "key"),
        ("session", "session__data_storage", "datastorage"),
        ("session", "extra_fields.My room", "extra_fields.My room"),
        ("session", "download_links.DANDI", "download_links.DANDI"),
        ("session", "Download links.dandi", "download_links.DANDI"),
        ("project", "project__users__can_change", "users.can_change"),
        ("procedure", "procedure__atlas", "brain_region.atlas"),
        ("procedure", "brain_region", "brain_region"),
        ("procedure", "subject__name", "subject"),
        ("behavior", "behavior__behavioral_paradigm", "behavioralassay"),
        ("dataacquisition", "data_acquisition__type", "type"),
        ("dataacquisition", "sr", "details.sr"),
        ("dataacquisition", "SR (kHz)", "details.sr"),
        ("subjectlog", "weight", "details.weight"),
        ("subjectlog", "subject_log__entry_datetime", "date_time"),
        ("subjectlog", "notes", "notes"),
    ],
)
def test_a_column_means_a_field(model: str, name: str, path: str) -> None:
    catalog = load_catalog("2026")
    found = Columns(catalog.models[model], catalog).meaning(name)
    assert found is not None
    assert found.path == path
    assert not found.left


@pytest.mark.parametrize(
    "name", ["weigth", "user__name", "sessions__x", "sr (parsec)", "extra_fields.", ".", "__", ""]
)
def test_a_column_that_nobody_knows_means_nothing(name: str) -> None:
    catalog = load_catalog("2026")
    for model in catalog.writable:
        found = Columns(model, catalog).meaning(name)
        assert found is None or found.left


def test_every_name_that_is_proposed_is_understood() -> None:
    catalog = load_catalog("2026")
    for model in catalog.writable:
        columns = Columns(model, catalog)
        for name in columns.known():
            assert columns.meaning(name) is not None, (model.name, name)
