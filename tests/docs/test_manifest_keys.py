"""docs/manifests.md has a row for every key that a manifest and stemctl.yaml may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stemctl.planning.members import REMOVE
from stemctl.schema.catalog import editions, load_catalog
from stemctl.schema.config_schema import config_schema
from stemctl.schema.manifest_schema import manifest_schema
from tests.support.paths import PROJECT

PAGE = (PROJECT / "docs" / "manifests.md").read_text(encoding="utf-8")


def rows(title: str) -> list[str]:
    """The keys in a table of the page. A row about lists or fields of the models has none."""
    table = PAGE.partition("## Every key\n")[2].partition(f"### {title}\n")[2].partition("\n#")[0]
    assert table
    return re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)


def keys(schema: Any, prefix: str = "") -> Iterator[str]:
    """The keys that a schema knows, with those inside them; NAME where any name will do."""
    for name, inner in schema.get("properties", {}).items():
        yield prefix + name
        yield from keys(inner, f"{prefix}{name}.")
    if isinstance(named := schema.get("additionalProperties"), dict):
        yield from keys(named, f"{prefix}NAME.")
    if isinstance(items := schema.get("items"), dict):
        yield from keys(items, prefix)


def test_of_stemctl_yaml() -> None:
    assert sorted(rows("Of stemctl.yaml")) == sorted(keys(config_schema(editions())))


def test_of_a_manifest() -> None:
    known: dict[str, None] = {}
    for edition in editions():
        catalog = load_catalog(edition)
        top = manifest_schema(catalog)["properties"]
        lists = {model.section for model in catalog.listed}
        own = {name: value for name, value in top.items() if name not in lists}
        own["defaults"] = {}  # has the fields of the models
        known |= dict.fromkeys(keys({"properties": own}))
    assert rows("Of a manifest") == list(known)


def test_of_a_record() -> None:
    known: dict[str, None] = {}
    for edition in editions():
        catalog = load_catalog(edition)
        definitions = manifest_schema(catalog)["$defs"]
        children = {model.section for model in catalog.writable if model.parent is not None}
        for model in catalog.listed:
            record = definitions[model.name]["properties"]
            own = {k: v for k, v in record.items() if k not in {*model.fields, *children}}
            own |= {"id": {}} if "id" in record else {}
            known |= dict.fromkeys(keys({"properties": own}))
    assert set(rows("Of a record")) == set(known)


def test_of_a_member() -> None:
    fields = [
        field
        for edition in editions()
        for model in load_catalog(edition).listed
        for field in model.managed
    ]
    known = {name for field in fields if field.kind == "members" for name in field.members}
    assert set(rows("Of a member")) == {*known, REMOVE}
