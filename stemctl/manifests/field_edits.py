"""Edits of fields: each value goes where it is written.

A value of the record changes in the record. A value that comes from defaults changes there if every
record that uses it changes alike, and else the record gets a value of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from stemctl.core.records import Address
from stemctl.manifests.editor.differences import differences
from stemctl.manifests.editor.edits import Edit, Put, Take
from stemctl.manifests.field_layers import (
    GONE,
    NO_DEFAULTS,
    Delta,
    Gone,
    Origin,
    delta,
    elements,
    names,
    origin,
    value_of,
)
from stemctl.manifests.sources import DefaultPlace, Sources
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Path, Value

Wanted = Mapping[Address, Mapping[str, "Value | Gone"]]
"""The values that fields of records are to have; GONE for those that are to have none."""


class FieldEdits(Struct):
    """The edits by file, for all fields that are to change."""

    sources: Sources
    wanted: Wanted
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    about: dict[str, set[Address]] = field(default_factory=dict)
    """The records that the edits of a file are about."""
    _cut: dict[Address, list[str]] = field(default_factory=dict)
    """The fields that a record is to take nothing of from defaults."""
    _settled: set[tuple[str, Path]] = field(default_factory=set)
    _common: dict[tuple[str, Path], Delta | None] = field(default_factory=dict)

    def gather(self) -> None:
        """Gather the edits of all wanted fields."""
        for address, fields in self.wanted.items():
            for name, value in fields.items():
                self._field(address, name, value)
        for address, cut in self._cut.items():
            self._without_defaults(address, cut)

    def _field(self, address: Address, name: str, value: Value | Gone) -> None:
        rule = self.sources.catalog.models[address.model].fields[name]
        found = origin(self.sources, address, rule)
        own = value
        if found.below:
            place = found.below[0][0]
            kept, shared = _parted(rule, found, value)
            if shared and shared == self._common_change(place, rule):
                self._in_defaults(address, place, rule, shared, stays=value is not GONE)
            elif shared.gone:
                kept = dict(elements(rule, value))
                self._cut.setdefault(address, []).append(name)
                if not kept:  # empty is a value, too: it clears the field
                    self._in_record(address, rule, found.own, value)
                    return
            else:
                kept |= shared.new
            own = value_of(rule, kept, value) if kept else GONE
        self._in_record(address, rule, found.own, own)

    def _in_record(
        self, address: Address, rule: Field, old: Value | Gone, new: Value | Gone
    ) -> None:
        place = self.sources.place(address)
        path = (*place.path, rule.name)
        order = key_order(self.sources.catalog.models[address.model], self.sources)
        if new is GONE:
            edits: list[Edit] = [] if old is GONE else [Take(path)]
        elif old is GONE:
            edits = [Put(path, new, order)]
        else:
            edits = differences(path, old, new)
        self.add(place.file, address, edits)

    def _in_defaults(
        self, address: Address, place: DefaultPlace, rule: Field, change: Delta, *, stays: bool
    ) -> None:
        """Change the defaults, once for all records that use them. A field that `stays` and has no
        elements any more is written empty, which clears it.
        """
        path = (*place.path, rule.name)
        key = (place.file, path)
        if key in self._settled:
            self.about.setdefault(place.file, set()).add(address)
            return
        self._settled.add(key)
        old = place.values[rule.name]
        parts = {n: part for n, part in elements(rule, old).items() if n not in change.gone}
        parts.update(change.new)
        edits: list[Edit] = [Take(path)]
        if parts or (stays and rule.merges):
            edits = differences(path, old, value_of(rule, parts, old))
        self.add(place.file, address, edits)

    def _without_defaults(self, address: Address, cut: list[str]) -> None:
        """Let a record take nothing of these fields from defaults."""
        file, path = self.sources.place(address)
        written = self.sources.written(address)
        lifecycle = written.get("lifecycle")
        there = dict(lifecycle) if isinstance(lifecycle, dict) else {}
        new = {**there, NO_DEFAULTS: [*names(written), *cut]}
        order = key_order(self.sources.catalog.models[address.model], self.sources)
        path = (*path, "lifecycle")
        edits: list[Edit] = [Put(path, new, order)]
        if there:
            edits = differences(path, there, new)
        self.add(file, address, edits)

    def _common_change(self, place: DefaultPlace, rule: Field) -> Delta | None:
        """How the value of these defaults changes for every record that takes it; None if not all
        of them change alike, or if what goes would still come from defaults further away.
        """
        key = (place.file, (*place.path, rule.name))
        if key not in self._common:
            self._common[key] = self._find_common_change(place, rule)
        return self._common[key]

    def _find_common_change(self, place: DefaultPlace, rule: Field) -> Delta | None:
        common: Delta | None = None
        for address in self.sources.beside(place):
            found = origin(self.sources, address, rule)
            if not any(one == place for one, _ in found.below):
                continue
            wanted = self.wanted.get(address, {})
            if rule.name not in wanted or found.below[0][0] != place:
                return None
            _, shared = _parted(rule, found, wanted[rule.name])
            if (common is not None and shared != common) or not found.can_lose(rule, shared.gone):
                return None
            common = shared
        return common

    def add(self, file: str, address: Address, edits: list[Edit]) -> None:
        """Edits of a file, which are about a record."""
        if edits:
            self.edits.setdefault(file, []).extend(edits)
            self.about.setdefault(file, set()).add(address)


def _parted(rule: Field, found: Origin, wanted: Value | Gone) -> tuple[dict[str, Value], Delta]:
    """The elements that the record itself writes and keeps, and how those that it takes from
    defaults have to change.
    """
    below, mine = elements(rule, found.inherited(rule)), elements(rule, found.own)
    parts = elements(rule, wanted)
    change = delta({**below, **mine}, parts)
    shared = Delta(
        {name: part for name, part in change.new.items() if name not in mine},
        {name for name in change.gone if name in below},
    )
    return {name: part for name, part in parts.items() if name in mine}, shared


def key_order(model: Model, sources: Sources) -> tuple[str, ...]:
    """The order of the keys of a record: what names it, its fields, and the lists inside it."""
    fields = [row.name for row in model.managed]
    lists = [child.section for child in sources.catalog.children(model)]
    return ("key", "id", *fields, *lists, "lifecycle")
