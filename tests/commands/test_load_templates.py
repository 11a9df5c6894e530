"""The files of BrainSTEM's import tool load unchanged, and what they say is applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.edition_2026 import begin, live
from tests.support.lab import Lab

MORE = """\
subjects:
  - {name: rat13, projects: [Theta], strain: Long Evans, sex: F}
procedures:
  - {key: probe, subject: rat12, type: SiliconProbeImplant, coordinates_system: CCF_XYZ_Absolute}
  - {key: fiber, subject: rat12, type: OpticFiberImplant, coordinates_system: CCF_XYZ_Absolute}
equipment:
  - key: amplifier
    name: amplifier
    type: Amplifier
    setup: Maze room
    coordinates_system: CCF_XYZ_Absolute
"""

TEMPLATES = {
    "project": """\
project__name,project__description,project__is_public,project__tags,project__authenticated_groups,project__users__can_change,project__users__is_manager,project__users__is_owner
Gamma,"A new, quick project",yes,"theta, maze",,,,
""",
    "subject": """\
project__name,subject__name,subject__sex,subject__description,subject__strain,subject__genetic_line,subject__subject_identifier,subject__supplier,subject__birth_date,subject__death_date,subject__tags,subject__name_used_in_storage
"Theta, Delta",rat20,male,Quick,Long Evans,,7,,2024-01-02,,"fast, large",
Theta,rat21,f,,Long Evans,,,,2024-01-03,2024-06-01,,r21
""",
    "procedure": """\
subject__name,procedure__type,procedure__notes,procedure__date_time,procedure__atlas,procedure__brain_region,procedure__brain_region_acronym,procedure__coordinates,procedure__coordinates_data,procedure__consumablestock,procedure__equipment,procedure__details
rat12,Craniotomy,Went well,2024-01-15 10:00:00Z,AIA,,CA1,Stereotaxic_BregmaAbsolute,,,,
rat13,craniotomy,,2024-01-16,AIA,Field CA3,,CCF_XYZ_Absolute,,,,
""",
    "subjectlog": """\
subject__name,subject_log__type,subject_log__description,subject_log__entry_datetime,subject_log__entry_start_datetime,subject_log__entry_end_datetime,subject_log__entry_notes,subject_log__entry_data
rat12,Weighing,Weights,2024-03-12 08:00Z,,,fine,"{""weight"": ""312 g""}"
rat12,Weighing,,2024-03-13 08:00Z,,,,"{""weight"": {""value"": 313, ""unit"": ""g""}}"
rat13,Weighing,,2024-03-13 08:00Z,,,,"{""weight"": ""300 g""}"
rat13,Housing,,,2024-03-01 08:00Z,,,"{""cageId"": ""C1""}"
""",
    "session": """\
project__name,session__name,session__description,session__date_time,session__tags,session__data_storage,session_name_in_data_storage
Theta,monday,First day,2024-03-11 09:00Z,"maze, sleep",,monday_1
"Theta, Delta",wednesday,,2024-03-13 09:00:30Z,,,
""",
    "behavior": """\
session__name,subject__name,behavior__setup,behavior__behavioral_paradigm
monday,rat12,Maze room,Forced alternation
monday,rat13,Maze room,Forced alternation
tuesday,rat13,Maze room,Forced alternation
""",
    "dataacquisition": """\
session__name,data_acquisition__type,data_acquisition__procedures,data_acquisition__equipment,data_acquisition__notes,data_acquisition__details
monday,ExtracellularEphys,"probe, fiber",amplifier,One broken,"{""sr"": ""30 kHz""}"
tuesday,Video tracking,,,,
""",
    "manipulation": """\
session__name,manipulation__type,manipulation__procedures,manipulation__equipment,manipulation__notes,manipulation__details
monday,OptogeneticStimulation,fiber,,Every lap,
""",
    "cohort": """\
project__name,cohort__name,cohort__subjects,cohort__description,cohort__tags
Theta,First,"rat12, rat13",The first ones,"a, b"
""",
    "collection": """\
project__name,collection__name,collection__sessions,collection__description,collection__tags
Theta,Published,monday,For the paper,
Theta,Published,tuesday,For the paper,
""",
}

EXPECTED: dict[str, list[dict[str, Any]]] = {
    "project": [{"name": "Gamma", "tags": ["theta", "maze"], "is_public": True}],
    "subject": [
        {"name": "rat20", "sex": "M", "tags": ["fast", "large"], "subject_identifier": "7"},
        {"name": "rat21", "sex": "F", "death_date": "2024-06-01", "name_used_in_storage": "r21"},
    ],
    "procedure": [
        {"type": "Craniotomy", "notes": "Went well", "date_time": "2024-01-15T10:00:00Z"},
        {"type": "Craniotomy", "coordinates_system": "CCF_XYZ_Absolute"},
    ],
    "subjectlog": [{"type": "Weighing", "description": "Weights"}, {"type": "Housing"}],
    "session": [
        {"name": "monday", "description": "First day", "tags": ["maze", "sleep"]},
        {"name": "wednesday", "date_time": "2024-03-13T09:00:30Z"},
    ],
    "behavior": [{}, {}],
    "dataacquisition": [{"type": "ExtracellularEphys"}, {"type": "VideoTracking"}],
    "manipulation": [{"type": "OptogeneticStimulation", "notes": "Every lap"}],
    "cohort": [{"name": "First", "tags": ["a", "b"]}],
    "collection": [{"name": "Published", "description": "For the paper"}],
}


@pytest.fixture
def template_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    lab = begin(Lab(tmp_path, monkeypatch))
    lab.write("records/more.yaml", MORE)
    return lab


@pytest.mark.parametrize("model", TEMPLATES)
def test_a_template_loads_unchanged_and_is_applied(template_lab: Lab, model: str) -> None:
    lab = template_lab
    lab.write("sheet.csv", TEMPLATES[model])
    result = lab.run("load", "sheet.csv", "--as", model)
    assert result.code == 0, result.said
    assert lab.requests == []
    written = {path: path.read_bytes() for path in (lab.root / "records").rglob("*.yaml")}
    assert lab.run("fmt", "--check").code == 0
    assert lab.run("validate").code == 0
    lab.apply()
    there = live(lab, model)
    for wanted in EXPECTED[model]:
        fits = [one for one in there if wanted.items() <= _plain(one).items()]
        assert fits, (wanted, there)
    again = lab.run("load", "sheet.csv", "--as", model)
    assert again.code == 0, again.said
    assert "The files already say so." in again.out
    assert {path: path.read_bytes() for path in written} == written
    assert lab.run("plan", "--detailed-exitcode").code == 0


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value not in (None, "", [], {})}


def test_references_and_children_are_written_where_a_person_would(template_lab: Lab) -> None:
    lab = template_lab
    for model in ("procedure", "behavior", "dataacquisition", "cohort", "collection"):
        lab.write("sheet.csv", TEMPLATES[model])
        assert lab.run("load", "sheet.csv", "--as", model).code == 0
    found: dict[str, Any] = {}
    for path in (lab.root / "records").rglob("*.yaml"):
        for key, records in yaml.load(path.read_text(), Loader=yaml.BaseLoader).items():
            found.setdefault(key, []).extend(records)
    monday = found["sessions"][0]
    assert monday["behaviors"][0]["subjects"] == ["rat12", "rat13"]
    assert monday["behaviors"][0]["behavioralassay"] == "Forced alternation"
    assert monday["data_acquisitions"][0]["procedures"] == ["probe", "fiber"]
    assert monday["data_acquisitions"][0]["details"] == {"sr": "30 kHz"}
    assert found["subjects"][0]["procedures"][0]["brain_region"] == "AIA/CA1"
    theta = found["projects"][0]
    assert theta["cohorts"][0]["subjects"] == ["rat12", "rat13"]
    assert theta["collections"][0]["sessions"] == ["monday", "tuesday"]


def test_members_of_a_project(template_lab: Lab) -> None:
    lab = template_lab
    text = TEMPLATES["project"].replace(",,,,", ",,ann@x.org;bob@x.org,ann@x.org,")
    lab.write("sheet.csv", text)
    assert lab.run("load", "sheet.csv", "--as", "project").code == 0
    (file,) = [p for p in (lab.root / "records").rglob("*.yaml") if "Gamma" in p.read_text()]
    (gamma,) = [p for p in yaml.safe_load(file.read_text())["projects"] if p["name"] == "Gamma"]
    assert gamma["users"] == {
        "ann@x.org": {"can_change": True, "is_manager": True},
        "bob@x.org": {"can_change": True},
    }


def test_a_column_that_the_api_has_no_field_for_is_named_and_left(template_lab: Lab) -> None:
    template_lab.write("sheet.csv", TEMPLATES["session"])
    result = template_lab.run("load", "sheet.csv", "--as", "session")
    assert "Column `session_name_in_data_storage` was left: the API has no field" in result.out


def test_epochs_cannot_be_loaded(template_lab: Lab) -> None:
    text = "project__name,session__name,epoch__name,epoch__start,epoch__end\nTheta,monday,a,0,1\n"
    template_lab.write("sheet.csv", text)
    result = template_lab.run("load", "sheet.csv", "--as", "epoch")
    assert result.code == 1
    assert "Epochs cannot be loaded: the API has no way to write them." in result.err


IMPLANTS = """\
defaults: {procedures: {coordinates_system: CCF_XYZ_Absolute}}
subjects:
  - name: rat14
    projects: [Theta]
    strain: Long Evans
    sex: F
    procedures:
      - {key: probe, type: SiliconProbeImplant, date_time: 2024-01-15T23:30:00Z}
      - {key: again, type: SiliconProbeImplant, date_time: 2024-02-20}
      - {key: fiber, type: OpticFiberImplant}
"""


def _acquisition(procedures: str, equipment: str = "") -> str:
    columns, _ = TEMPLATES["dataacquisition"].split("\n", 1)
    return f'{columns}\nmonday,Video tracking,"{procedures}",{equipment},,\n'


@pytest.fixture
def implants(template_lab: Lab) -> Lab:
    template_lab.write("records/implants.yaml", IMPLANTS)
    return template_lab


def _loaded(lab: Lab, text: str, *options: str) -> dict[str, Any]:
    lab.write("sheet.csv", text)
    result = lab.run("load", "sheet.csv", "--as", "dataacquisition", *options)
    assert result.code == 0, result.said
    (monday,) = [
        one
        for one in yaml.safe_load((lab.root / "records/lab.yaml").read_text())["sessions"]
        if one["name"] == "monday"
    ]
    (found,) = monday["data_acquisitions"]
    return dict(found)


@pytest.mark.parametrize(
    ("cell", "keys"),
    [
        ("rat14/SiliconProbeImplant/2024-01-15", ["rat14/probe"]),
        ("rat14/silicon probe implant/2024-01-15 23:30Z", ["rat14/probe"]),
        (
            "rat14/SiliconProbeImplant/2024-02-20, rat14/OpticFiberImplant/",
            ["rat14/again", "rat14/fiber"],
        ),
        ("rat14/SiliconProbeImplant/2024-02-20; rat12/OpticFiberImplant", ["rat14/again", "fiber"]),
        ("rat14/fiber", ["rat14/fiber"]),
        (
            "0b5a4c5e-2f43-4c0e-9f0e-1d5b7a1f0001, 0b5a4c5e-2f43-4c0e-9f0e-1d5b7a1f0002",
            ["0b5a4c5e-2f43-4c0e-9f0e-1d5b7a1f0001", "0b5a4c5e-2f43-4c0e-9f0e-1d5b7a1f0002"],
        ),
    ],
)
def test_a_procedure_is_found_by_subject_type_and_date(
    implants: Lab, cell: str, keys: list[str]
) -> None:
    found = _loaded(implants, _acquisition(cell, "Maze room/amplifier"))
    assert found["procedures"] == keys
    assert found["equipment"] == ["amplifier"]


def test_a_day_is_one_of_the_clock_of_the_lab(implants: Lab) -> None:
    text = _acquisition("rat14/SiliconProbeImplant/2024-01-16")
    found = _loaded(implants, text, "--time-zone", "Europe/Copenhagen")
    assert found["procedures"] == ["rat14/probe"]


def test_the_map_says_the_order_of_a_date_in_a_path(implants: Lab) -> None:
    text = _acquisition("rat14/SiliconProbeImplant/20.02.2024")
    rule = "data_acquisition__procedures=procedures:{date: D.M.Y}"
    assert _loaded(implants, text, "--map", rule)["procedures"] == ["rat14/again"]


@pytest.mark.parametrize(
    ("cell", "message", "remedy"),
    [
        (
            "rat14/SiliconProbeImplant",
            "may be `rat14/probe` or `rat14/again`",
            "write one of these keys",
        ),
        (
            "rat14/SiliconProbeImplant/2024-01-16",
            "is no procedure in the files",
            "write `subject/type/date_time`, the key, or the id; the files have `rat14/probe`, "
            "`rat14/again`, `rat14/fiber`",
        ),
        ("rat14/Nonsense/2024-01-15", "is no procedure in the files", "the files have `rat14/"),
        ("fiber, rat15/Headcap/2024-01-16", "which is no procedure", "`stemctl pull procedure`"),
        ("no-such-key", "is no procedure in the files", "`stemctl pull procedure`"),
        ("rat14/SiliconProbeImplant/2024-01-15 12:00", "has no time zone", "--time-zone"),
        ("rat14/SiliconProbeImplant/03/04/2024", "2024-04-03", "date"),
    ],
)
def test_a_procedure_that_is_not_certain_is_refused(
    implants: Lab, cell: str, message: str, remedy: str
) -> None:
    implants.write("sheet.csv", _acquisition(cell))
    before = (implants.root / "records/lab.yaml").read_bytes()
    result = implants.run("load", "sheet.csv", "--as", "dataacquisition")
    assert result.code == 1
    said = " ".join(result.said.split())
    assert "row 2, column `data_acquisition__procedures`" in said
    assert message in said
    assert remedy in said
    assert (implants.root / "records/lab.yaml").read_bytes() == before


def test_a_comma_between_unknown_names_is_refused(template_lab: Lab) -> None:
    template_lab.write("sheet.csv", TEMPLATES["cohort"].replace("rat13", "rat99"))
    result = template_lab.run("load", "sheet.csv", "--as", "cohort")
    assert result.code == 1
    assert "row 2, column `cohort__subjects`" in result.said
    assert "rat99" in result.said
    assert "separate names by `;`" in result.said


def test_a_reference_by_its_parts_stays_as_the_file_has_it(template_lab: Lab) -> None:
    """`AIA/CA1` and the key of the declared region mean the same record."""
    template_lab.write(
        "records/regions.yaml",
        "brain_regions: [{atlas: AIA, acronym: CA1, name: Field CA1}]\n"
        "procedures:\n"
        "  - {key: cut, subject: rat12, type: Craniotomy, brain_region: AIA/CA1,\n"
        "     coordinates_system: CCF_XYZ_Absolute}\n",
    )
    template_lab.write("sheet.csv", "key,brain_region\ncut,AIA/CA1\n")
    result = template_lab.run("load", "sheet.csv", "--as", "procedure", "--dry-run")
    assert (result.code, result.out) == (0, ""), result.said


def test_what_get_writes_load_takes_back(template_lab: Lab) -> None:
    """After it, the files say no more than the server has, and a second time nothing changes."""
    lab = template_lab
    for model, text in TEMPLATES.items():
        lab.write("sheet.csv", text)
        assert lab.run("load", "sheet.csv", "--as", model).code == 0
    lab.apply()
    for model in (*TEMPLATES, "setup", "behavioralassay", "equipment"):
        for form in ("csv", "tsv"):
            table = lab.run("get", model, "-o", form)
            (lab.root / f"sheet.{form}").write_bytes(table.out.encode())
            result = lab.run("load", f"sheet.{form}", "--as", model)
            assert result.code == 0, result.said
            assert "added" not in result.out, result.out
        assert result.out.startswith("The files already say so."), result.out
    plan = lab.run("plan", "--detailed-exitcode")
    assert plan.code == 0, plan.out
