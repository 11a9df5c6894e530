"""The types of records of an answer, for a decoder that checks while it reads.

They take nothing that `value_shapes.fits` refuses. What they refuse may fit nevertheless, as they
know only the usual spellings. `tests/client/test_quick_lists.py` holds the one against the other.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from stemctl.schema.models import Model
from stemctl.util.json_types import ID_PATTERN


class _Pair(Struct, gc=False):
    """An entry of a map that a server writes as a list."""

    name: str
    value: Any


_Plain = str | int | float | bool | None
_Empty = Annotated[list[Any], msgspec.Meta(max_length=0)]
_TYPES: dict[str, Any] = {
    "json": Any,
    "details": Any,
    "members": dict[str, dict[str, Any]] | _Empty | None,
    "map": dict[str, Any] | list[_Pair] | None,
    "items": list[dict[str, _Plain]] | None,
    "list": list[str] | None,
    "references": list[str | int] | None,
    "reference": str | int | None,
}


class _WithId(Struct, gc=False):
    """A record with an id."""

    id: Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]


NamesAndKinds = tuple[tuple[str, str], ...]
"""The fields of a model."""


def names_and_kinds(model: Model) -> NamesAndKinds:
    """The fields of a model, by which the types of its records are kept."""
    return tuple((row.name, row.kind) for row in model.fields.values())


@functools.cache
def list_of_records(fields: NamesAndKinds) -> Any:
    """The type of a list of records. Each has an id, and may lack fields or have others."""
    return _list_of([(name, kind) for name, kind in fields if name != "id"], (_WithId,))


@functools.cache
def list_of_fields(fields: NamesAndKinds) -> Any:
    """The type of a list of fields of records: some of a record, or all."""
    return _list_of(fields, ())


def _list_of(fields: Sequence[tuple[str, str]], bases: tuple[type[Struct], ...]) -> Any:
    one = msgspec.defstruct(
        "Record",
        [(f"f{number}", _TYPES.get(kind, _Plain), None) for number, (_, kind) in enumerate(fields)],
        bases=bases or None,
        rename={f"f{number}": name for number, (name, _) in enumerate(fields)},
        gc=False,
    )
    return list[one]  # type: ignore[valid-type]  # made when it is needed
