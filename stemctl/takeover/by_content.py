"""Declared records without a unique name, matched with the live records that hold what they say.

A pull writes such a record to a file before its id is in the state. If it is killed in between, the
next pull finds the two again by what they hold; otherwise it would write the record twice. Only a
pull does so: it sends nothing, so a wrong match can create or change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.records import Address, Record
from stemctl.core.snapshot import Reading
from stemctl.core.state import Entry, State
from stemctl.planning.bindings import Absent
from stemctl.planning.content import ContentIndex
from stemctl.planning.declared import written_rows
from stemctl.planning.matching import identify
from stemctl.planning.values import same_as_sent
from stemctl.schema.models import Model
from stemctl.takeover.sides import Sides
from stemctl.takeover.take import is_default
from stemctl.util.json_types import Fields, Value


class ByContent(Struct):
    """The sides with what was matched. `alike` are live records, by model and id, that a declared
    one may be, where more than one comes into question.
    """

    sides: Sides
    alike: dict[tuple[str, str], Address] = field(default_factory=dict)


def match_by_content(sides: Sides) -> ByContent:
    """Match what can be matched, parents before what is inside them."""
    while True:
        pairs, alike = _pairs(sides)
        if not pairs:
            return ByContent(sides, alike)
        state = with_ids(sides.state, pairs)
        identities = identify(sides.repository, state, sides.snapshot, sides.catalog)
        sides = replace(sides, state=state, identities=identities)


def with_ids(state: State, ids: Mapping[Address, str]) -> State:
    """The state with these addresses bound, without a base. One that is bound otherwise is bound
    again, and so is an id that another address had.
    """
    owners = {(address.model, id_): address for address, id_ in ids.items()}
    records = {
        address: entry
        for address, entry in state.records.items()
        if owners.get((address.model, entry.id or ""), address) == address
    }
    for address, id_ in ids.items():
        entry = records.get(address, Entry())
        if entry.id != id_:
            records[address] = Entry(id_, prevent_delete=entry.prevent_delete)
    return replace(state, records=records)


def _pairs(sides: Sides) -> tuple[dict[Address, str], dict[tuple[str, str], Address]]:
    """The records that mean one live record each, and what else is alike."""
    wanted: dict[Address, list[str]] = {}
    claims: dict[tuple[str, str], list[Address]] = {}
    for model, records in _without_id(sides).items():
        table, reading = sides.catalog.models[model], sides.snapshot.readings[model]
        index = ContentIndex(table, _free(sides, table, reading))
        for record in records:
            found = list(_holding(sides, table, record, index))
            # A pull writes all that there is, so one that has no more is meant before others.
            found = [id_ for id_ in found if _says_all(table, record, index.records[id_])] or found
            wanted[record.address] = found
            for id_ in found:
                claims.setdefault((model, id_), []).append(record.address)
    pairs = {
        address: ids[0]
        for address, ids in wanted.items()
        if len(ids) == 1 and len(claims[address.model, ids[0]]) == 1
    }
    alike = {
        key: addresses[0]
        for key, addresses in claims.items()
        if not any(address in pairs for address in addresses)
    }
    return pairs, alike


def _without_id(sides: Sides) -> Mapping[str, list[Record]]:
    """The selected records that are alike and not bound yet, by model."""
    found: dict[str, list[Record]] = {}
    for address, binding in sides.identities.bindings.items():
        model = sides.catalog.models[address.model]
        if not model.nameless or not isinstance(binding, Absent) or binding.gone:
            continue
        if model.name in sides.snapshot.readings and sides.is_chosen(address):
            found.setdefault(model.name, []).append(sides.repository.records[address])
    return found


def _free(sides: Sides, model: Model, reading: Reading) -> Mapping[str, Fields]:
    """The live records that no address has."""
    bound = sides.bound_ids(model.name)
    return {id_: fields for id_, fields in reading.records.items() if id_ not in bound}


def _says_all(model: Model, record: Record, live: Fields) -> bool:
    """Whether a live record has nothing that a declared one leaves out."""
    return all(
        row.name in record.fields or is_default(row, live.get(row.name))
        for row in model.managed
        if row.shown and not row.proposal
    )


def _holding(sides: Sides, model: Model, record: Record, index: ContentIndex) -> Iterator[str]:
    """The ids of the live records that have all that a declared one says."""
    body: dict[str, Value] = {
        row.name: sides.resolver.known(row, record.fields[row.name])
        for row in written_rows(model, record)
        if row.shown and not row.proposal
    }
    for id_ in dict.fromkeys(index.like(body)):
        live = index.records[id_]
        if all(name in live and same_as_sent(model.fields[name], body, live) for name in body):
            yield id_
