"""Live records that no address has: which of them a pull writes, and which it leaves.

Nothing tells two records apart that have one name, or are equal: which of them is meant is for
people to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field

from stemctl.core.snapshot import Reading
from stemctl.planning.identity import keys_of
from stemctl.planning.values import canonical, ids_in
from stemctl.schema.models import Model
from stemctl.util.canonical_json import hash_of
from stemctl.util.json_types import Fields


class Twins(Struct, frozen=True):
    """Live records of one model, by id, that have one `name`, or are equal. `declared` are the ids
    of those that have an address.
    """

    model: Model
    name: str
    records: Mapping[str, Fields]
    declared: frozenset[str] = frozenset()

    @property
    def open(self) -> tuple[str, ...]:
        """The ids of those without an address."""
        return tuple(id_ for id_ in self.records if id_ not in self.declared)


class Unbound(Struct):
    """The records of one model without an address, and those among them that have a twin."""

    model: Model
    records: Mapping[str, Fields]
    twins: list[Twins] = field(default_factory=list)


def unbound_records(model: Model, reading: Reading, bound: Collection[str]) -> Unbound:
    """The live records whose ids are not among those that are bound."""
    records = {id_: fields for id_, fields in reading.records.items() if id_ not in bound}
    found = Unbound(model, records)
    if records:
        found.twins += _twins(model, reading.records, records)
    return found


def _twins(
    model: Model, everything: Mapping[str, Fields], open_: Collection[str]
) -> Iterator[Twins]:
    """The groups of records that cannot be distinguished, with at least one that has no address."""
    groups: dict[object, list[str]] = {}
    for id_, fields in everything.items():
        for mark in _marks(model, fields):
            groups.setdefault(mark, []).append(id_)
    seen: set[str] = set()
    for ids in groups.values():
        if len(ids) < 2 or not any(id_ in open_ for id_ in ids) or seen.issuperset(ids):
            continue
        seen.update(ids)
        name = name_of(model, everything[ids[0]])
        group = {id_: everything[id_] for id_ in ids}
        yield Twins(model, name, group, frozenset(group) - frozenset(open_))


def _marks(model: Model, fields: Fields) -> Iterable[object]:
    """What no two records should share: what is unique, a name inside one parent, or all of it."""
    if not model.nameless:
        return keys_of(model, fields)
    parent = next(ids_in(fields.get(model.parent)), "") if model.parent else ""
    name = name_of(model, fields)
    if name:
        return [("name", parent, name)]
    rows = [row for row in model.managed if row.shown and not row.proposal]
    return [hash_of([canonical(row, fields.get(row.name)) for row in rows])]


def name_of(model: Model, fields: Fields) -> str:
    """What people call a live record; empty if they do not."""
    name = fields.get(model.called or "")
    return name.strip() if isinstance(name, str) else ""
