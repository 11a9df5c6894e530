"""The pages of the models are those of the tables, and their examples can be applied."""

from __future__ import annotations

import graphlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from stemctl.commands.schema import build_pages
from stemctl.render.example_manifest import example_manifest
from stemctl.schema.catalog import Catalog, editions, load_catalog, schemas_dir
from stemctl.schema.models import Model
from tests.support.lab import Lab
from tests.support.paths import PROJECT

Record = dict[str, Any]

PAGES = sorted((PROJECT / "docs" / "models").glob("*/*.md"))
CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {{url: "sandbox:", edition: {edition}, seed: seed.yaml}}
"""
SEEDS = {
    "2024": {"projects": [{"name": "Theta Maze Study"}]},
    "2026": {
        "users": [
            {"email": f"{who}@example.org", "first_name": who.title()}
            for who in ("colleague", "researcher")
        ],
        "species": [{"name": "Rattus norvegicus"}],
        "suppliers": [{"name": "Addgene"}, {"name": "Intan"}],
    },
}


PARENTS = {
    "subjects": [
        {"name": name, "sex": sex, "projects": ["Theta Maze Study"], "strain": "Long Evans"}
        for name, sex in (("rat03", "F"), ("rat04", "M"))
    ]
}
"""What examples refer to that no example declares."""


class WithoutDates(yaml.SafeLoader):
    """Reads dates as the text that they are."""


WithoutDates.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if not pair[0].endswith("timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.fixture(params=editions())
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return load_catalog(request.param)


@pytest.fixture
def lab(lab: Lab, catalog: Catalog) -> Lab:
    lab.write("stemctl.yaml", CONFIG.format(edition=catalog.edition))
    lab.write("seed.yaml", json.dumps(SEEDS[catalog.edition]))
    return lab


def needed_first(catalog: Catalog) -> list[Model]:
    """The models that can be written, those before others that the examples of these refer to."""
    needs = {
        model.name: {
            name
            for part in (model, *ancestors(catalog, model))
            for field in part.managed
            for name in (field.to, field.of)
            if field.example is not None and name in catalog.models and name != model.name
        }
        for model in catalog.writable
    }
    order = graphlib.TopologicalSorter(needs).static_order()
    return [catalog.models[name] for name in order if catalog.models[name].writable]


def ancestors(catalog: Catalog, model: Model) -> Iterator[Model]:
    parent = catalog.parent_of(model)
    if parent is not None:
        yield parent
        yield from ancestors(catalog, parent)


def test_every_example_is_valid(lab: Lab, catalog: Catalog) -> None:
    for model in catalog.writable:
        lab.write("records/example.yaml", example_manifest(model, catalog))
        result = lab.run("validate")
        assert result.code == 0, result.out
        assert result.err == ""


def called(record: Record) -> Any:
    """What tells a record of an example apart from others beside it."""
    return next((record[key] for key in ("key", "name", "title", "type") if key in record), None)


def add(into: list[Record], records: list[Record], catalog: Catalog) -> None:
    """Add records to others: what an example says of a record that another one declares, too."""
    for record in records:
        same = [each for each in into if called(each) == called(record)]
        known = same[0] if same else {}
        if not same:
            into.append(known)
        for key, value in record.items():
            inside = value if isinstance(value, list) and isinstance(value[0], dict) else []
            if inside and key in {model.section for model in catalog.writable}:
                add(known.setdefault(key, []), inside, catalog)
            else:
                known[key] = value


def accept_all(lab: Lab) -> None:
    listed = lab.run("approvals", "list", "-o", "json", token="sandbox-admin").json
    pending = [row["approval"]["id"] for row in listed if row["approval"]["status"] == "Pending"]
    if pending:
        assert lab.run("approvals", "accept", *pending, token="sandbox-admin").code == 0
        lab.apply()


@pytest.mark.slow
def test_every_example_is_applied_as_it_is(lab: Lab, catalog: Catalog) -> None:
    whole: dict[str, list[Record]] = {}
    for model in needed_first(catalog):
        example = yaml.load(example_manifest(model, catalog), WithoutDates)
        for section, records in example.items():
            add(whole.setdefault(section, []), [*records, *PARENTS.get(section, [])], catalog)
        lab.write("records/all.yaml", json.dumps(whole))
        token = "sandbox-admin" if model.write_by else "sandbox-user"
        done = lab.run("apply", "--auto-approve", token=token)
        assert done.code == 0, f"{model.name}: {done.said}"
        assert done.out.count(model.name), done.out
        accept_all(lab)
        assert lab.plan()["changes"] == [], model.name


def test_the_pages_are_those_of_the_tables() -> None:
    assert list(build_pages(schemas_dir(), check=True)) == []
    assert len(PAGES) == sum(len(load_catalog(edition).models) for edition in editions())
