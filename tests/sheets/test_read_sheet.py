"""Tables as files: what is read, and what is refused because it could be misread."""

from __future__ import annotations

import codecs
import datetime
import io
import sys
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.errors import ConfigError
from stemctl.sheets import read_sheet as read_sheet_module
from stemctl.sheets import read_xlsx
from stemctl.sheets import sheet as sheet_module
from stemctl.sheets.problems import UnreadableSheet
from stemctl.sheets.read_sheet import read_sheet
from stemctl.sheets.sheet import MOST_COLUMNS, Sheet


def _rows(sheet: Sheet) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.number, row.cells) for row in sheet.rows]


@pytest.mark.parametrize(
    "data",
    [
        b"name,tags\na,x\n",
        b"name,tags\r\na,x\r\n",
        b"name,tags\na,x",
        b"name;tags\na;x\n",
        b"name\ttags\na\tx\n",
        b"sep=|\nname|tags\na|x\n",
        b'"name","tags"\n"a","x"\n',
        b" name , tags \na,x\n",
        b"name,tags,,\na,x,,\n",
        codecs.BOM_UTF8 + b"name,tags\na,x\n",
        "name\ttags\na\tx\n".encode("utf-16"),
    ],
)
def test_each_way_to_write_the_same_table(data: bytes) -> None:
    sheet = read_sheet(data, "t.csv")
    assert sheet.columns == ("name", "tags")
    assert [row.cells for row in sheet.rows] == [("a", "x")]


def test_a_tsv_is_separated_by_tabs_whatever_its_names_have() -> None:
    sheet = read_sheet(b"name, all\ttags\na\tx\n", "t.tsv")
    assert sheet.columns == ("name, all", "tags")


def test_rows_are_numbered_as_in_a_spreadsheet() -> None:
    data = b'name,notes\na,"two\nlines"\n\n , \nb,x\n'
    assert _rows(read_sheet(data, "t.csv")) == [(2, ("a", "two\nlines")), (5, ("b", "x"))]


@pytest.mark.parametrize(
    ("data", "where", "message", "remedy"),
    [
        (b"", 1, "no names of columns", "row 1"),
        (b"\nname\na\n", 1, "no names of columns", "row 1"),
        ("name\ncafé\n".encode("cp1252"), 2, "not in UTF-8", "CSV UTF-8"),
        ("name\na\n".encode("utf-16-le"), 1, "not text", "CSV UTF-8"),
        (b"name\na\0b\n", 2, "not text", "CSV UTF-8"),
        (b"name,tags\na,x,y\n", 2, "3 cells, and row 1 has 2", "double quotes"),
        (b"name,tags\na,x,\n", 2, "3 cells, and row 1 has 2", "double quotes"),
        (b"name,tags\na\n", 2, "1 cell, and row 1 has 2", "double quotes"),
        (b"name,name\na,b\n", 1, "both called `name`", "rename"),
        (b"name,\na,b\n", 1, "column 2 has no name, and row 2 has a value", "row 1"),
        (b'name\n"a\n', 2, "cannot be read", '""'),
        (b'name\n"a"b\n', 2, "cannot be read", '""'),
        (b"a,b;c\n1,2;3\n", 1, "commas or semicolons", "double quotes"),
        (b"n\n" + b"x" * 140_000, 2, "cannot be read", ""),
        (b"n\n" + b"x" * 110_000, 2, "more than 100,000 characters", "quote"),
        (b"n" + b",x" * (MOST_COLUMNS + 1), 1, "more than 1,000 columns", "quote"),
    ],
)
def test_what_could_be_misread_is_refused(
    data: bytes, where: int, message: str, remedy: str
) -> None:
    with pytest.raises(UnreadableSheet) as raised:
        read_sheet(data, "t.csv")
    problem = raised.value.problems[0]
    assert problem.location
    assert (problem.location.file, problem.location.line) == ("t.csv", where)
    assert message in problem.message
    assert remedy in problem.remedy


def test_all_rows_of_another_width_are_named() -> None:
    with pytest.raises(UnreadableSheet) as raised:
        read_sheet(b"a,b\n1\n1,2\n1,2,3\n", "t.csv")
    assert [p.location.line for p in raised.value.problems if p.location] == [2, 4]


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_module, "MOST_ROWS", 1000)
    monkeypatch.setattr(read_sheet_module, "MOST_BYTES", 1 << 20)
    assert len(read_sheet(b"n\n" + b"x\n" * 1000, "t.csv").rows) == 1000
    for data, message in [(b"n\n" + b"x\n" * 1001, "1,000 rows"), (bytes(2 << 20), "1 MiB")]:
        with pytest.raises(UnreadableSheet) as raised:
            read_sheet(data, "t.csv")
        assert message in raised.value.problems[0].message


TEXTS = st.text(max_size=200).map(lambda text: text.encode(errors="ignore"))


@given(st.binary(max_size=200) | TEXTS)
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    for name in ("t.csv", "t.tsv", "t.xlsx"):
        problems: Any = ()
        try:
            sheet = read_sheet(data, name)
        except UnreadableSheet as error:
            sheet, problems = None, error.problems
        assert sheet or problems
        assert sheet is None or all(len(row.cells) == len(sheet.columns) for row in sheet.rows)


def _workbook(*rows: list[object], **tabs: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    for name, lines in tabs.items():
        tab = book.create_sheet(name)
        for line in lines:
            tab.append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_the_values_of_excel_become_texts() -> None:
    moment = datetime.datetime(2024, 3, 12, 14, 30)
    data = _workbook(
        ["name", "day", "moment", "flag", "whole", "part", "text"],
        ["a", datetime.date(2024, 3, 12), moment, True, 12, 0.1 + 0.2, "012"],
        [],
        ["b", None, None, False, -3.0, 1e-7, "=1+1 is not run".removeprefix("=")],
    )
    assert _rows(read_sheet(data, "t.xlsx")) == [
        (2, ("a", "2024-03-12", "2024-03-12 14:30:00", "true", "12", "0.3", "012")),
        (4, ("b", "", "", "false", "-3", "1e-07", "1+1 is not run")),
    ]


def test_a_sheet_of_a_workbook_is_chosen_by_its_name() -> None:
    data = _workbook(["name"], ["a"], Mice=[["name"], ["m"]])
    assert read_sheet(data, "t.xlsx").rows[0].cells == ("a",)
    assert read_sheet(data, "t.xlsx", "Mice").rows[0].cells == ("m",)
    with pytest.raises(UnreadableSheet) as raised:
        read_sheet(data, "t.xlsx", "mice")
    assert "there is no sheet `mice`" in raised.value.problems[0].message
    assert "t.xlsx#Mice" in raised.value.problems[0].remedy


@pytest.mark.parametrize(
    ("cell", "message", "remedy"),
    [
        ("=A1", "a formula without a stored value", "save it"),
        ("#N/A", "the error #N/A", "correct"),
        (datetime.timedelta(hours=30), "a duration", "text or as a number"),
    ],
)
def test_cells_without_a_value_are_refused(cell: object, message: str, remedy: str) -> None:
    with pytest.raises(UnreadableSheet) as raised:
        read_sheet(_workbook(["name", "x"], ["a", 1], ["b", cell]), "t.xlsx")
    problem = raised.value.problems[0]
    assert problem.message == f"row 3, column 2: {message}"
    assert remedy in problem.remedy


def test_the_stored_value_of_a_formula_is_read() -> None:
    data = _workbook(["name", "x"], ["a", "=1+1"])
    source = zipfile.ZipFile(io.BytesIO(data))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for part in source.infolist():
            content = source.read(part)
            if part.filename.endswith("sheet1.xml"):
                assert b"<f>1+1</f><v></v>" in content or b"<f>1+1</f><v />" in content
                content = content.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
            target.writestr(part, content)
    assert _rows(read_sheet(stream.getvalue(), "t.xlsx")) == [(2, ("a", "2"))]


def test_archives_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_xlsx, "_MOST_UNPACKED", 1 << 20)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(2 << 20))
    with pytest.raises(UnreadableSheet) as raised:
        read_sheet(stream.getvalue(), "t.xlsx")
    assert "too large when it is unpacked" in raised.value.problems[0].message


def test_what_a_sheet_says_of_its_size_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_xlsx, "_MOST_LINES", 1000)
    data = _workbook(["name"], ["a"])
    source = zipfile.ZipFile(io.BytesIO(data))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for part in source.infolist():
            content = source.read(part).replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"')
            target.writestr(part, content.replace(b'<row r="2"', b'<row r="4000000000"'))
    with pytest.raises(UnreadableSheet) as raised:
        read_sheet(stream.getvalue(), "t.xlsx")
    assert "the sheet is too large" in raised.value.problems[0].message


@pytest.mark.parametrize("data", [b"", b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"name\na\n"])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableSheet) as raised:
        read_sheet(data, "t.xlsx")
    assert "not a file of Excel" in raised.value.problems[0].message


def test_without_openpyxl_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ConfigError) as raised:
        read_sheet(b"PK", "t.xlsx")
    assert raised.value.hints[0][0] == "pip install 'stemctl[xlsx]'"
