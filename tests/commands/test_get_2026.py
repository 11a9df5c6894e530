"""get reads every model of edition 2026, also those that stemctl cannot write."""

from __future__ import annotations

import pytest
import yaml

from stemctl.schema.catalog import load_catalog
from stemctl.schema.models import Model
from tests.support.lab import Lab
from tests.support.small_lab import LAB

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: 2026, seed: seed.yaml}
"""
MODELS = [model for model in load_catalog("2026").models.values() if not model.embedded]


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", yaml.safe_dump(LAB))
    return lab


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_is_listed_and_one_record_is_shown(lab: Lab, model: Model) -> None:
    listed = lab.run("get", model.name)
    assert listed.code == 0, listed.said
    records = lab.run("get", model.name, "-o", "json").json
    table = listed.out.partition("\n\n")[0]  # what is too wide is named below it
    assert len(table.splitlines()) == 1 + len(records)
    assert "\0" not in listed.out
    assert not {sent.method for sent in lab.requests} - {"GET"}
    for record in records:
        by_id = lab.run("get", model.name, str(record["id"]), "-o", "json")
        assert by_id.json == record
    if model.called:
        named = lab.run("get", model.name, str(records[0][model.called]), "-o", "json")
        assert named.json in (records[0], [r for r in records if r == records[0]])


@pytest.mark.parametrize(
    "arguments, told",
    [
        (("brainregion", "AIA/CA1"), "Field CA1"),
        (("brainregion/AIA/CA1",), "Field CA1"),
        (("brainregion", "AIA/Field CA1"), "Field CA1"),
        (("brainregion", "BM4/CA1"), None),
        (("brainregion", "CA3"), None),
        (("brainregion", "Field CA1"), "Field CA1"),
        (("cohort", "Cohort A"), "Theta"),
        (("cohort", "Theta/Cohort A"), "Theta"),
        (("user", "4"), "other@elsewhere.example"),
    ],
)
def test_a_record_is_called_in_several_ways(
    lab: Lab, arguments: tuple[str, ...], told: str | None
) -> None:
    found = lab.run("get", *arguments)
    assert found.code == (0 if told else 1), found.said
    assert (told or f"No brain region has the name '{arguments[-1]}'") in found.said


def test_what_has_no_name_is_asked_for_by_its_id(lab: Lab) -> None:
    found = lab.run("get", "behavior", "maze")
    assert found.code == 1
    assert "`maze` is not an id." in found.err
    assert lab.requests == []


def test_references_are_shown_by_name(lab: Lab) -> None:
    found = lab.run("get", "groupmembershipinvitation").out.splitlines()
    assert found[1].split("  ")[1:3] == ["other@elsewhere.example", "Theta Lab"]
    assert "Maze room" in lab.run("get", "equipment").out
    assert "AIA/CA1" in lab.run("get", "procedure").out
