"""Cells: every value comes back from its text, and what could mean two things is refused."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.schema.catalog import editions, load_catalog
from stemctl.schema.fields import Field
from stemctl.sheets.cells import SCALAR, Cell, cell_text
from stemctl.sheets.problems import CellError
from stemctl.sheets.read_cells import Reading, read_cell
from stemctl.util.json_types import Value
from tests.support.effort import examples


def _all_fields() -> dict[str, Field]:
    """One field of each kind and shape that the tables have, and the entries of maps."""
    found: dict[str, Field] = {"scalar": SCALAR}
    for edition in editions():
        catalog = load_catalog(edition)
        for model in catalog.models.values():
            for field in model.fields.values():
                found.setdefault(_shape(field), field)
                for type_ in field.details.types.values() if field.details else ():
                    for inner in type_.fields.values():
                        found.setdefault(_shape(inner), inner)
    return found


def _shape(field: Field) -> str:
    parts = [field.kind, "enum" if field.enum else "", "numbered" if field.numbered else ""]
    if field.details:
        parts.append("rows" if field.details.rows else "object")
    return " ".join(part for part in parts if part)


FIELDS = _all_fields()

# Half characters are not in any file. A cell with NUL is refused before it is read.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
MARKS = "- ' '' =1+1 +1 -1 @x a;b \" \"a\";b 12 1e3 '12 true 012 {} [] null '=x a,b ; \";\""
TRICKY = st.sampled_from([*MARKS.split(), "\tx", " a ", "a\nb", "\u202ex", "\u2212"])
TEXTS = TEXT | TRICKY
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
DAYS = st.dates(datetime.date(1900, 1, 1)).map(datetime.date.isoformat)
MOMENTS = st.builds(
    lambda moment, minutes: moment.replace(
        tzinfo=datetime.timezone(datetime.timedelta(minutes=minutes))
    ).isoformat(),
    st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(9000, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)


# Digits alone are an id where ids are numbers.
NUMBERED = TEXTS.filter(lambda text: not text.lstrip("'").isdigit()) | st.integers(1, 10**9)
OBJECTS = st.dictionaries(TEXTS, JSON, min_size=1, max_size=3)
LISTS = {
    "list": st.lists(TEXTS | st.just(""), min_size=1),
    "references": st.lists(TEXTS | st.just(""), min_size=1),
    "numbers": st.lists(NUMBERS, min_size=1),
    "items": st.lists(OBJECTS, min_size=1),
    "rows": st.lists(OBJECTS, min_size=1),
}
VALUES = {
    "id": TEXTS,
    "text": TEXTS,
    "reference": TEXTS,
    "number": NUMBERS,
    "integer": st.integers(-(2**53), 2**53),
    "boolean": st.booleans(),
    "date": DAYS,
    "instant": DAYS | MOMENTS,
    "scalar": TEXTS | NUMBERS,
    "json": JSON,
    "map": OBJECTS,
    "members": OBJECTS,
    "details": OBJECTS,
    **LISTS,
}


def _values(field: Field) -> st.SearchStrategy[Value]:
    if field.enum:
        choice = st.sampled_from(field.enum)
        return st.lists(choice, min_size=1) if field.kind == "list" else choice
    if field.kind == "quantity":
        numbers = st.integers(-999, 999) | st.sampled_from([0.5, -70.25, 1e-5])
        return st.builds(lambda n, unit: f"{n} {unit}", numbers, st.sampled_from(field.units))
    if field.numbered:
        return NUMBERED if field.kind == "reference" else st.lists(NUMBERED, min_size=1)
    return VALUES["rows" if field.details and field.details.rows else field.kind]


@pytest.mark.parametrize("shape", FIELDS)
@given(data=st.data())
@examples(40)
def test_a_value_comes_back_from_its_cell(shape: str, data: st.DataObject) -> None:
    field = FIELDS[shape]
    value = data.draw(_values(field))
    text = cell_text(field, value)
    read = read_cell(field, text)
    if not isinstance(value, int | float):  # it would be run by a spreadsheet
        assert not text.startswith(("=", "+", "-", "@", "\t", "\r"))
    if value in ("", [], {}):
        assert read is Cell.EMPTY
    else:
        assert read == value
        assert isinstance(read, bool) == isinstance(value, bool)


@pytest.mark.parametrize("shape", FIELDS)
@given(text=TEXTS)
@examples(40)
def test_any_text_is_a_value_or_a_problem(shape: str, text: str) -> None:
    problem: CellError | None = None
    try:
        read_cell(FIELDS[shape], text)
    except CellError as error:
        problem = error
    assert problem is None or (problem.message and problem.remedy)


def _field(kind: str, **more: Value) -> Field:
    return Field("weight", kind, "", "", **more)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("boolean", "YES", True),
        ("boolean", "on", True),
        ("boolean", "1", True),
        ("boolean", "Enabled", True),
        ("boolean", "no", False),
        ("boolean", "0", False),
        ("boolean", "disabled", False),
        ("number", "0.50", 0.5),
        ("number", "\u2212" + "5", -5),
        ("number", "12.0", 12),
        ("integer", "12.0", 12),
        ("date", "2024-3-2", "2024-03-02"),
        ("date", "2024-03-12 00:00:00", "2024-03-12"),
        ("date", "2024/03/12", "2024-03-12"),
        ("instant", "2024-03-12", "2024-03-12"),
        ("instant", "2024-03-12 14:00Z", "2024-03-12T14:00:00Z"),
        ("instant", "2024-03-12T14:00:05+0100", "2024-03-12T14:00:05+01:00"),
        ("list", "sleep; theta ;", ["sleep", "theta"]),
        ("list", '"a;b"; c', ["a;b", "c"]),
        ("list", "a, b", ["a, b"]),
        ("text", "  sleep ", "sleep"),
        ("text", "'t Hooft", "'t Hooft"),
        ("text", "", Cell.EMPTY),
        ("text", "   ", Cell.EMPTY),
        ("list", "-", Cell.CLEAR),
    ],
)
def test_a_cell_is_read_as_people_write_it(kind: str, text: str, value: Value) -> None:
    assert read_cell(_field(kind), text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("22", 22), ("22.5", 22.5), ("B115", "B115"), ("012", "012"), ("yes", "yes"), ("'22", "22")],
)
def test_an_entry_of_a_map_is_a_number_where_every_reader_sees_one(text: str, value: Value) -> None:
    assert read_cell(SCALAR, text) == value
    assert type(read_cell(SCALAR, text)) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "message", "remedy"),
    [
        ("boolean", "maybe", "neither true nor false", "`true` or `false`"),
        ("number", "1,5", "comma", "`1.5` or `15`"),
        ("number", "1,234", "comma", "`1.234` or `1234`"),
        ("number", "twelve", "not a number", "digits"),
        ("number", "1" * 400, "exactly", "fewer digits"),
        ("number", "1e999", "exactly", "fewer digits"),
        ("integer", "3.5", "not a whole number", "3 or 4"),
        ("date", "03/04/2024", "two ways", "`2024-04-03` or `2024-03-04`"),
        ("date", "13/04/2024", "no certain order", "`2024-04-13`"),
        ("date", "30.02.2024", "does not exist", "2024-03-12"),
        ("date", "2024-02-30", "does not exist", "2024-03-12"),
        ("date", "03/04/24", "four digits", "2024-03-12"),
        ("date", "2024-03-12 14:00", "has a time", "`2024-03-12`"),
        ("date", "soon", "not a date", "2024-03-12"),
        ("instant", "2024-03-12 14:00", "no time zone", "--time-zone"),
        ("instant", "2024-03-12 25:00Z", "not a time of day", "14:00"),
        ("list", '"a', "quotes", "double quotes"),
        ("map", "{", "not JSON", ""),
        ("map", "[1]", "an object", "{...}"),
        ("rows", "{}", "a list", "[...]"),
    ],
)
def test_what_is_no_value_is_refused_with_a_remedy(
    kind: str, text: str, message: str, remedy: str
) -> None:
    with pytest.raises(CellError) as raised:
        read_cell(_field(kind), text)
    assert message in raised.value.message
    assert remedy in raised.value.remedy


def test_quantities_need_a_unit_of_the_table() -> None:
    field = _field("quantity", units=("g", "kg", "µg"))
    assert read_cell(field, "312g") == "312 g"
    assert read_cell(field, "5 \u03bcg") == "5 µg"
    assert read_cell(field, "312", Reading(unit="g")) == "312 g"
    assert read_cell(field, "0,3 kg", Reading(decimal_comma=True)) == "0.3 kg"
    for text, remedy in [("312", "{unit: g}"), ("312 KG", "`kg`"), ("0,3 kg", "{decimal: ','}")]:
        with pytest.raises(CellError) as raised:
            read_cell(field, text)
        assert remedy in " ".join([raised.value.remedy, *raised.value.options])


def test_the_map_says_the_order_of_a_date() -> None:
    assert read_cell(_field("date"), "03/04/2024", Reading(order="DMY")) == "2024-04-03"
    assert read_cell(_field("date"), "3/4/2024", Reading(order="MDY")) == "2024-03-04"
    berlin = Reading(order="DMY", zone=ZoneInfo("Europe/Berlin"))
    assert read_cell(_field("instant"), "03.07.2024 14:05", berlin) == "2024-07-03T14:05:00+02:00"
    with pytest.raises(CellError, match="does not exist"):
        read_cell(_field("date"), "13/13/2024", Reading(order="DMY"))
    with pytest.raises(CellError, match="year"):
        read_cell(_field("date"), "12/03/24", Reading(order="DMY"))


@pytest.mark.parametrize("order", ["", "DMY", "MDY", "YMD"])
def test_a_date_that_begins_with_its_year_is_read_with_any_order(order: str) -> None:
    reading = Reading(order=order, zone=ZoneInfo("UTC"))
    for text in ("2024-03-12", "2024-03-12 00:00:00", "2024/3/12"):
        assert read_cell(_field("date"), text, reading) == "2024-03-12"
    assert read_cell(_field("instant"), "2024-03-12 14:05", reading) == "2024-03-12T14:05:00+00:00"
    with pytest.raises(CellError, match="does not exist"):
        read_cell(_field("date"), "2024-13-01", reading)


def test_a_local_time_that_exists_twice_is_refused_with_both() -> None:
    berlin = Reading(zone=ZoneInfo("Europe/Berlin"))
    with pytest.raises(CellError, match="exists twice") as raised:
        read_cell(_field("instant"), "2024-10-27 02:30", berlin)
    assert "2024-10-27T02:30:00+02:00" in raised.value.remedy
    with pytest.raises(CellError, match="does not exist"):
        read_cell(_field("instant"), "2024-03-31 02:30", berlin)


def test_american_afternoons() -> None:
    reading = Reading(order="MDY", zone=ZoneInfo("America/New_York"))
    assert read_cell(_field("instant"), "7/3/2024 2:05 PM", reading) == "2024-07-03T14:05:00-04:00"
    assert read_cell(_field("instant"), "7/3/2024 12:05 am", reading) == "2024-07-03T00:05:00-04:00"


@pytest.mark.parametrize("text", ["M", "m", "male", "Male"])
def test_an_enum_is_read_by_value_or_label_in_any_case(text: str) -> None:
    field = load_catalog("2026").models["subject"].fields["sex"]
    assert read_cell(field, text) == "M"
    with pytest.raises(CellError, match="not one of the values"):
        read_cell(field, "boy")
