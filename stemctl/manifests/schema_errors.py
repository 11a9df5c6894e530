"""The verdict on a manifest: that of its generated JSON Schema, reached quickly where there is
nothing to find.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from stemctl.schema.catalog import Catalog
from stemctl.schema.compiled import Schema, compiled
from stemctl.schema.manifest_schema import manifest_schema
from stemctl.util.json_types import Path, Value

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError


@dataclass(frozen=True, slots=True)
class SchemaError:
    """A value that breaks a rule of the schema.

    `properties` are the keys that its object may have; `of_key`: the rule is one for the key
    `found` of the object.
    """

    path: Path
    keyword: str
    expected: Value
    found: Value
    properties: tuple[str, ...] = ()
    of_key: bool = False

    @property
    def rule(self) -> str:
        """The rule as it stands in the schema: `maxLength: 500`."""
        return f"{self.keyword}: {json.dumps(self.expected, ensure_ascii=False)}"


class ManifestValidator:
    """Judges files by a schema whose lists of records may be long.

    jsonschema takes longer for a record than reading it does. So a file is put to a compiled form
    of the schema first, and where that says no, so are the records of it one by one; jsonschema
    says what is wrong with the rest.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._accepts = compiled(schema, schema)
        self._items = {
            name: compiled(section["items"], schema)
            for name, section in schema["properties"].items()
            if "items" in section
        }

    @cached_property
    def _validator(self) -> Draft202012Validator:
        # Importing jsonschema takes as long as judging thousands of records.
        from jsonschema import Draft202012Validator

        return Draft202012Validator(
            self._schema
        )  # `format` says no more than the `pattern` beside it

    def errors(self, data: Value) -> Iterator[SchemaError]:
        """What the schema says against `data`."""
        if self._accepts(data):
            return
        doubtful, positions = self._doubtful(data)
        for error in self._validator.iter_errors(doubtful):
            yield _schema_error(error, positions)

    def _doubtful(self, data: Value) -> tuple[Value, dict[str | int, list[int]]]:
        """`data` without the list items that are beyond doubt, and the positions of those that are left."""
        if not isinstance(data, dict):
            return data, {}
        left, positions = dict(data), {}
        for name, accepts in self._items.items():
            items = data.get(name)
            if isinstance(items, list):
                positions[name] = [i for i, item in enumerate(items) if not accepts(item)]
                left[name] = [items[i] for i in positions[name]]
        return left, positions


@functools.cache
def validator_of(catalog: Catalog) -> ManifestValidator:
    """A validator of the manifests of an edition."""
    return ManifestValidator(manifest_schema(catalog))


def _schema_error(error: ValidationError, positions: dict[str | int, list[int]]) -> SchemaError:
    path = tuple(error.absolute_path)
    if len(path) > 1 and path[0] in positions:
        path = (path[0], positions[path[0]][int(path[1])], *path[2:])
    properties = error.schema.get("properties", ()) if isinstance(error.schema, dict) else ()
    of_key = "propertyNames" in error.absolute_schema_path
    return SchemaError(
        path, str(error.validator), error.validator_value, error.instance, tuple(properties), of_key
    )
