"""`get -o yaml --include` prints the records inside others as a manifest has them."""

from __future__ import annotations

import pytest
import yaml

from tests.commands.test_get_2026 import CONFIG
from tests.support.lab import Lab
from tests.support.small_lab import LAB


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", yaml.safe_dump(LAB))
    return lab


def manifest(lab: Lab, *arguments: str) -> str:
    result = lab.run("get", *arguments, "-o", "yaml")
    assert result.code == 0, result.said
    return result.out


ALL = [
    ("session", "behaviors", "data_acquisitions", "manipulations"),
    ("subject", "procedures.procedure_logs.entries", "subject_logs.entries"),
    ("project", "cohorts", "collections", "breedings"),
    ("setup", "equipment"),
    ("inventory", "consumable_stocks"),
]


def test_a_manifest_of_everything_inside_plans_to_nothing(lab: Lab) -> None:
    """Read back, each record is what it is on the server; only its id has to be taken over."""
    for model, *lists in ALL:
        options = [word for name in lists for word in ("--include", name)]
        lab.write(f"records/{model}.yaml", manifest(lab, model, *options))
    checked = lab.run("validate")
    assert checked.code == 0, checked.said
    plan = lab.plan()
    assert {change["request"] for change in plan["changes"]} == {None}
    declared = {change["address"].split("/")[0] for change in plan["changes"]}
    assert declared >= {"behavior", "procedurelog", "cohort", "equipment", "consumablestock"}


def test_children_are_under_their_parents_without_the_reference(lab: Lab) -> None:
    text = manifest(lab, "session", "--include", "behaviors")
    (session,) = yaml.safe_load(text)["sessions"]
    (behavior,) = session["behaviors"]
    assert "session" not in behavior
    assert "key" not in behavior  # it is the only one, so that its key is that of the session
    assert behavior["id"]
    assert behavior["setup"] == "Maze room"
    assert "\n    behaviors:\n      - id: " in text


def test_several_without_a_name_have_keys(lab: Lab) -> None:
    seed = yaml.safe_load(yaml.safe_dump(LAB))
    (session,) = [one for one in seed["sessions"] if "behaviors" in one][:1]
    session["behaviors"] = [session["behaviors"][0], {**session["behaviors"][0], "notes": "Again."}]
    lab.write("seed.yaml", yaml.safe_dump(seed))
    text = manifest(lab, "session", "--include", "behaviors")
    (session,) = yaml.safe_load(text)["sessions"]
    assert [one["key"] == one["id"] for one in session["behaviors"]] == [True, True]


def test_records_inside_have_the_keys_that_the_state_knows(lab: Lab) -> None:
    assert lab.run("pull", "--all").code == 0
    text = manifest(lab, "subject", "--include", "procedures.procedure_logs,subject_logs")
    (rat12,) = [one for one in yaml.safe_load(text)["subjects"] if one["name"] == "rat12"]
    (procedure,) = rat12["procedures"]
    assert procedure["key"] == "silicon-probe-implant"
    (log,) = procedure["procedure_logs"]
    assert "key" not in log  # the state has procedurelog/rat12/silicon-probe-implant
    assert {one["key"] for one in rat12["subject_logs"]} == {"housing", "weighing"}
    (setup,) = yaml.safe_load(manifest(lab, "setup", "--include", "equipment"))["setups"]
    assert "key" not in setup["equipment"][0]  # its name is its key


def test_a_key_that_does_not_continue_that_of_the_parent_is_not_written(lab: Lab) -> None:
    text = manifest(lab, "subject", "rat12", "--include", "procedures")
    (procedure, *_) = yaml.safe_load(text)["subjects"][0]["procedures"]
    lab.write("records/lab.yaml", "{}")
    own = {"key": "elsewhere", "id": procedure["id"], **procedure, "subject": "rat12"}
    lab.write("records/lab.yaml", yaml.safe_dump({"procedures": [own]}))
    assert lab.run("import", "procedure/elsewhere", procedure["id"]).code == 0
    assert manifest(lab, "subject", "rat12", "--include", "procedures") == text


def test_one_parent_asks_for_its_own_children_alone(lab: Lab) -> None:
    (session,) = lab.run("get", "session", "-o", "json").json
    manifest(lab, "session", session["name"], "--include", "data_acquisitions")
    (asked,) = [sent for sent in lab.requests if "/dataacquisition/" in sent.path]
    assert session["id"] in str(asked.query)


def test_the_name_of_the_list_in_manifests_is_a_relation(lab: Lab) -> None:
    for name in ("data_acquisitions", "dataacquisition"):
        assert lab.run("get", "session", "-o", "json", "--include", name).code == 0
        assert "data_acquisitions:" in manifest(lab, "session", "--include", name)
    wrong = lab.run("get", "session", "-o", "yaml", "--include", "behaviours")
    assert wrong.code == 1
    assert "behaviors" in wrong.err


def test_at_the_top_a_name_is_the_key_and_only_nameless_records_need_ids(lab: Lab) -> None:
    (cohort,) = yaml.safe_load(manifest(lab, "cohort"))["cohorts"]
    assert not {"key", "id"} & cohort.keys()
    (setup,) = yaml.safe_load(manifest(lab, "setup"))["setups"]
    assert "key" not in setup
    assert setup["id"]
    (behavior,) = yaml.safe_load(manifest(lab, "behavior"))["behaviors"]
    assert behavior["key"] == behavior["id"]


def test_entries_have_their_quantities_as_files_write_them(lab: Lab) -> None:
    nested = manifest(lab, "subject", "rat12", "--include", "subject_logs.entries")
    assert "{weight: 312 g}" in nested
    assert "{value" not in nested
    assert "{weight: 312 g}" in manifest(lab, "subjectlog", "--include", "entries")


def test_relations_may_be_joined_by_commas(lab: Lab) -> None:
    both = manifest(lab, "session", "--include", "behaviors,data_acquisitions")
    apart = ("--include", "behaviors", "--include", "data_acquisitions")
    assert both == manifest(lab, "session", *apart)
    assert "behaviors:" in both
