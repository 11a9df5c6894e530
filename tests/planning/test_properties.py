"""What holds for every record: applied once, it is as the files say, in every form the server gives
it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from stemctl.schema.catalog import load_catalog
from tests.support.effort import examples
from tests.support.lab import Lab
from tests.support.strategies import records

CATALOG = load_catalog("2024")
TARGETS = {"project": ["Theta Maze Study", "Whisker Touch Study"]}
FEW = examples(10)


def fresh(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(Path(tempfile.mkdtemp(dir=folder)), monkeypatch)


def declare(lab: Lab, key: str, declared: list[dict[str, Any]]) -> None:
    text = json.dumps({key: declared}, ensure_ascii=False)  # JSON is YAML
    lab.write("records/random.yaml", text)


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", [model.name for model in CATALOG.writable])
def test_apply_then_plan_sends_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = CATALOG.models[name]

    @FEW
    @given(records(model, TARGETS))
    def check(declared: list[dict[str, Any]]) -> None:
        lab = fresh(tmp_path, monkeypatch)
        declare(lab, model.many, declared)
        lab.apply()
        assert lab.writes
        if model.approval:
            for document in lab.run("approvals", "list", "-o", "json").json:
                accepted = lab.run(
                    "approvals", "accept", document["approval"]["id"], token="sandbox-admin"
                )
                assert accepted.code == 0, accepted.said
            lab.apply()
            assert lab.writes == []
        plan = lab.plan()
        assert plan["changes"] == []
        assert plan["bookkeeping"] == []
        assert lab.run("plan", "--detailed-exitcode").code == 0

    check()


@pytest.mark.hypothesis
def test_what_get_prints_plans_to_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = CATALOG.models["session"]

    @FEW
    @given(records(model, TARGETS))
    def check(declared: list[dict[str, Any]]) -> None:
        lab = fresh(tmp_path, monkeypatch)
        declare(lab, model.many, declared)
        lab.apply()
        printed = lab.run("get", model.name, "-o", "yaml").out
        (lab.root / "records" / "random.yaml").unlink()
        (lab.root / ".stemctl" / "sandbox.state.json").unlink()
        lab.write("records/printed.yaml", printed)
        plan = lab.run("plan", "-o", "json")
        assert plan.code == 0, plan.said + printed
        assert {(c["action"], c["held"], bool(c["request"])) for c in plan.json["changes"]} == {
            ("adopt", None, False)
        }
        names = {str(fields["name"]).strip() for fields in declared}
        assert {fields["name"] for fields in yaml.safe_load(printed)[model.many]} == names

    check()
