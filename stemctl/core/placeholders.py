"""Placeholders for unknown ids: `{"$ref": "model/key"}` refers to a record that a plan creates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stemctl.core.records import Address
from stemctl.util.json_types import Value

_KEY = "$ref"


def placeholder(address: Address) -> dict[str, str]:
    """The placeholder for the id of a record until it is created."""
    return {_KEY: str(address)}


def is_placeholder(value: Value) -> bool:
    """Whether a value is a placeholder for an id that is not known yet."""
    return isinstance(value, dict) and value.keys() == {_KEY}


def text_of(value: Value) -> Value:
    """The address in a placeholder, as it was read: from a file, it may be anything."""
    return value[_KEY]


def placeholders_in(value: Value) -> Iterator[Value]:
    """The addresses in all placeholders of a value, as they were read."""
    if is_placeholder(value):
        yield text_of(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from placeholders_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from placeholders_in(inner)


def with_ids(value: Value, ids: Mapping[Address, str]) -> Value:
    """A value with the new ids in place of its placeholders."""
    if is_placeholder(value):
        return ids[Address.parse(text_of(value))]
    if isinstance(value, Mapping):
        return {key: with_ids(inner, ids) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_ids(inner, ids) for inner in value]
    return value
