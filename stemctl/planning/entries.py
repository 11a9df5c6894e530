"""Records that live inside a field of their parent, as records like any other: read from the
reading of their parents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from stemctl.core.entry_ids import entry_id, moment_of, parent_id
from stemctl.core.snapshot import Completeness, Lookup, Reading
from stemctl.planning.needs import Need
from stemctl.schema.catalog import Catalog, Model
from stemctl.schema.value_shapes import fits
from stemctl.util.json_types import Fields, Value

_NO_NAMES: frozenset[Lookup] = frozenset()


def entries_in(model: Model, parent: Fields) -> list[tuple[str, Fields]]:
    """The entries inside a live record, each with its id; two at one moment have the same.

    An entry without a moment that can be read is left out: no action could name it.
    """
    assert model.embedded is not None
    assert model.parent is not None
    id_ = str(parent["id"])
    found: list[tuple[str, Fields]] = []
    for entry in _objects(parent.get(model.embedded.within)):
        moment = moment_of(model, entry)
        if moment is not None:
            id_of_entry = entry_id(id_, moment)
            found.append((id_of_entry, {**entry, model.parent: id_, "id": id_of_entry}))
    return found


def derived_reading(model: Model, parents: Reading, ids: Collection[str]) -> Reading:
    """The reading of the entries inside records that were read; `ids` are those that are known.

    An entry is missing if its parent was read without it, or is missing itself.
    """
    records: dict[str, Fields] = {}
    wrong = ""
    for parent in parents.records.values():
        for id_, entry in entries_in(model, parent):
            records.setdefault(id_, entry)
            wrong = wrong or _misfit(model, entry)
    there = parents.records
    gone = {id_ for id_ in ids if parent_id(id_) in there and id_ not in records}
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
