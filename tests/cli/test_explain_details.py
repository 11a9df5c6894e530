"""explain describes the details of a type, and errors about types lead there."""

from __future__ import annotations

import re

import pytest

from stemctl.schema.catalog import load_catalog
from tests.support.lab import Lab

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: 2026}
"""


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.write("stemctl.yaml", CONFIG)
    return lab


def test_each_type_of_each_model_is_described(lab: Lab) -> None:
    for model in load_catalog("2026").models.values():
        for field in model.fields.values():
            for name, type_ in (field.details.types if field.details else {}).items():
                result = lab.run("explain", f"{model.name}.{field.name}.{name}")
                assert result.code == 0, result.said
                for part in type_.fields:
                    assert re.search(rf"^  {part} ", result.out, re.MULTILINE), part


def test_a_type_is_found_below_the_list_of_its_model_in_any_case(lab: Lab) -> None:
    result = lab.run("explain", "session.data_acquisitions.details.videotracking")
    assert result.out.startswith("dataacquisition.details of type VideoTracking:")
    assert "a number with a unit: Hz, GHz" in result.out


def test_a_wrong_type_is_a_short_error(lab: Lab) -> None:
    assert "Did you mean VirusInjection?" in lab.run("explain", "procedure.details.Virus").err
    result = lab.run("explain", "procedure.details.xyz")
    assert result.err.startswith("Error: procedure.details has no type 'xyz'.\n")
    assert "explain procedure.details    lists the types" in result.err


def test_a_record_is_written_inside_an_inventory(lab: Lab) -> None:
    assert "inside an inventory or at the top:" in lab.run("explain", "consumablestock").out


SESSION = """\
sessions:
  - name: a
    projects: [Theta]
    data_acquisitions:
      - type: {type}
"""


@pytest.mark.parametrize(
    "type_, remedy",
    [
        ("Video", "use one of: VideoTracking; `stemctl explain dataacquisition.type` lists what"),
        ("VideoTrakcing", "write `VideoTracking`"),
        ("neuropixels", "^^^^^^ `stemctl explain dataacquisition.type` lists what is allowed"),
    ],
)
def test_a_type_that_is_none_leads_to_the_list(lab: Lab, type_: str, remedy: str) -> None:
    lab.write("records/a.yaml", SESSION.format(type=type_))
    assert remedy in lab.run("validate").out.replace("\n      |", "")


def test_a_missing_field_with_few_values_names_them(lab: Lab) -> None:
    lab.write("records/a.yaml", "procedures:\n  - {key: a, subject: m1, type: BurrHole}\n")
    assert "`defaults:` for the whole file; use one of: CCF_XYZ_Absolute, External_XYZ" in (
        " ".join(lab.run("validate").out.split())
    )


def test_a_field_beside_its_details_belongs_below_them(lab: Lab) -> None:
    lab.write("records/a.yaml", SESSION.format(type="ExtracellularEphys\n        sr: 30 kHz"))
    said = lab.run("validate").out
    assert "dataacquisition has no field `sr` [unknown-field]" in said
    assert "write it below `details:`" in said


def test_what_a_sandbox_lacks_leads_to_the_command_that_adds_it(lab: Lab) -> None:
    lab.write("records/a.yaml", SESSION.format(type="Audio"))
    result = lab.run("plan")
    assert result.code == 1
    assert 'no project "Theta"' in result.out
    assert "sandbox seed    adds what the files refer to but do not declare" in result.err
    assert lab.run("sandbox", "seed").code == 0
    assert lab.run("plan").code == 0


def test_no_line_of_the_models_ends_with_spaces(lab: Lab) -> None:
    assert not re.search(r" $", lab.run("explain").out, re.MULTILINE)


@pytest.mark.parametrize(
    "details, remedy",
    [
        ("{power: 5 mW}", 'write `[{power: "5 mW"}]`'),
        ("\n          power: 5 mW", "write `- power`"),
    ],
)
def test_one_row_that_is_no_list_is_put_into_one(lab: Lab, details: str, remedy: str) -> None:
    text = SESSION.replace("data_acquisitions", "manipulations")
    type_ = f"OptogeneticStimulation\n        details: {details}"
    lab.write("records/a.yaml", text.format(type=type_))
    assert remedy in lab.run("validate").out
