"""load: what a sheet says is in the files afterwards, and all that is wrong with it is named."""

from __future__ import annotations

import datetime
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from stemctl.sheets.problems import sheet_problem
from tests.support.edition_2026 import begin
from tests.support.lab import Lab, Result

MAP = (
    "Animal ID=name, DOB=birth_date:{date: D/M/Y}, Line=strain:{LE: Long Evans}, "
    "Sex=sex:{boy: M}, Room=extra_fields.room, Project=projects"
)
COLONY = "Animal ID,DOB,Sex,Line,Room,Project,Cage card\n" + "".join(
    f"mouse{number:02},{number:02}/04/2024,{'boy' if number % 2 else 'female'},LE,B{number % 3},"
    f"Theta,C{number}\n"
    for number in range(1, 21)
)


@pytest.fixture
def sheet_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return begin(Lab(tmp_path, monkeypatch))


def load(lab: Lab, text: str, model: str, *options: str, name: str = "sheet.csv") -> Result:
    (lab.root / name).write_bytes(text.encode())
    return lab.run("load", name, "--as", model, *options)


def records(lab: Lab, key: str) -> list[dict[str, Any]]:
    """The records of a list at the top of all files, as texts."""
    found: list[dict[str, Any]] = []
    for path in sorted((lab.root / "records").rglob("*.yaml")):
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        found += value.get(key, [])
    return found


def texts(lab: Lab) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (lab.root / "records").rglob("*.yaml")}


def test_a_colony_of_twenty_mice_with_a_map_that_is_kept(sheet_lab: Lab) -> None:
    lab = sheet_lab
    options = ["--map", MAP, "--ignore", "Cage card", "--save-map", "maps.yaml"]
    result = load(lab, COLONY, "subject", *options)
    assert result.code == 0, result.said
    assert "20 added in records/lab.yaml." in result.out
    assert "maps.yaml keeps how the columns were read" in result.err
    mice = [one for one in records(lab, "subjects") if one["name"].startswith("mouse")]
    assert len(mice) == 20
    assert mice[0] == {
        "name": "mouse01",
        "projects": ["Theta"],
        "strain": "Long Evans",
        "sex": "M",
        "birth_date": "2024-04-01",
        "extra_fields": {"room": "B1"},
    }
    lab.apply()
    before = texts(lab)
    again = load(lab, COLONY, "subject", "--map-file", "maps.yaml")
    assert again.code == 0, again.said
    assert "The files already say so." in again.out
    assert texts(lab) == before


def test_a_newer_sheet_edits_the_same_records_and_keeps_comments(sheet_lab: Lab) -> None:
    lab = sheet_lab
    lab.write(
        "records/mice.yaml",
        """\
        # The colony
        subjects:
          - name: m1  # the first one
            projects: [Theta]
            strain: Long Evans
            sex: F   # checked twice
            extra_fields: {room: B1, cage: C1}
          - {name: m2, projects: [Theta], strain: Long Evans, sex: M}
          - {name: m3, projects: [Theta], strain: Long Evans, sex: M}
        """,
    )
    sheet = "name,sex,extra_fields.room,tags\nm1,M,B2,\nm2,M,,old;tame\n"
    result = load(lab, sheet, "subject")
    assert result.code == 0, result.said
    assert "~ subject/m1  sex, extra_fields" in result.out
    assert "~ subject/m2  tags" in result.out
    assert "1 record of these files is not in the sheet, and stays: m3." in result.out
    assert "stemctl rm subject/m3" in result.out
    assert (lab.root / "records/mice.yaml").read_text(encoding="utf-8") == (
        "# The colony\n"
        "subjects:\n"
        "  - name: m1  # the first one\n"
        "    projects: [Theta]\n"
        "    strain: Long Evans\n"
        "    sex: M   # checked twice\n"
        "    extra_fields: {room: B2, cage: C1}\n"
        "  - {name: m2, projects: [Theta], strain: Long Evans, sex: M, tags: [old, tame]}\n"
        "  - {name: m3, projects: [Theta], strain: Long Evans, sex: M}\n"
    )


def test_a_hyphen_clears_a_field_or_an_entry(sheet_lab: Lab) -> None:
    lab = sheet_lab
    row = "{name: m1, projects: [Theta], strain: Long Evans, sex: F, genotype: wt, "
    lab.write("records/mice.yaml", f"subjects:\n  - {row}extra_fields: {{room: B1, cage: C1}}}}\n")
    result = load(lab, "name,genotype,extra_fields.room\nm1,-,-\n", "subject")
    assert result.code == 0, result.said
    (mouse,) = [one for one in records(lab, "subjects") if one["name"] == "m1"]
    assert mouse["genotype"] == ""
    assert mouse["extra_fields"] == {"cage": "C1"}
    refused = load(lab, "name,sex\nm1,-\n", "subject")
    assert refused.code == 1
    assert "row 2, column `sex`: `-` would clear a field that is required" in refused.said


def test_all_errors_are_named_at_once_and_nothing_is_written(sheet_lab: Lab) -> None:
    lab = sheet_lab
    before = texts(lab)
    sheet = (
        "name,projects,strain,sex,birth_date,genotype,weigth\n"
        f"m1,Theta,Long Evans,boy,03/04/2024,{'x' * 201},1\n"
        ",Theta,Long Evans,M,,,\n"
        "m3,Theta,,M,2024-02-30,,\n"
        "m1,Theta,Long Evans,F,2024-04-03,,\n"
    )
    result = load(lab, sheet, "subject")
    assert result.code == 1
    for part in (
        "sheet.csv:1:7: error: subject has no field for the column `weigth`",
        '--ignore "weigth"',
        "sheet.csv:2:4: error: row 2, column `sex`: `boy` is not one of the values of `sex`",
        "sheet.csv:2:5: error: row 2, column `birth_date`: `03/04/2024` can be read in two ways",
        "write `2024-04-03` or `2024-03-04`",
        '"birth_date=birth_date:{date: D/M/Y}"',
        "sheet.csv:3:1: error: row 3 has no `name`",
        "sheet.csv:4:5: error: row 4, column `birth_date`: `2024-02-30` is a day that does not",
    ):
        assert part in result.said, result.said
    assert "errors in sheet.csv. Nothing was written." in result.said
    assert texts(lab) == before


def test_errors_of_values_and_of_rows_together(sheet_lab: Lab) -> None:
    sheet = (
        "name,projects,strain,sex,genotype\n"
        f"m1,Theta,Long Evans,M,{'x' * 201}\n"
        "m2,Theta,,M,\n"
        "m3,Theta,Long Evans,M,\n"
        "m3,Delta,Long Evans,F,\n"
    )
    result = load(sheet_lab, sheet, "subject")
    assert result.code == 1
    assert "row 2, column `genotype`: " in result.said
    assert "has 201 characters, and 200 are allowed" in result.said
    assert "row 3, column `strain`: a new subject needs it" in result.said
    assert "row 5, column `sex`: `F` is not what row 4 says of the same subject: `M`" in result.said


def test_what_records_lack_and_what_files_refuse_is_told_beside_wrong_cells(
    sheet_lab: Lab,
) -> None:
    sheet = (
        "name,projects,strain,sex,birth_date\n"
        "m1,Theta,,boy,2024-04-01\n"  # a wrong cell, and an empty one
        "m2,,Long Evans,M,2024-02-30\n"
        "m3,Theta,Long Evans,M,\n"
        "m4,Theta,Long Evans,F,\n"  # only the files know that it is to be deleted
    )
    sheet_lab.write("records/gone.yaml", "deleted: [subject/m4]\n")
    before = texts(sheet_lab)
    result = load(sheet_lab, sheet, "subject")
    assert result.code == 1
    told = [one.partition(" [")[0] for one in result.said.splitlines() if ": error: " in one]
    assert [one.partition(": error: ")[0] for one in told] == [
        "sheet.csv:2:3",
        "sheet.csv:2:4",
        "sheet.csv:3:2",
        "sheet.csv:3:5",
        "sheet.csv:5:1",
    ], result.said
    assert "row 2, column `strain`: a new subject needs it" in told[0]
    assert "row 3, column `projects`: a new subject needs it" in told[2]
    assert "subject/m4" in told[4]
    assert texts(sheet_lab) == before


def test_a_wrong_cell_is_not_a_missing_one(sheet_lab: Lab) -> None:
    sheet = "subject,type,date_time,weight\nrat12,Weighing,2024-03-15T08:00:00Z,312\n"
    result = load(sheet_lab, sheet, "subjectlog")
    assert "`312` has no unit" in result.said
    assert "1 error in sheet.csv" in result.said
    sheet = "subject,type,date_time,weight\nrat12,Weighing,2024-03-15 08:00,\n"
    result = load(sheet_lab, sheet, "subjectlog")
    assert "has no time zone" in result.said
    assert "needs `details.weight`" in result.said
    sheet = "name,projects,strain,sex\nm1,Theta,Long Evans,boy\nm1,Delta,,M\n"
    result = load(sheet_lab, sheet, "subject")
    assert "1 error in sheet.csv" in result.said


@pytest.mark.parametrize("machine", ["UTC", "America/New_York"])
@pytest.mark.parametrize(("day", "offset"), [("2025-06-01", "+02:00"), ("2025-01-01", "+01:00")])
def test_a_time_without_a_zone_has_the_offset_of_that_day_in_the_example(
    sheet_lab: Lab, monkeypatch: pytest.MonkeyPatch, machine: str, day: str, offset: str
) -> None:
    monkeypatch.setenv("TZ", machine)
    said = load(sheet_lab, f"name,date_time\nm01,{day} 10:00\n", "session").said
    remedy = said.replace("\n", " ")
    assert "the zone of your lab, such as Europe/Copenhagen" in remedy
    assert f"`{day}T10:00:00{offset}`" in remedy
    assert "(yours)" not in remedy


def test_a_column_that_every_record_needs_is_named_once(sheet_lab: Lab) -> None:
    result = load(sheet_lab, "name,sex\nm1,M\nm2,F\n", "subject")
    assert result.code == 1
    assert result.said.count("no column for `projects`, which each new subject needs") == 1
    assert "defaults: {subjects: {strain: ...}}` in records/lab.yaml" in result.said
    sheet_lab.write(
        "records/mice.yaml",
        "defaults:\n  subjects: {projects: [Theta], strain: Long Evans}\n"
        "subjects:\n  - {name: m0, sex: M}\n",
    )
    options = ["--into", "records/mice.yaml"]
    result = load(sheet_lab, "name,sex,projects\nm1,M,Theta\nm2,F,\n", "subject", *options)
    assert result.code == 0, result.said
    text = (sheet_lab.root / "records/mice.yaml").read_text(encoding="utf-8")
    assert "  - {name: m1, sex: M}\n" in text
    assert sheet_lab.run("validate").code == 0


def test_rows_that_differ_in_lists_of_references_are_one_record(sheet_lab: Lab) -> None:
    sheet = "name,projects,strain,sex\nm1,Theta,Long Evans,M\nm1,Delta,Long Evans,M\n"
    assert load(sheet_lab, sheet, "subject").code == 0
    assert records(sheet_lab, "subjects")[-1]["projects"] == ["Theta", "Delta"]


def test_weights_of_a_friday_are_entries_of_logs(sheet_lab: Lab) -> None:
    lab = sheet_lab
    sheet = "subject,date_time,Weight (g)\nrat12,2024-03-15 08:00,312\n"
    options = ["--time-zone", "Europe/Copenhagen"]
    result = load(lab, sheet, "subjectlog/Weighing", *options)
    assert result.code == 0, result.said
    lab.apply()
    sheet += "rat12,2024-03-22 08:00,315.5\n"
    result = load(lab, sheet.replace("312", "311"), "subjectlog/Weighing", *options)
    assert result.code == 0, result.said
    (log,) = records(lab, "subjects")[0]["subject_logs"]
    assert log["type"] == "Weighing"
    assert log["entries"] == [
        {"date_time": "2024-03-15T08:00:00+01:00", "details": {"weight": "311 g"}},
        {"date_time": "2024-03-22T08:00:00+01:00", "details": {"weight": "315.5 g"}},
    ]
    lab.apply()
    missing = load(lab, "subject,date_time,weight\nrat12,,3 g\n", "subjectlog/Weighing")
    assert "row 2 has no `date_time`" in missing.said
    unit = load(lab, "subject,date_time,weight\nrat12,2024-03-15,312\n", "subjectlog/Weighing")
    assert "`312` has no unit" in unit.said
    assert '"weight=details.weight:{unit: g}"' in unit.said


def test_the_same_moment_twice_is_an_error(sheet_lab: Lab) -> None:
    sheet = "subject,type,date_time,weight\n"
    for weight in ("312 g", "313 g"):
        sheet += f"rat12,Weighing,2024-03-15T08:00:00Z,{weight}\n"
    result = load(sheet_lab, sheet, "subjectlog")
    assert result.code == 1
    assert "row 3, column `weight`: `313 g` is not what row 2 says" in result.said


def test_records_without_a_name_are_told_apart_by_a_key(sheet_lab: Lab) -> None:
    lab = sheet_lab
    sheet = (
        "key,session,type,notes\n"
        "left,monday,ExtracellularEphys,L\nright,monday,ExtracellularEphys,R\n"
    )
    result = load(lab, sheet, "dataacquisition")
    assert result.code == 0, result.said
    assert [one["key"] for one in records(lab, "sessions")[0]["data_acquisitions"]] == [
        "left",
        "right",
    ]
    assert load(lab, sheet.replace(",R", ",r"), "dataacquisition").code == 0
    assert records(lab, "sessions")[0]["data_acquisitions"][1]["notes"] == "r"
    without = "session,type,notes\nmonday,ExtracellularEphys,X\n"
    result = load(lab, without, "dataacquisition")
    assert result.code == 1
    assert "row 2 may be about `dataacquisition/monday/left` or `" in result.said
    assert "add a column `key`" in result.said


def test_a_parent_that_is_in_no_file_is_a_reference(sheet_lab: Lab) -> None:
    sheet = "session,subjects,setup,behavioralassay\nelsewhere,rat12,Maze room,Forced alternation\n"
    result = load(sheet_lab, sheet, "behavior")
    assert result.code == 0, result.said
    (behavior,) = records(sheet_lab, "behaviors")
    assert behavior["session"] == "elsewhere"
    assert load(sheet_lab, sheet, "behavior").out.startswith("The files already say so.")


def test_a_german_sheet_is_read_only_if_the_map_says_so(sheet_lab: Lab) -> None:
    sheet = "subject;date_time;weight\nrat12;15.03.2024 08:00;312,5 g\n"
    options = ["--time-zone", "Europe/Berlin"]
    result = load(sheet_lab, sheet, "subjectlog/Weighing", *options)
    assert result.code == 1
    assert "`15.03.2024 08:00` has no certain order" in result.said
    assert "`312,5 g` has a comma, which may be a decimal comma" in result.said
    rules = "weight=details.weight:{decimal: ','}, date_time=date_time:{date: D.M.Y}"
    result = load(sheet_lab, sheet, "subjectlog/Weighing", *options, "--map", rules)
    assert result.code == 0, result.said
    (log,) = records(sheet_lab, "subjects")[0]["subject_logs"]
    assert log["entries"][0]["details"] == {"weight": "312.5 g"}
    assert log["entries"][0]["date_time"] == "2024-03-15T08:00:00+01:00"


def test_dates_and_booleans_of_excel(sheet_lab: Lab) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (
        ["name", "projects", "strain", "sex", "birth_date", "subject_identifier"],
        ["m1", "Theta", "Long Evans", "M", datetime.date(2024, 4, 3), 7],
        ["m2", "Theta", "Long Evans", "F", datetime.datetime(2024, 4, 4), "007"],
        ["m3", "Theta", "Long Evans", "F", "05/04/2024", "8"],
    ):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    (sheet_lab.root / "mice.xlsx").write_bytes(stream.getvalue())
    order = ["--map", "birth_date=birth_date:{date: D/M/Y}"]
    result = sheet_lab.run("load", "mice.xlsx#Sheet", "--as", "subject", *order)
    assert result.code == 0, result.said
    mice = records(sheet_lab, "subjects")[1:]
    assert [one["birth_date"] for one in mice] == ["2024-04-03", "2024-04-04", "2024-04-05"]
    assert [one["subject_identifier"] for one in mice] == ["7", "007", "8"]
    assert sheet_lab.run("validate").code == 0


def test_errors_in_a_workbook_are_told_at_its_cells(sheet_lab: Lab) -> None:
    book = openpyxl.Workbook()
    for title in ("Mice", "Rats"):
        page = book.create_sheet(title)
        page.append(["name", "projects", "strain", "sex"])
        page.append([f"{title} 1", "Theta", None, "boy"])
    book.remove(book["Sheet"])
    book.save(sheet_lab.root / "colony.xlsx")
    result = sheet_lab.run("load", "colony.xlsx", "--as", "subject")
    assert "colony.xlsx:D2: error: row 2, column `sex`: `boy` is not one" in result.said
    assert "colony.xlsx:C2: error: row 2, column `strain`: a new subject needs it" in result.said
    result = sheet_lab.run("load", "colony.xlsx#Rats", "--as", "subject")
    assert "colony.xlsx#Rats:D2: error: row 2, column `sex`: `boy` is not one" in result.said
    assert "2 errors in colony.xlsx#Rats. Nothing was written." in result.said


@pytest.mark.parametrize(("column", "name"), [(1, "A"), (26, "Z"), (27, "AA"), (703, "AAA")])
def test_columns_of_a_workbook_have_letters(column: int, name: str) -> None:
    problem = sheet_problem("a.XLSX", "wrong", "", 7, column)
    assert str(problem.location) == f"a.XLSX:{name}7"
    assert str(sheet_problem("a.xlsx.csv", "wrong", "", 7, 2).location) == "a.xlsx.csv:7:2"


@pytest.mark.parametrize(
    "value", ["=cmd|'/c calc'!A1", "\u202egnp.exe", "a\nb: [c", "#x", "{{x}}", "@a", "'", "&a *b"]
)
def test_a_hostile_text_is_a_text(sheet_lab: Lab, value: str) -> None:
    quoted = value.replace('"', '""')
    sheet = f'name,projects,strain,sex,genotype\nm1,Theta,Long Evans,M,"{quoted}"\n'
    result = load(sheet_lab, sheet, "subject")
    assert result.code == 0, result.said
    assert records(sheet_lab, "subjects")[-1]["genotype"] == value
    assert "\u202e" not in result.said
    assert load(sheet_lab, sheet, "subject").out.startswith("The files already say so.")


def test_a_name_cannot_choose_a_file(sheet_lab: Lab) -> None:
    sheet_lab.write("stemctl.yaml", _config(sheet_lab) + "layout: records/{model}/{name}.yaml\n")
    sheet_lab.write("records/lab.yaml", (sheet_lab.root / "records/lab.yaml").read_text())
    text = (sheet_lab.root / "records/lab.yaml").read_text().partition("subjects:")[0]
    sheet_lab.write("records/lab.yaml", text)
    sheet = "name,projects,strain,sex\n../../evil,Theta,Long Evans,M\n.hidden,Theta,Long Evans,F\n"
    result = load(sheet_lab, sheet, "subject")
    assert result.code == 0, result.said
    new = sorted(p.relative_to(sheet_lab.root).as_posix() for p in sheet_lab.root.rglob("*.yaml"))
    assert all(path.startswith("records/") or "/" not in path for path in new)
    assert not (sheet_lab.root.parent / "evil.yaml").exists()


def _config(lab: Lab) -> str:
    return (lab.root / "stemctl.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--as", "subjct"], "no model 'subjct'"),
        (["--as", "subjectlog/Weighin"], "Did you mean --as subjectlog/Weighing?"),
        (["--as", "subject/x"], "Subject has no types."),
        (["--as", "subject", "--into", "../x.yaml"], "would not be read"),
        (["--as", "subject", "--into", "/etc/x.yaml"], "would not be read"),
        (["--as", "subject", "--into", "notes.txt"], "is not a YAML file"),
        (["--as", "subject", "--time-zone", "Mars"], "--time-zone: "),
        (["--as", "subject", "--map", "name"], "is not COLUMN=FIELD"),
        (["--as", "subject", "--map", "name=name:{date: Y}"], "unknown order of a date `Y`"),
        (["--as", "subject", "--map", "nam=name"], "there is no column `nam`"),
        (["--as", "subject", "--map", "name=nme"], "subject has no field `nme`"),
        (["--as", "subject", "--map", "name=id"], "`id` cannot be written"),
        (["--as", "subject", "--map", "name=sex"], "are both `sex`"),
        (["--as", "subject", "--ignore", "nam"], "there is no column `nam`"),
        (["--as", "subject", "--map-file", "none.yaml"], "none.yaml cannot be read"),
        (["--as", "subject", "--map-file", "stemctl.yaml"], "it has no `columns:`"),
    ],
)
def test_what_is_wrong_with_an_option_is_said(
    sheet_lab: Lab, options: list[str], message: str
) -> None:
    before = texts(sheet_lab)
    (sheet_lab.root / "sheet.csv").write_text("name,sex\nm1,M\n")
    result = sheet_lab.run("load", "sheet.csv", *options)
    assert result.code == 1
    assert message in result.said
    assert texts(sheet_lab) == before


def test_a_file_that_is_no_table_is_refused(sheet_lab: Lab) -> None:
    for name in ("none.csv", "stemctl.yaml"):
        result = sheet_lab.run("load", name, "--as", "subject")
        assert result.code == 1
        assert "Nothing was written." in result.said


def test_only_another_map_is_replaced(sheet_lab: Lab) -> None:
    before = _config(sheet_lab)
    sheet = "name,sex\nrat12,F\n"
    result = load(sheet_lab, sheet, "subject", "--save-map", "stemctl.yaml")
    assert result.code == 1
    assert "stemctl.yaml exists and is not a map" in result.said
    assert _config(sheet_lab) == before
    for _ in range(2):
        assert load(sheet_lab, sheet, "subject", "--save-map", "m.yaml").code == 0


def test_the_document_tells_what_is_left(sheet_lab: Lab) -> None:
    sheet = "session__name,session__tags,session_name_in_data_storage\nmonday,a,x\n"
    document = json.loads(load(sheet_lab, sheet, "session", "-o", "json").out)
    assert document["left_columns"] == {
        "session_name_in_data_storage": "the API has no field for it"
    }
    assert document["not_in_sheet"] == ["session/tuesday"]
    assert [one["address"] for one in document["records"]] == ["session/monday"]


def test_local_times_use_the_zone_of_the_lab(sheet_lab: Lab) -> None:
    sheet = "name,projects,date_time\nfriday,Theta,2024-07-12 14:00\n"
    assert "has no time zone" in load(sheet_lab, sheet, "session").said
    sheet_lab.write("stemctl.yaml", _config(sheet_lab) + "time_zone: Europe/Berlin\n")
    assert load(sheet_lab, sheet, "session").code == 0
    assert records(sheet_lab, "sessions")[-1]["date_time"] == "2024-07-12T14:00:00+02:00"


def test_the_first_sheet_of_an_empty_repository(sheet_lab: Lab) -> None:
    (sheet_lab.root / "records/lab.yaml").unlink()
    sheet = "name,projects,strain,sex\nm1,Theta,Long Evans,M\n"
    result = load(sheet_lab, sheet, "subject")
    assert result.code == 0, result.said
    assert (sheet_lab.root / "records/subjects.yaml").is_file()


def _one_line(result: Result) -> str:
    return " ".join(result.said.split()).replace(" | ", " ")


def test_the_same_problem_in_many_rows_is_told_once(sheet_lab: Lab) -> None:
    rows = "".join(f"m{number},boy\n" for number in range(1, 9))
    result = load(sheet_lab, f"name,sex\n{rows}m30,M\nm31,boy\n", "subject")
    assert result.code == 1
    assert result.said.count("`boy` is not one of the values") == 5
    assert "column `sex`: 4 more cells have the same problem, in rows 7-9, 11" in (
        _one_line(result)
    )


def test_the_order_of_the_dates_of_a_column_is_asked_once(sheet_lab: Lab) -> None:
    head, day = "name,birth_date\n", '"birth_date=birth_date:{date: D/M/Y}"'
    result = load(sheet_lab, f"{head}m1,03/04/2024\nm2,2024-04-01\nm3,05/04/2024\n", "subject")
    said = _one_line(result)
    assert (
        "sheet.csv:2:2: error: column `birth_date`: the order of 2 dates is not certain, in rows "
        "2, 4; `03/04/2024` in row 2 may be `2024-04-03` or `2024-03-04` [bad-cell] "
    ) in said
    assert f'add --map {day} or "birth_date=birth_date:{{date: M/D/Y}}"' in said
    assert said.count("birth_date`: ") == 1

    result = load(sheet_lab, f"{head}m1,03/04/2024\nm2,13/04/2024\n", "subject")
    said = _one_line(result)
    assert "but `13/04/2024` in row 3 can only be `2024-04-13`" in said
    assert f"add --map {day}" in said
    assert "M/D/Y" not in said

    result = load(sheet_lab, f"{head}m1,04/13/2024\nm2,13/04/2024\n", "subject")
    assert "their orders differ: write them like `2024-03-12`" in _one_line(result)


def test_columns_cells_and_rows_that_do_not_fit_are_told_in_one_go(sheet_lab: Lab) -> None:
    sheet = "Animal,sex,weigth\nm1,boy,\nm2,M,,x\nm3,girl,\n"
    result = load(sheet_lab, sheet, "subject")
    assert result.code == 1
    for part in (
        "no column for `name`",
        "no field for the column `Animal`",
        "no field for the column `weigth`",
        "row 2, column `sex`: `boy` is not",
        "row 3 has 4 cells, and row 1 has 3",
        "row 4, column `sex`: `girl` is not",
    ):
        assert part in _one_line(result), result.said
    assert "6 errors in sheet.csv. Nothing was written." in result.said


def test_only_fields_that_are_really_near_are_proposed_for_a_column(sheet_lab: Lab) -> None:
    said = _one_line(load(sheet_lab, "name,Notes,Owner project,genotpye\nrat12,,,\n", "subject"))
    assert 'add --ignore "Notes" or --map "Notes=FIELD"' in said
    assert 'add --map "Owner project=projects"' in said
    assert 'add --map "genotpye=genotype"' in said


def test_a_column_that_cannot_be_an_entry_is_told_with_a_name_that_can(sheet_lab: Lab) -> None:
    result = load(sheet_lab, "name,extra_fields.My room\nrat12,B1\n", "subject")
    assert result.code == 1
    assert '--map "extra_fields.My room=extra_fields.My_room"' in result.said


def test_a_key_is_that_of_a_record_in_its_parent(sheet_lab: Lab) -> None:
    sheet = "key,session,type\nleft,monday,Audio\nleft,tuesday,Audio\n"
    assert load(sheet_lab, sheet, "dataacquisition").code == 0
    found = [one["data_acquisitions"] for one in records(sheet_lab, "sessions")]
    assert found == [[{"key": "left", "type": "Audio"}]] * 2
    sheet = "key,session,notes\nmonday/left,monday,M\ntuesday/left,monday,T\n"
    result = load(sheet_lab, sheet, "dataacquisition")
    assert result.code == 1
    assert "row 3: dataacquisition/tuesday/left is inside session/tuesday" in result.said


def test_a_log_of_a_subject_in_no_file_is_at_the_top(sheet_lab: Lab) -> None:
    sheet = "subject,type,date_time,weight\nrat99,Weighing,2024-03-15T08:00:00Z,312 g\n"
    assert load(sheet_lab, sheet, "subjectlog").code == 0
    (log,) = records(sheet_lab, "subject_logs")
    assert log["subject"] == "rat99"
    assert [one["details"] for one in log["entries"]] == [{"weight": "312 g"}]
    sheet += "rat99,Weighing,2024-03-15T10:00:00+01:00,313 g\n".replace("10:00", "11:00")
    assert load(sheet_lab, sheet, "subjectlog").code == 0
    assert len(records(sheet_lab, "subject_logs")[0]["entries"]) == 2
    same = "subject,type,date_time,weight\nrat99,Weighing,2024-03-15T09:00:00+01:00,311 g\n"
    assert load(sheet_lab, same, "subjectlog").code == 0
    entries = records(sheet_lab, "subject_logs")[0]["entries"]
    assert [one["details"]["weight"] for one in entries] == ["311 g", "313 g"]


def test_what_a_sheet_does_not_say_is_left_to_the_defaults_of_the_file(sheet_lab: Lab) -> None:
    lab = sheet_lab
    lab.write(
        "records/mice.yaml",
        """\
        defaults:
          subjects:
            projects: [Theta]
            strain: Long Evans
            genotype: wt
            extra_fields: {cage: C1}
        subjects:
          - {name: m1, sex: M}
        """,
    )
    before = (lab.root / "records/mice.yaml").read_text(encoding="utf-8")
    sheet = "name,sex,projects,genotype,extra_fields.room\nm2,M,,,B2\nm3,F,,,\n"
    result = load(lab, sheet, "subject", "--into", "records/mice.yaml")
    assert result.code == 0, result.said
    assert (lab.root / "records/mice.yaml").read_text(encoding="utf-8") == before + (
        "  - {name: m2, sex: M, extra_fields: {room: B2}}\n  - {name: m3, sex: F}\n"
    )
    assert lab.run("validate").code == 0


def test_an_entry_of_a_map_is_cleared_or_replaced_over_the_defaults(sheet_lab: Lab) -> None:
    lab = sheet_lab
    lab.write(
        "records/later.yaml",
        """\
        defaults:
          subjects: {extra_fields: {cage: C1}, projects: [Theta], strain: Long Evans, sex: F}
        """,
    )
    sheet = "name,extra_fields.cage\nm2,-\nm3,C2\n"
    result = load(lab, sheet, "subject", "--into", "records/later.yaml")
    assert result.code == 0, result.said
    mice = records(lab, "subjects")
    assert {"name": "m3", "extra_fields": {"cage": "C2"}} in mice
    (cleared,) = [one for one in mice if one["name"] == "m2"]
    assert cleared["lifecycle"] == {"no_defaults": ["extra_fields"]}


def test_details_that_a_type_requires_are_not_cleared(sheet_lab: Lab) -> None:
    sheet = "subject,date_time,weight\nrat12,2024-03-15T08:00:00Z,-\n"
    result = load(sheet_lab, sheet, "subjectlog/Weighing")
    assert result.code == 1
    assert "column `weight`: `-` would clear a field that is required" in result.said


FIRST = """\
defaults:
  sessions:
    projects: [Theta]
sessions:
  - {name: s1, date_time: "2024-03-12T09:00:00Z"}
"""


@pytest.mark.parametrize(
    ("project", "options", "file"),
    [
        ("Delta", [], "records/sessions/2025-06.yaml"),
        ("Theta", [], "records/first.yaml"),
        ("Delta", ["--into", "records/first.yaml"], "records/first.yaml"),
    ],
)
def test_a_record_that_contradicts_the_defaults_of_the_others_goes_by_the_layout(
    lab: Lab, project: str, options: list[str], file: str
) -> None:
    lab.write("records/first.yaml", FIRST)
    sheet = f"name,date_time,projects\ns2,2025-06-01T10:00:00Z,{project}\n"
    result = load(lab, sheet, "session", *options)
    assert result.code == 0, result.said
    text = (lab.root / file).read_text(encoding="utf-8")
    assert "s2" in text
    assert ("no_defaults" in text) is bool(options)
    assert lab.run("validate").code == 0


def test_where_the_layout_has_the_same_defaults_it_stays_with_the_others(lab: Lab) -> None:
    lab.write("records/_defaults.yaml", "defaults: {sessions: {projects: [Theta]}}\n")
    lab.write("records/first.yaml", FIRST)
    sheet = "name,date_time,projects\ns2,2025-06-01T10:00:00Z,Delta\n"
    assert load(lab, sheet, "session").code == 0
    assert "no_defaults" in (lab.root / "records/first.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("column", "message", "options"),
    [
        ("subject", "but its `behaviors` have `subjects`", "--as behavior"),
        ("subject__name", "but its `behaviors` have `subjects`", "--as behavior"),
        (
            "procedure",
            "but its `data_acquisitions` have `procedures` and its `manipulations` have",
            "--as dataacquisition or --as manipulation",
        ),
    ],
)
def test_a_column_of_the_records_inside_says_where_it_belongs(
    sheet_lab: Lab, column: str, message: str, options: str
) -> None:
    sheet = f"name,date_time,projects,{column}\ns1,2025-06-01T10:00:00Z,Theta,m1\n"
    result = load(sheet_lab, sheet, "session")
    assert result.code == 1
    said = " ".join(result.said.split())
    assert f"session has no field for the column `{column}`, {message}" in said
    assert f'with {options}, and add --ignore "{column}" here' in said
    known = load(sheet_lab, sheet, "session", "--ignore", column)
    assert known.code == 0, known.said
