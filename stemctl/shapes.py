"""Whether data of others can be worked on: the shape of a value by the kind of its field."""

from __future__ import annotations

from stemctl.catalog import Field
from stemctl.records import Value


def fits(row: Field, value: Value, planned: bool = False) -> bool:
    """Whether a value has the shape of its field's kind, in any spelling that files and servers have.

    What is `planned` may refer to records that are not there yet, `{"$ref": address}`.
    """
    if value is None:
        return True
    match row.kind:
        case "json":
            return True
        case "map":
            return isinstance(value, dict) or (isinstance(value, list) and all(map(_is_pair, value)))
        case "items":
            return isinstance(value, list) and all(map(_is_item, value))
        case "list":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case "references":
            return isinstance(value, list) and all(_is_reference(one, planned) for one in value)
        case "reference":
            return _is_reference(value, planned)
        case _:
            return _is_plain(value)


def _is_plain(value: Value) -> bool:
    return not isinstance(value, list | dict)


def _is_reference(value: Value, planned: bool) -> bool:
    """An id or name; a record that a server includes has its id."""
    if not isinstance(value, dict):
        return isinstance(value, str)
    return planned and isinstance(value["$ref"], str) if "$ref" in value else isinstance(value.get("id"), str)


def _is_pair(value: Value) -> bool:
    return isinstance(value, dict) and {"name", "value"} <= value.keys() and isinstance(value["name"], str)


def _is_item(value: Value) -> bool:
    return isinstance(value, dict) and all(map(_is_plain, value.values()))
