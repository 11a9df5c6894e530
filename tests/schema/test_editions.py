"""The life of a record of each model that an edition can write, by its table alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from stemctl.schema.catalog import Catalog, editions, load_catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from tests.support.lab import Lab

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {{url: "sandbox:", edition: {edition}, seed: seed.yaml}}
policy: {{allow: {{delete: 100, cascade: 100}}}}
"""
MOST_ROUNDS = 8
"""Rounds of proposals, since some models refer to others that have to be accepted first."""


def name_of(model: Model) -> Any:
    return model.fields[str(model.identity)].example


def value_of(field: Field, catalog: Catalog) -> Any:
    """The example of a field; of a reference, the record that is declared here."""
    if not field.to:
        return field.example
    if field.to not in catalog.models or not catalog.models[field.to].identity:
        return None
    name = name_of(catalog.models[field.to])
    return [name] if field.kind == "references" else name


def record_of(model: Model, catalog: Catalog) -> dict[str, Any]:
    values = {f.name: value_of(f, catalog) for f in model.managed if not f.after_create}
    values.pop("parent", None)  # one record is not its own parent
    return {name: value for name, value in values.items() if value is not None}


def plain(catalog: Catalog) -> list[Model]:
    """The models whose records have a unique name and no parent."""
    return [model for model in catalog.writable if model.identity and not model.integer_ids]


def records_of(catalog: Catalog) -> dict[str, Any]:
    return {model.many: [record_of(model, catalog)] for model in plain(catalog)}


@pytest.fixture(params=editions())
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return load_catalog(request.param)


@pytest.fixture
def lab(lab: Lab, catalog: Catalog) -> Lab:
    lab.write("stemctl.yaml", CONFIG.format(edition=catalog.edition))
    project = catalog.models["project"]
    seed = {} if project.writable else {project.many: [{"name": name_of(project)}]}
    lab.write("seed.yaml", json.dumps(seed))
    return lab


def settle(lab: Lab) -> None:
    """Apply, and accept what was proposed, until there is nothing to do."""
    for _ in range(MOST_ROUNDS):
        lab.run("apply", "--auto-approve")
        listed = lab.run("approvals", "list", "-o", "json", token="sandbox-admin").json
        pending = [
            row["approval"]["id"] for row in listed if row["approval"]["status"] == "Pending"
        ]
        if pending:
            assert lab.run("approvals", "accept", *pending, token="sandbox-admin").code == 0
        elif not lab.plan()["changes"]:
            return
    pytest.fail(lab.run("plan").out)


def texts(catalog: Catalog) -> Iterator[tuple[Model, Field]]:
    """A field of each model whose text can be edited freely."""
    for model in plain(catalog):
        for field in model.managed:
            free = field.kind == "text" and not (field.enum or field.format or field.proposal)
            if free and field.name != model.identity and not field.to and field.max_length != 2:
                yield model, field
                break


def test_every_model_is_created_read_edited_and_deleted(lab: Lab, catalog: Catalog) -> None:
    records = records_of(catalog)
    lab.write("records/all.yaml", yaml.safe_dump(records))
    result = lab.run("validate")
    assert result.code == 0, result.out
    settle(lab)
    for model in plain(catalog):
        live = lab.run("get", model.name, "-o", "json", token="sandbox-admin").json
        assert len(live) == 1, model.name

    # What the server has comes out as manifests that plan to nothing.
    (lab.root / "records" / "all.yaml").unlink()
    for model in plain(catalog):
        lab.write(f"records/{model.name}.yaml", lab.run("get", model.name, "-o", "yaml").out)
    assert lab.plan()["changes"] == []
    for model in plain(catalog):
        (lab.root / "records" / f"{model.name}.yaml").unlink()

    edited = list(texts(catalog))
    assert edited
    for model, field in edited:
        records[model.many][0][field.name] = "edited"
    lab.write("records/all.yaml", yaml.safe_dump(records))
    settle(lab)
    for model, field in edited:
        if field.shown:
            (live,) = lab.run("get", model.name, "-o", "json", token="sandbox-admin").json
            assert "edited" in live[field.name], model.name

    lab.write("records/all.yaml", "sessions: []\n")
    for _ in range(MOST_ROUNDS):  # the lists of a project change as its records are deleted
        result = lab.run("apply", "--auto-approve", token="sandbox-admin")
    assert result.code == 0, result.out
    assert lab.run("state", "list", "-o", "json").json == {}


def test_a_pending_proposal_is_compared_by_what_its_references_mean(lab: Lab) -> None:
    lab.write("stemctl.yaml", CONFIG.format(edition="2026"))
    lab.write("seed.yaml", "species: [{name: Rattus norvegicus}, {name: Mus musculus}]\n")
    strain = "strains: [{name: Long Evans, species: SPECIES}]\n"
    lab.write("records/all.yaml", strain.replace("SPECIES", "Rattus norvegicus"))
    lab.apply()
    (change,) = lab.plan()["changes"]
    assert (change["held"], change["fields"][1]["before"]) == ("pending", None)
    lab.write("records/all.yaml", strain.replace("SPECIES", "Mus musculus"))
    (change,) = lab.plan()["changes"]
    (field,) = change["fields"]
    assert (field["before"], field["after"]) == ("Rattus norvegicus", "Mus musculus")


def test_a_section_of_another_edition_is_named(lab: Lab, catalog: Catalog) -> None:
    ours = {model.section for model in catalog.listed}
    for other in editions():
        for model in load_catalog(other).listed:
            if model.section in ours:
                continue
            lab.write("records/all.yaml", f"{model.section}: []\n")
            (finding,) = lab.run("validate", "-o", "json").json["diagnostics"]
            assert finding["code"] == "unknown-section"
            gone = "no longer exists" in finding["message"]
            if catalog.find(model.many) is None and not gone:
                assert f"it is in edition {other}" in finding["remedy"]


def test_references_by_number_are_those_to_models_with_numbers(catalog: Catalog) -> None:
    for model in catalog.writable:
        for field in model.references:
            target = catalog.models.get(field.to or "")
            assert field.numbered == (target is not None and target.integer_ids), field.name


def test_a_reference_may_be_a_number(lab: Lab) -> None:
    lab.write("stemctl.yaml", CONFIG.format(edition="2026"))
    lab.write("seed.yaml", "groups: [{id: 7, name: Theta Lab}]\n")
    lab.write(
        "records/all.yaml",
        "laboratories: [{key: a, group: 7, principal_investigators: [1], institution: KU}]\n",
    )
    assert lab.run("apply", "--auto-approve").code == 0
    (live,) = lab.run("get", "laboratory", "-o", "json").json
    assert (live["group"], live["principal_investigators"]) == (7, [1])
    assert lab.plan()["changes"] == []
