"""Golden cases: a folder per behaviour. STEMCTL_UPDATE=1 rewrites what is expected, to be read like
code.

`table.yaml` adds a model; `before.yaml` is applied first; `server.yaml` says what happened on the
server since; `after.yaml` is planned with `options`. The plan is compared as text and as JSON, and
in the further `formats`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stemctl.render.html import asset
from stemctl.schema.catalog import load_catalog
from tests.support.invented import add_table
from tests.support.lab import Lab
from tests.support.paths import TESTS

CASES = TESTS / "cases"
UPDATE = os.environ.get("STEMCTL_UPDATE") == "1"


def cases() -> list[str]:
    return sorted(path.name for path in CASES.iterdir())


@pytest.mark.parametrize("name", cases())
def test_case(lab: Lab, name: str) -> None:
    folder = CASES / name
    token = prepare(lab, folder)
    options = (folder / "options").read_text().split() if (folder / "options").exists() else []
    words = lab.run("plan", *options, token=token)
    ids = known_ids(lab)
    expect(
        folder / "plan.txt", normal(words.out, ids, lab) + f"exit code {words.code}\n" + words.err
    )
    document = lab.run("plan", *options, "-o", "json", token=token)
    assert {sent.method for sent in lab.requests} <= {"GET"}
    expect(folder / "plan.json", normal(document.out, ids, lab))
    for suffix in (folder / "formats").read_text().split() if (folder / "formats").exists() else []:
        output_format = {"md": "markdown", "html": "html"}[suffix]
        expect(
            folder / f"plan.{suffix}",
            normal(lab.run("plan", *options, "-o", output_format, token=token).out, ids, lab),
        )


def prepare(lab: Lab, folder: Path) -> str | None:
    """Bring the lab to where the case plans; the token that the plan is made with."""
    if (folder / "table.yaml").exists():
        table = yaml.safe_load((folder / "table.yaml").read_text(encoding="utf-8"))
        add_table(table, lab.monkeypatch)
    if (folder / "before.yaml").exists():
        lab.write("records/case.yaml", (folder / "before.yaml").read_text(encoding="utf-8"))
        assert lab.run("apply", "--auto-approve").code in (0, 3)
    token = None
    if (folder / "server.yaml").exists():
        for event in yaml.safe_load((folder / "server.yaml").read_text(encoding="utf-8")):
            token = happen(lab, event) or token
    lab.write("records/case.yaml", (folder / "after.yaml").read_text(encoding="utf-8"))
    return token


def happen(lab: Lab, event: dict[str, Any]) -> str | None:
    """Something that somebody did on the server."""
    models = load_catalog("2024").models
    match event:
        case {"edit": address, "set": fields}:
            model, name = address.split("/")
            lab.edit(model, name, **fields)
        case {"delete": address}:
            model, name = address.split("/")
            lab.api("DELETE", f"{models[model].app}/{model}/{lab.live(model, name)['id']}/")
        case {"add": seed}:
            with lab.database() as database:
                database.seed(seed)
        case {"store": address, "set": fields}:
            model, name = address.split("/")
            id_ = lab.live(model, name)["id"]
            with lab.database() as database, database.transaction():
                row = database.find(models[model], id_)
                assert row is not None
                database.replace(models[model], row, {**row.body, **fields})
        case {"accept": address, **rest} | {"reject": address, **rest}:
            verdict = "accept" if "accept" in event else "reject"
            found = lab.run("approvals", "list", address, "-o", "json", token="sandbox-admin").json
            path = (
                f"taxonomies/sensorystimulustype_approvals/{found[0]['approval']['id']}/{verdict}/"
            )
            lab.api("PATCH", path, rest.get("set", {}), token="sandbox-admin")
        case {"as": token}:
            return str(token)
        case _:
            raise AssertionError(event)
    return None


def known_ids(lab: Lab) -> dict[str, str]:
    """Every id of the sandbox, by what it is the id of."""
    names = {}
    for model in load_catalog("2024").models.values():
        for record in lab.api("GET", f"{model.app}/{model.name}/?limit=100", token="sandbox-admin")[
            model.many
        ]:
            names[record["id"]] = f"<id of {model.name}/{record['name']}>"
        if model.approval:
            path = f"{model.app}/{model.approval.path}/?limit=100"
            for record in lab.api("GET", path, token="sandbox-admin")[model.approval.many]:
                names[record["id"]] = f"<approval of {record['name']}>"
    return names


def normal(text: str, ids: dict[str, str], lab: Lab) -> str:
    """The output without what differs from run to run."""
    for id_, name in ids.items():
        text = text.replace(id_, name).replace(f"approval {id_[:8]}", f"approval {name}")
    text = re.sub(r"sha256:[0-9a-f]{64}", "<hash>", text)
    text = text.replace(asset("plan.css"), "<style of the page>")
    text = text.replace(asset("plan.js"), "<script of the page>")
    text = re.sub('<p class="made">.*?</p>', '<p class="made">', text)
    text = text.replace(f"Plan for {lab.root.name}", "Plan for LAB")
    text = re.sub(r"sha256-[A-Za-z0-9+/=]{44}", "<hash>", text)
    text = re.sub(r"digest `[0-9a-f]{16}`", "digest `<hash>`", text)
    text = re.sub(r'"lineage": "[^"]+"', '"lineage": "<lineage>"', text)
    text = re.sub(r'"stemctl": "[^"]+"', '"stemctl": "<version>"', text)
    text = re.sub(r"run \d{4}-\d\d-\d\dT[\d:]+Z(-\d+)?", "run <run>", text)
    text = re.sub(UUID, "<id that is gone>", text)
    return text.replace(f"-C {lab.root}", "-C LAB")


UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def expect(path: Path, actual: str) -> None:
    if UPDATE:
        path.write_text(actual, encoding="utf-8")
    assert path.exists(), f"{path} is missing; STEMCTL_UPDATE=1 writes it"
    assert actual == path.read_text(encoding="utf-8")
