"""Details of records: merged by field, sent with their type, and held where the server refuses."""

from __future__ import annotations

from typing import Any

import pytest

from stemctl.planning.in_doubt import as_sent
from stemctl.schema.catalog import load_catalog
from tests.support.edition_2026 import begin, live
from tests.support.lab import Lab


@pytest.fixture
def lab26(lab: Lab) -> Lab:
    begin(lab)
    assert lab.run("apply", "--auto-approve").code == 0
    return lab


def write(lab: Lab, fields: str) -> None:
    lab.write(
        "records/probe.yaml",
        f"data_acquisitions:\n  - {{key: probe, session: monday, {fields}}}\n",
    )


def apply(lab: Lab, *options: str) -> Any:
    return lab.run("apply", "--auto-approve", *options)


def plan(lab: Lab) -> Any:
    return lab.run("plan", "-o", "json").json


def bodies(document: Any) -> list[Any]:
    return [change["request"]["body"] for change in document["changes"] if change["request"]]


def acquisition(lab: Lab) -> dict[str, Any]:
    (found,) = live(lab, "dataacquisition")
    return found


AUDIO = "type: Audio, details: {sr: 20 kHz, nChannels: 1}"


def test_a_quantity_arrives_as_the_server_has_it_and_the_next_plan_is_empty(lab26: Lab) -> None:
    write(lab26, AUDIO)
    assert "sr: 20 kHz" in lab26.run("plan").out
    assert apply(lab26).code == 0
    details = acquisition(lab26)["details"]
    assert details == {"sr": {"value": 20, "unit": "kHz"}, "nChannels": 1, "bitDepth": 8}
    assert plan(lab26)["changes"] == []
    write(lab26, "type: Audio, details: {sr: {value: 20.0, unit: kHz}, nChannels: 1}")
    assert plan(lab26)["changes"] == []


def test_a_type_goes_out_with_its_details_and_details_with_their_type(lab26: Lab) -> None:
    write(lab26, "type: Audio")
    assert bodies(plan(lab26))[0]["details"] == {}
    assert apply(lab26).code == 0
    write(lab26, "type: Audio, details: {codec: mp3}")
    (body,) = bodies(plan(lab26))
    assert body == {
        "type": "Audio",
        "details": {"codec": "mp3", "nChannels": 2, "bitDepth": 8},
    }
    assert apply(lab26).code == 0
    assert plan(lab26)["changes"] == []


def test_an_edit_elsewhere_sends_no_details(lab26: Lab) -> None:
    write(lab26, AUDIO)
    assert apply(lab26).code == 0
    write(lab26, f"{AUDIO}, notes: Loud.")
    assert bodies(plan(lab26)) == [{"notes": "Loud."}]


def test_fields_of_the_server_stay_and_a_field_that_leaves_the_file_goes(lab26: Lab) -> None:
    write(lab26, AUDIO)
    assert apply(lab26).code == 0
    write(lab26, "type: Audio, details: {sr: 20 kHz}")
    text = lab26.run("plan").out
    assert "details.nChannels" in text
    assert apply(lab26).code == 0
    assert acquisition(lab26)["details"] == {
        "sr": {"value": 20, "unit": "kHz"},
        "bitDepth": 8,
        "nChannels": 2,  # the server's default
    }
    write(lab26, "type: Audio")
    assert "details was removed from the file; the server keeps its value" in lab26.run("plan").out


def test_another_unit_is_an_edit(lab26: Lab) -> None:
    write(lab26, AUDIO)
    assert apply(lab26).code == 0
    write(lab26, "type: Audio, details: {sr: 20000 Hz, nChannels: 1}")
    assert "20 kHz → 20000 Hz" in lab26.run("plan").out


def test_a_type_that_changes_needs_its_details(lab26: Lab) -> None:
    write(lab26, AUDIO)
    assert apply(lab26).code == 0
    write(lab26, "type: VideoTracking")
    result = lab26.run("plan")
    assert result.code == 1
    assert "`type` changes from Audio to VideoTracking" in result.out + result.err
    write(lab26, "type: VideoTracking, details: {fileName: a.mp4}")
    (body,) = bodies(plan(lab26))
    assert body == {"type": "VideoTracking", "details": {"fileName": "a.mp4"}}
    assert "details.sr" in lab26.run("plan").out
    assert apply(lab26).code == 0
    assert plan(lab26)["changes"] == []


def test_details_take_the_type_of_the_server(lab26: Lab) -> None:
    write(lab26, AUDIO)
    assert apply(lab26).code == 0
    id_ = acquisition(lab26)["id"]
    write(lab26, f"id: {id_}, details: {{sr: 44 kHz, nChannels: 1}}")
    (body,) = bodies(plan(lab26))
    assert body["details"]["sr"] == {"value": 44, "unit": "kHz"}
    assert body["type"] == "Audio"
    write(lab26, f"id: {id_}, details: {{lsb: 1 V, sr: 3 s}}")
    result = lab26.run("plan")
    assert result.code == 1
    assert "on the server, this record is of type Audio" in result.out + result.err
    assert "`details.lsb` is not a field of Audio" in result.out + result.err


OLD = {
    "sessions": [{"name": "old", "projects": ["Theta"]}],
    "projects": [{"name": "Theta"}],
    "data_acquisitions": [
        {
            "session": "old",
            "type": "Audio",
            "details": {"sr": 20000, "codec": "mp3"},
        }
    ],
}


def test_what_breaks_the_schema_of_today_is_named_and_nothing_is_sent(lab: Lab) -> None:
    begin(lab, OLD)
    lab.write("records/lab.yaml", "projects: [{name: Theta}]\n")
    (found,) = live(lab, "dataacquisition")
    head = f"data_acquisitions:\n  - key: old\n    id: {found['id']}\n"
    lab.write("records/old.yaml", f"{head}    type: Audio\n    details: {{nChannels: 2}}\n")
    text = lab.run("plan").out
    assert "the server would refuse these details: as Audio, details.sr must be" in text
    assert bodies(plan(lab)) == []
    lab.write("records/old.yaml", f"{head}    notes: Still works.\n")
    assert bodies(plan(lab)) == [{"notes": "Still works."}]
    lab.write("records/old.yaml", f"{head}    type: Audio\n    details: {{sr: 20000 Hz}}\n")
    assert apply(lab, "--allow", "replace=1").code == 0
    (found,) = live(lab, "dataacquisition")
    assert found["details"] == {
        "sr": {"value": 20000, "unit": "Hz"},
        "codec": "mp3",
        "bitDepth": 8,
        "nChannels": 2,
    }


def test_defaults_give_details_only_to_records_of_their_type(lab26: Lab) -> None:
    lab26.write(
        "records/probe.yaml",
        "defaults:\n  data_acquisitions: {type: Audio, details: {sr: 1 kHz}}\n"
        "data_acquisitions:\n"
        "  - {key: a, session: monday}\n"
        "  - {key: b, session: monday, details: {codec: mp3}}\n"
        "  - {key: c, session: monday, type: VideoTracking}\n",
    )
    sent = [body["details"] for body in bodies(plan(lab26))]
    assert sent == [
        {"sr": {"value": 1, "unit": "kHz"}},
        {"sr": {"value": 1, "unit": "kHz"}, "codec": "mp3"},
        {},
    ]


def test_rows_are_one_value(lab26: Lab) -> None:
    lab26.write(
        "records/m.yaml",
        "procedures:\n  - {key: fiber, subject: rat12, type: OpticFiberImplant,\n"
        "     coordinates_system: Stereotaxic_BregmaAbsolute}\n"
        "manipulations:\n  - {key: m, session: monday, procedures: [fiber],\n"
        "     type: OptogeneticStimulation, details: [{duration: 5 ms}, {duration: 10 ms}]}\n",
    )
    assert apply(lab26).code == 0
    (found,) = live(lab26, "manipulation")
    assert found["details"][1] == {"duration": {"value": 10, "unit": "ms"}}
    assert plan(lab26)["changes"] == []


def test_what_get_prints_is_a_manifest_whose_plan_is_empty(lab26: Lab) -> None:
    write(lab26, AUDIO)
    assert apply(lab26).code == 0
    text = lab26.run("get", "dataacquisition", "-o", "yaml").out
    assert "sr: 20 kHz" in text
    lab26.write("records/probe.yaml", text.replace("key: ", "key: ", 1))
    assert lab26.run("validate").code == 0


def test_explain_lists_types_and_the_fields_of_a_type(lab26: Lab) -> None:
    assert "ExtracellularEphys" in lab26.run("explain", "dataacquisition.details").out
    text = lab26.run("explain", "dataacquisition.details.Audio").out
    assert "Takes a number with a unit: Hz, GHz, MHz, kHz" in " ".join(text.split())
    assert "required" in lab26.run("explain", "procedure.details.Anesthesia").out
    assert lab26.run("explain", "dataacquisition.details.Audoi").code == 1


def test_a_lost_creation_is_recognised_with_the_defaults_of_its_type() -> None:
    model = load_catalog("2026").models["dataacquisition"]
    sent = {"type": "Audio", "details": {"codec": "mp3"}}
    there = {"codec": "mp3", "bitDepth": 8, "nChannels": 2}
    assert as_sent(model, {"type": "Audio", "details": there}, sent)
    assert not as_sent(model, {"type": "Audio", "details": {**there, "nChannels": 3}}, sent)
    assert not as_sent(model, {"type": "Audio", "details": {**there, "format": "x"}}, sent)
