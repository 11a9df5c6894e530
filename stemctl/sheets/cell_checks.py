"""What the schema of a field refuses, in words about one cell."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from stemctl.schema import detail_schemas, field_schema
from stemctl.schema.compiled import Accepts, compiled
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.sheets.cells import Cell
from stemctl.sheets.problems import CellError
from stemctl.util.json_types import Value

Schema = dict[str, Any]


def check_value(row: Field, model: Model | None, value: Value | Cell) -> None:
    """Refuse what the schema of a field does: of a model, or without one, of details.

    Raises:
        CellError: with what is wrong.
    """
    if isinstance(value, Cell) or row.kind == "scalar":
        return
    schema, accepts = _schema(_Key(row, model))
    if accepts(value):
        return
    values = value if isinstance(value, list) else [value]
    for one in values:
        for message, remedy in _problems(schema.get("items", schema), one):
            raise CellError(message, remedy)
    raise CellError(f"is not what `{row.name}` takes", "`stemctl explain MODEL` says what it is")


class _Key:
    """A field as a key: the same only as itself."""

    def __init__(self, row: Field, model: Model | None) -> None:
        self.row, self.model = row, model

    def __hash__(self) -> int:
        return id(self.row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.row is other.row


@functools.lru_cache(1000)
def _schema(key: _Key) -> tuple[Schema, Accepts]:
    if key.model:
        schema = field_schema.field_schema(key.row, key.model)
    else:
        schema = detail_schemas.field_schema(key.row)
    return schema, compiled(schema, {})


def _problems(schema: Schema, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", len(value)):
            most = schema["maxLength"]
            yield f"has {len(value):,} characters, and {most} are allowed", "shorten it"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            meant = schema.get("patternErrorMessage", "")
            yield "is not allowed here", meant or f"it must match {schema['pattern']}"
    if isinstance(value, int | float):
        if value < schema.get("minimum", value):
            yield f"is less than {schema['minimum']}", "write a larger number"
        if value > schema.get("maximum", value):
            yield f"is more than {schema['maximum']}", "write a smaller number"
