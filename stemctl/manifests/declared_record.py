"""A record, or a layer of defaults, from the node of a file that declares it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from stemctl.core.records import Address, Lifecycle, Location, Record
from stemctl.manifests.document import Node
from stemctl.manifests.layers import Layer, Locations, element_name, packed, unpacked
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Path, Value


def declared_record(
    address: Address, node: Node, layer: Layer, file: str, parent: Record | None = None
) -> Record:
    """The record that `node` declares, with the values of its layer."""
    own = node.value
    id_ = own.get("id")
    locations: dict[Path, int | Location] = {}
    for by_path in layer.locations.values():
        locations.update(by_path)
    for name in ("key", "id"):
        if name in node.members:
            locations[name,] = _packed(node.members[name].event.start_mark)
    mark = node.event.start_mark
    return Record(
        address,
        layer.fields,
        Location(file, mark.line + 1, mark.column + 1),
        id_ if isinstance(id_, str) else None,
        _lifecycle(layer.lifecycle),
        Locations(file, locations),
        parent.address if parent else None,
    )


def written_layer(node: Node, model: Model, broken: bool = False) -> Layer:
    """The fields written in a mapping, with their locations."""
    fields: dict[str, Value] = {}
    locations: dict[str, dict[Path, int | Location]] = {}
    known = model.fields
    for name, child in node.members.items():
        rule = known.get(name)
        if rule is None or rule.read_only:
            continue
        fields[name] = child.value
        locations[name] = _locations(rule, node.keys[name], child)
    lifecycle = node.value.get("lifecycle")
    return Layer(fields, lifecycle if isinstance(lifecycle, dict) else {}, locations, broken)


def _locations(rule: Field, key: Any, node: Node) -> dict[Path, int | Location]:
    """The location of a field, and of its elements if it is merged by element."""
    mark = node.event.start_mark
    if (
        mark.line != key.start_mark.line
    ):  # a value that begins below its key has the location of the key
        mark = key.start_mark
    locations: dict[Path, int | Location] = {_path(rule.name): _packed(mark)}
    if rule.merges:
        for name, event in node.keys.items():
            locations[_path(rule.name, name)] = _packed(event.start_mark)
        for item in node.items:
            path = _path(rule.name, element_name(rule, item.value))
            locations[path] = _packed(item.event.start_mark)
    return locations


@functools.lru_cache(10_000)
def _path(*steps: str) -> Path:
    """A path, as one object for all records."""
    return steps


def _packed(mark: Any) -> int:
    return packed(mark.line, mark.column)


def in_file(layer: Layer, file: str) -> Layer:
    """A layer whose locations name their file, for records of other files."""

    def named(location: int | Location) -> Location:
        return unpacked(file, location) if isinstance(location, int) else location

    locations: dict[str, dict[Path, int | Location]] = {}
    for name, by_path in layer.locations.items():
        locations[name] = {path: named(location) for path, location in by_path.items()}
    return replace(layer, locations=locations)


_DEFAULT_LIFECYCLE = Lifecycle()


def _lifecycle(written: Mapping[str, Value]) -> Lifecycle:
    if not written:
        return _DEFAULT_LIFECYCLE
    ignored = written.get("ignore_changes")
    ignore_changes = tuple(ignored) if isinstance(ignored, list) else ()
    return Lifecycle(written.get("prevent_delete") is True, ignore_changes)
