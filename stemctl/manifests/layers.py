"""Defaults of a file or folder, and how a record's own values are merged over them."""

from __future__ import annotations

import array
import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.records import Location
from stemctl.schema.fields import Field
from stemctl.util.json_types import Path, Value

_LINE = 27
"""Bits of a column: files are not larger than 64 MiB. There are many locations, so each is kept as
one number.
"""

_COLUMN = (1 << _LINE) - 1
_BYTES = 8


class Locations(Mapping[Path, Location]):
    """Where the values of a record are written.

    A packed number is a location in the record's own file; defaults of other files have a Location.
    Every record has locations and few are ever used, so they are small, and searched one by one.
    Most records have the same paths.
    """

    __slots__ = ("_file", "_packed", "_paths")

    def __init__(self, file: str, packed: Mapping[Path, int | Location]) -> None:
        self._file = file
        self._paths = _shared(tuple(packed))
        self._packed: bytes | tuple[int | Location, ...]
        try:
            numbers: Any = packed.values()
            self._packed = array.array("Q", numbers).tobytes()
        except TypeError:
            self._packed = tuple(packed.values())

    def __getitem__(self, path: Path) -> Location:
        try:
            position = self._paths.index(path)
        except ValueError:
            raise KeyError(path) from None
        if isinstance(self._packed, bytes):
            number = self._packed[position * _BYTES : (position + 1) * _BYTES]
            return unpacked(self._file, int.from_bytes(number, sys.byteorder))
        packed = self._packed[position]
        return packed if isinstance(packed, Location) else unpacked(self._file, packed)

    def __iter__(self) -> Iterator[Path]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


@functools.lru_cache(1_000)
def _shared(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The same paths, as one object for all records."""
    return paths


def packed(mark: Any) -> int:
    """The place of a mark of the parser as one number."""
    number: int = mark.line << _LINE | mark.column
    return number


def unpacked(file: str, number: int) -> Location:
    """The location of a packed number."""
    return Location(file, (number >> _LINE) + 1, (number & _COLUMN) + 1)


class Layer(Struct, frozen=True):
    """The values of one record or of defaults: fields, lifecycle, and where they are written: the
    location of each field and of the elements of those that are merged.

    `idle` are sets and maps that are written empty, and have the elements of defaults all the same.
    """

    fields: dict[str, Value] = field(default_factory=dict)
    lifecycle: dict[str, Value] = field(default_factory=dict)
    locations: dict[Path, int | Location] = field(default_factory=dict)
    broken: bool = False
    idle: tuple[str, ...] = ()

    def over(self, below: Layer, model_fields: Mapping[str, Field]) -> Layer:
        """This layer over another one: sets and maps are merged, everything else is replaced.

        Fields that `no_defaults` names are not taken from below, nor are details of another type.
        """
        refused = _names(self.lifecycle, "no_defaults")
        taken = {
            name: value
            for name, value in below.fields.items()
            if name not in refused
            and not self._is_of_other_type(model_fields[name], below, refused)
        }
        fields = self.fields | {
            name: value for name, value in taken.items() if name not in self.fields
        }
        joined = [name for name in taken if name in self.fields and model_fields[name].merges]
        for name in joined:
            fields[name] = merged(model_fields[name], below.fields[name], self.fields[name])
        idle = [name for name in joined if fields[name] and self.fields[name] in ([], {})]
        hidden = self.fields.keys() - joined
        locations = {
            path: location
            for path, location in below.locations.items()
            if path[0] in taken and path[0] not in hidden
        }
        for path, location in self.locations.items():
            if path[0] not in idle:
                locations[path] = location
        return Layer(
            fields,
            merged_lifecycle(below.lifecycle, self.lifecycle),
            locations,
            self.broken or below.broken,
            tuple(idle),
        )

    def _is_of_other_type(self, rule: Field, below: Layer, refused: Sequence[str]) -> bool:
        """Whether a field has details, and those of the layer below are of another type."""
        if rule.details is None or rule.details.of_parent:
            return False
        selector = rule.details.selector
        if selector in refused:
            return True
        own = self.fields.get(selector)
        return own is not None and own != below.fields.get(selector)

    def inside(self, field: str, parent: str, written: Mapping[str, Value]) -> Layer:
        """This layer for a record inside another one, which its `field` refers to wherever the
        defaults lead. If the record has not `written` it, nothing in the file stands for it.
        """
        locations = self.locations
        if (field,) in locations and field not in written:
            locations = {path: found for path, found in locations.items() if path[0] != field}
        return replace(self, fields={**self.fields, field: parent}, locations=locations)


def merged(rule: Field, below: Value, above: Value) -> Value:
    """Two values of a field, merged by element; `above` if one of them has no elements."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **above}
    if not (isinstance(below, list) and isinstance(above, list)):
        return above
    elements = {element_name(rule, item): item for item in below}
    elements.update((element_name(rule, item), item) for item in above)
    return list(elements.values())


def element_name(rule: Field, item: Value) -> str:
    """The key of a list element, by which lists are merged."""
    name = item.get(rule.by) if rule.by and isinstance(item, dict) else item
    return name if isinstance(name, str) else repr(name)


def merged_lifecycle(below: Mapping[str, Value], above: Mapping[str, Value]) -> dict[str, Value]:
    """The lifecycle of two layers. Their lists of ignored fields are joined."""
    merged = {**below, **above}
    ignored = (*_names(below, "ignore_changes"), *_names(above, "ignore_changes"))
    if ignored:
        merged["ignore_changes"] = list(dict.fromkeys(ignored))
    return merged


def _names(lifecycle: Mapping[str, Value], key: str) -> list[str]:
    """The field names under a key of a lifecycle, which may have errors."""
    names = lifecycle.get(key)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
