"""Validates a manifest against its generated JSON Schema, quickly where it is valid."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from stemctl.schema import local_schema
from stemctl.schema.catalog import Catalog
from stemctl.schema.compiled import Accepts, Schema, compiled
from stemctl.schema.detail_schemas import type_schema
from stemctl.schema.fields import Details
from stemctl.schema.manifest_schema import unfolding_manifest_schema
from stemctl.util.json_types import Path, Value

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError


class SchemaError(Struct, frozen=True):
    """A value that breaks a rule of the schema.

    `properties` are the keys that its object may have. With `of_key`, the rule is about `found` as
    a key of the object at `path`.
    """

    path: Path
    keyword: str
    expected: Value
    found: Value
    properties: tuple[str, ...] = ()
    of_key: bool = False

    @property
    def rule(self) -> str:
        """The rule as in the schema: `maxLength: 500`."""
        return f"{self.keyword}: {json.dumps(self.expected, ensure_ascii=False)}"


class ManifestValidator:
    """Validates files whose lists of records may be long.

    jsonschema takes longer for a record than reading it does. So a compiled form of the schema
    checks the file first, and if it refuses the file, its records one by one. jsonschema explains
    what is wrong with those that are left. An edition has dozens of models and a file names a few,
    so that only the sections of these are compiled.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._compiled: dict[tuple[str, ...], Accepts] = {}

    @cached_property
    def _validator(self) -> Draft202012Validator:
        # Importing jsonschema takes as long as checking thousands of records.
        from jsonschema import Draft202012Validator

        # `format` is not checked: the `pattern` beside it says the same.
        return Draft202012Validator(self._schema)

    def errors(self, data: Value) -> Iterator[SchemaError]:
        """The rules of the schema that `data` breaks."""
        if isinstance(data, dict) and self._all_valid(data):
            return
        remaining, positions = self._without_valid_items(data)
        for error in self._validator.iter_errors(remaining):
            yield _schema_error(error, positions)

    def _all_valid(self, data: dict[str, Value]) -> bool:
        """Whether every section is known and valid."""
        defaults = data.get("defaults", {})
        if not isinstance(defaults, dict):
            return False
        known = self._schema["properties"]
        layers = known["defaults"]["properties"]
        return all(
            name in known and (name == "defaults" or self._accepts("properties", name)(value))
            for name, value in data.items()
        ) and all(
            name in layers and self._accepts("properties", "defaults", "properties", name)(value)
            for name, value in defaults.items()
        )

    def _accepts(self, *path: str) -> Accepts:
        """The compiled form of a part of the schema."""
        if path not in self._compiled:
            part = functools.reduce(lambda schema, step: schema[step], path, self._schema)
            self._compiled[path] = compiled(part, self._schema)
        return self._compiled[path]

    def _without_valid_items(self, data: Value) -> tuple[Value, _Positions]:
        """`data` without the valid records, and the positions of the records that are left."""
        if not isinstance(data, dict):
            return data, {}
        remaining, positions = dict(data), _Positions()
        for name, section in self._schema["properties"].items():
            items = data.get(name)
            if "items" in section and isinstance(items, list):
                accepts = self._accepts("properties", name, "items")
                remaining[name] = self._invalid(items, accepts, section, (name,), positions)
        return remaining, positions

    def _invalid(
        self, items: list[Value], accepts: Accepts, section: Schema, path: Path, found: _Positions
    ) -> list[Value]:
        """The items that are not valid, without the valid records inside them."""
        positions = [i for i, item in enumerate(items) if not accepts(item)]
        found[path] = positions
        lists = self._lists_of_records(section["items"])
        return [
            self._without_valid_children(items[position], accepts, lists, (*path, number), found)
            for number, position in enumerate(positions)
        ]

    def _without_valid_children(
        self,
        item: Value,
        accepts: Accepts,
        lists: dict[str, Schema],
        path: Path,
        found: _Positions,
    ) -> Value:
        """A record that is not valid, without the records inside it that are: what is wrong with
        one of those may depend on the record.
        """
        if not (lists and isinstance(item, dict)):
            return item
        inside = [key for key, value in item.items() if key in lists and isinstance(value, list)]
        alone = {key: value for key, value in item.items() if key not in inside}
        if not inside or not accepts(alone):
            return item
        remaining = dict(item)
        for key in inside:

            def accepts_child(child: Value, key: str = key) -> bool:
                return accepts({**alone, key: [child]})

            at = (*path, key)
            remaining[key] = self._invalid(item[key], accepts_child, lists[key], at, found)
        return remaining

    def _lists_of_records(self, record: Schema) -> dict[str, Schema]:
        """The lists of other records in the schema of a record."""
        name = record.get("$ref", "").removeprefix("#/$defs/")
        properties = self._schema["$defs"][name].get("properties", {}) if name else {}
        return {key: part for key, part in properties.items() if "$ref" in part.get("items", {})}


_Positions = dict[Path, list[int]]
"""For each list of records, the positions that the ones left in it had before."""


@functools.cache
def validator_of(catalog: Catalog, local_times: bool = False) -> ManifestValidator:
    """The validator of the manifests of an edition; `local_times` need no offset."""
    if local_times:
        return ManifestValidator(unfolding_manifest_schema(catalog, local_schema.with_local_times))
    return ManifestValidator(unfolding_manifest_schema(catalog))


def details_errors(
    details: Details, type_name: str, value: Value, path: Path
) -> Iterator[SchemaError]:
    """The rules of a type that details break which are written at `path`, without their type."""
    accepts, schema = _details_rules(details, type_name)
    if accepts(value):
        return
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema).iter_errors(value):
        found = _schema_error(error, {})
        yield replace(found, path=(*path, *found.path))


@functools.cache
def _details_rules(details: Details, type_name: str) -> tuple[Accepts, Schema]:
    schema = type_schema(details.types[type_name])
    return compiled(schema, schema), schema


def _schema_error(error: ValidationError, positions: _Positions) -> SchemaError:
    steps = tuple(error.absolute_path)
    path = tuple(
        positions[steps[:at]][int(step)] if steps[:at] in positions else step
        for at, step in enumerate(steps)
    )
    properties = error.schema.get("properties", ()) if isinstance(error.schema, dict) else ()
    of_key = "propertyNames" in error.absolute_schema_path
    return SchemaError(
        path, str(error.validator), error.validator_value, error.instance, tuple(properties), of_key
    )
