"""A table that `get -o csv` wrote changes no file when `load` reads it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from stemctl.schema.catalog import load_catalog
from tests.sheets.test_get_table import HOSTILE, RECORDS
from tests.support.edition_2026 import begin
from tests.support.lab import Lab
from tests.support.paths import PROJECT


def files(lab: Lab) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (lab.root / "records").rglob("*.yaml")}


def get(lab: Lab, model: str, output_format: str) -> Path:
    """A table, written by a process as a shell does it."""
    command = [sys.executable, "-m", "stemctl", "-q", "-C", str(lab.root), "get", model]
    done = subprocess.run([*command, "-o", output_format], capture_output=True, check=True)
    path = lab.root / f"table.{output_format}"
    path.write_bytes(done.stdout)
    return path


def check(lab: Lab, model: str, *formats: str, but: Sequence[str] = ()) -> int:
    """Load what was written; how many tables there were. Texts in `but` may be added: the server
    has them, and the files do not.
    """
    tables = 0
    for output_format in formats:
        path = get(lab, model, output_format)
        if not path.read_text(errors="replace").strip('\n"'):
            continue
        tables += 1
        before = files(lab)
        result = lab.run("load", str(path), "--as", model, "--dry-run")
        assert result.code == 0, f"{model}: {result.said}"
        added = [line for line in result.out.splitlines() if line[:1] == "+" and line[:3] != "+++"]
        assert [line for line in added if not any(b in line for b in but)] == [], (
            f"{model}: {result.out}"
        )
        assert files(lab) == before
    return tables


@pytest.mark.slow
def test_a_lab_of_rats(lab: Lab) -> None:
    """The server has one description that the files do not have. Of other shared models, it has
    more records.
    """
    shutil.copytree(PROJECT / "examples" / "rat-lab", lab.root, dirs_exist_ok=True)
    lab.apply()
    declared = Counter(address.partition("/")[0] for address in lab.state["records"])
    tables = 0
    for model in load_catalog("2026").listed:
        live = lab.run("get", model.name, "-o", "json").json if model.name in declared else []
        if live and len(live) == declared[model.name]:
            tables += check(lab, model.name, "csv", "xlsx", but=("Brown rat",))
    assert tables > 10


def test_fields_of_all_kinds(lab: Lab) -> None:
    begin(lab)
    lab.write("records/more.yaml", RECORDS)
    lab.apply()
    for model in ("session", "subject", "project", "setup", "behavior", "dataacquisition"):
        assert check(lab, model, "csv", "tsv", "xlsx") == 3


def test_hostile_texts(lab: Lab) -> None:
    """But those that a manifest cannot have, or that no field keeps."""
    begin(lab)
    values = [text for text in HOSTILE if text == text.strip() and "\x1b" not in text]
    sessions = [
        {
            "name": f"s{number:02}",
            "projects": ["Theta"],
            "description": text,
            "tags": [text, "plain"],
            "extra_fields": {"note": text, "number": number},
        }
        for number, text in enumerate(values)
    ]
    lab.write("records/s.yaml", json.dumps({"sessions": sessions}, ensure_ascii=False))
    lab.apply()
    check(lab, "session", "csv", "tsv", "xlsx")
