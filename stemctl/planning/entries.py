"""Records that live inside a field of their parent, as records like any other: read from the
reading of their parents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from stemctl.core.entry_ids import entry_id, moment_of, parent_id
from stemctl.core.snapshot import Completeness, Lookup, Reading
from stemctl.planning.needs import Need
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.schema.value_shapes import fits
from stemctl.util.json_types import Fields, Value

_NO_NAMES: tuple[Lookup, ...] = ()


def entries_in(model: Model, parent: Fields) -> list[tuple[str, Fields]]:
    """The entries inside a live record, each with its id; two at one moment have the same.

    An entry without a moment that can be read is left out: no action could name it.
    """
    assert model.embedded is not None
    assert model.parent is not None
    within = str(parent["id"])
    found: list[tuple[str, Fields]] = []
    for entry in _objects(parent.get(model.embedded.within)):
        id_ = _id_of(model, parent, entry)
        if id_ is not None:
            found.append((id_, {**entry, model.parent: within, "id": id_}))
    return found


def unreadable(model: Model, parent: Fields) -> str:
    """Why a live record does not tell which entries it has; empty if it does.

    Who took such a record for one without entries would add them a second time.
    """
    assert model.embedded is not None
    name = model.embedded.within
    value = parent.get(name)
    if name not in parent:
        return f"record {parent['id']} came without its {name}"
    if value is None or (isinstance(value, list) and all(isinstance(e, dict) for e in value)):
        return ""
    return f"the {name} of record {parent['id']} do not have the documented type"


def derived_reading(model: Model, parents: Reading, ids: Collection[str]) -> Reading:
    """The reading of the entries inside records that were read; `ids` are those that are known.

    An entry is missing if its parent was read without it, or is missing itself.
    """
    records: dict[str, Fields] = {}
    wrong = ""
    for parent in parents.records.values():
        wrong = wrong or unreadable(model, parent)
        for id_, entry in entries_in(model, parent):
            records.setdefault(id_, entry)
            wrong = wrong or _misfit(model, entry)
    there = parents.records
    gone = {id_ for id_ in ids if parent_id(id_) in there and id_ not in records}
    wrong = wrong or _without_moment(model, [there[parent_id(id_)] for id_ in gone])
    missing = gone | {id_ for id_ in ids if parent_id(id_) in parents.missing}
    hidden = {id_ for id_ in ids if parent_id(id_) in parents.hidden}
    reason = wrong or ("" if parents.sound else parents.reason)
    completeness = Completeness.PARTIAL if reason else Completeness.COMPLETE
    if parents.completeness is Completeness.DENIED:
        completeness = Completeness.DENIED
    return Reading(
        model.name,
        completeness,
        records,
        len(records),
        missing=frozenset(missing),
        hidden=frozenset(hidden),
        reason=reason,
    )


def _without_moment(model: Model, parents: Collection[Fields]) -> str:
    """Which of these records has an entry with a moment that cannot be read: it may be one that
    seems to be gone.
    """
    assert model.embedded is not None
    within = model.embedded.within
    for parent in parents:
        if any(_id_of(model, parent, entry) is None for entry in _objects(parent.get(within))):
            return f"an entry of record {parent['id']} has no time that can be read"
    return ""


def ids_listed(catalog: Catalog, model: Model, live: Fields, name: str) -> Value:
    """A list in a record by the ids of what it lists: of other records, or of entries."""
    listed = live.get(name)
    child = _child_within(catalog, model, name)
    if child is None:
        return listed
    return [_id_of(child, live, entry) or _UNREADABLE for entry in _objects(listed)]


def without_entries(
    catalog: Catalog, model: Model, live: Fields, ids: Collection[str]
) -> dict[str, Value]:
    """A record without some of the entries inside it."""
    found = dict(live)
    for name in live if ids else ():
        child = _child_within(catalog, model, name)
        if child is not None:
            entries = _objects(live[name])
            found[name] = [entry for entry in entries if _id_of(child, live, entry) not in ids]
    return found


_UNREADABLE = "unreadable"
"""Stands for the id of an entry whose moment cannot be read: stemctl does not manage it."""


def _child_within(catalog: Catalog, model: Model, name: str) -> Model | None:
    """The model of the entries that a field holds."""
    children = catalog.children(model)
    return next((c for c in children if c.embedded and c.embedded.within == name), None)


def _id_of(model: Model, parent: Fields, entry: Fields) -> str | None:
    moment = moment_of(model, entry)
    return None if moment is None else entry_id(str(parent["id"]), moment)


def twice(model: Model, parent: Fields) -> frozenset[str]:
    """The ids that several entries of a record share: no action could tell these apart."""
    numbers = Counter(id_ for id_, _ in entries_in(model, parent))
    return frozenset(id_ for id_, number in numbers.items() if number > 1)


def with_parents(needs: Mapping[str, Need], catalog: Catalog) -> dict[str, Need]:
    """What has to be read from the server for these needs: entries are inside their parents."""
    wanted = {name: need for name, need in needs.items() if not catalog.models[name].embedded}
    for name in needs.keys() - wanted.keys():
        parent = catalog.parent_of(catalog.models[name])
        assert parent is not None
        need = wanted.get(parent.name, Need())
        ids = dict.fromkeys(map(parent_id, needs[name].ids), _NO_NAMES)
        wanted[parent.name] = replace(need, ids={**ids, **need.ids})
    return wanted


def with_entries(
    readings: Mapping[str, Reading], needs: Mapping[str, Need], catalog: Catalog
) -> dict[str, Reading]:
    """The readings, and those of the entries inside the records that were read."""
    found = dict(readings)
    for name, need in needs.items():
        model = catalog.models[name]
        parent = catalog.parent_of(model) if model.embedded else None
        if parent is not None:
            found[name] = derived_reading(model, readings[parent.name], need.ids)
    return found


def _objects(value: Value) -> Iterator[Mapping[str, Value]]:
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, dict))


def _misfit(model: Model, entry: Fields) -> str:
    for name, value in entry.items():
        row = model.fields.get(name)
        if row is not None and not fits(row, value):
            return f"the {name} of entry {entry['id']} does not have the documented type"
    return ""
