"""A record, or a layer of defaults, from the node of a file that declares it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

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
    locations = layer.locations
    for name in ("key", "id"):
        if name in node.members:
            locations = {**locations, (name,): packed(node.members[name].event.start_mark)}
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
    locations: dict[Path, int | Location] = {}
    known, keys = model.fields, node.keys
    for name, child in node.members.items():
        rule = known.get(name)
        if rule is None or rule.read_only:
            continue
        value = child.value
        fields[name] = _texts(*value) if child.items and {*map(type, value)} == {str} else value
        mark, key = child.event.start_mark, keys[name].start_mark
        # A value that begins below its key has the location of the key.
        locations[_path(name)] = packed(mark if mark.line == key.line else key)
        if rule.merges:
            _add_elements(locations, rule, child)
    lifecycle = node.value.get("lifecycle")
    return Layer(fields, lifecycle if isinstance(lifecycle, dict) else {}, locations, broken)


@functools.lru_cache(10_000)
def _texts(*texts: str) -> list[str]:
    """The same list as one object: most records have their projects and tags in common. The values
    of records are never changed; those of defaults are shared as well.
    """
    return list(texts)


def _add_elements(locations: dict[Path, int | Location], rule: Field, node: Node) -> None:
    """The location of each element of a field that is merged by element."""
    for name, event in node.keys.items():
        locations[_path(rule.name, name)] = packed(event.start_mark)
    for item in node.items:
        element = item.value if type(item.value) is str else element_name(rule, item.value)
        locations[_path(rule.name, element)] = packed(item.event.start_mark)


@functools.lru_cache(10_000)
def _path(*steps: str) -> Path:
    """A path, as one object for all records."""
    return steps


def in_file(layer: Layer, file: str) -> Layer:
    """A layer whose locations name their file, for records of other files."""
    locations: dict[Path, int | Location] = {
        path: unpacked(file, location) if isinstance(location, int) else location
        for path, location in layer.locations.items()
    }
    return replace(layer, locations=locations)


_DEFAULT_LIFECYCLE = Lifecycle()


def _lifecycle(written: Mapping[str, Value]) -> Lifecycle:
    if not written:
        return _DEFAULT_LIFECYCLE
    ignored = written.get("ignore_changes")
    ignore_changes = tuple(ignored) if isinstance(ignored, list) else ()
    return Lifecycle(written.get("prevent_delete") is True, ignore_changes)
