"""Whether data of others can be worked on: the shape of a value by the kind of its field."""

from __future__ import annotations

from collections.abc import Callable

from stemctl.schema.fields import Field
from stemctl.util.json_types import Value


def fits(row: Field, value: Value, planned: bool = False) -> bool:
    """Whether a value has the shape of its field's kind, in any spelling of files and servers.

    What is `planned` may refer to records that are not there yet, `{"$ref": address}`.
    """
    shape = _SHAPES.get(row.kind)
    return _is_plain(value) if shape is None else value is None or shape(value, planned)


def _is_anything(value: Value, planned: bool) -> bool:
    return True


def _is_map(value: Value, planned: bool) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and all(map(_is_pair, value)))


def _are_members(value: Value, planned: bool) -> bool:
    if value == []:  # how some servers write an empty map
        return True
    return isinstance(value, dict) and all(isinstance(rights, dict) for rights in value.values())


def _is_items(value: Value, planned: bool) -> bool:
    return isinstance(value, list) and all(map(_is_item, value))


def _is_texts(value: Value, planned: bool) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_references(value: Value, planned: bool) -> bool:
    return isinstance(value, list) and all(
        type(one) is str or _is_reference(one, planned) for one in value
    )


def _is_plain(value: Value) -> bool:
    return not isinstance(value, (list, dict))


def _is_reference(value: Value, planned: bool) -> bool:
    """An id or name; a record that a server includes has its id."""
    if not isinstance(value, dict):
        return isinstance(value, str) or type(value) is int  # some ids are numbers
    return (
        planned and isinstance(value["$ref"], str)
        if "$ref" in value
        else isinstance(value.get("id"), str)
    )


def _is_pair(value: Value) -> bool:
    return (
        isinstance(value, dict)
        and {"name", "value"} <= value.keys()
        and isinstance(value["name"], str)
    )


def _is_item(value: Value) -> bool:
    return isinstance(value, dict) and all(map(_is_plain, value.values()))


_SHAPES: dict[str, Callable[[Value, bool], bool]] = {
    "json": _is_anything,
    "details": _is_anything,
    "members": _are_members,
    "map": _is_map,
    "items": _is_items,
    "list": _is_texts,
    "references": _are_references,
    "reference": _is_reference,
}
