"""Which live record a declared one is, for all records: parents before what is nested in them."""

from __future__ import annotations

import functools
import graphlib
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import State
from stemctl.planning.bindings import Absent, Binding, Bound, Identities, Unknown
from stemctl.planning.finder import Contradiction, Finder
from stemctl.planning.identity import Key, Resolve, identity_words
from stemctl.planning.moves import Entries, after_moves
from stemctl.planning.references import Resolver
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value


def identify(
    repository: Repository, state: State, snapshot: Snapshot, catalog: Catalog
) -> Identities:
    """Bind every declared record of the repository."""
    entries = after_moves(repository, state, catalog)
    bindings: dict[Address, Binding] = {}
    problems: list[Diagnostic] = []
    resolve = _part_resolver(repository, state, snapshot, catalog, bindings=bindings)
    finders = {
        name: Finder(repository, entries, catalog.models[name], reading, snapshot, resolve)
        for name, reading in _readings(repository, snapshot, catalog).items()
    }
    by_model: dict[str, list[Record]] = {}
    for address, record in repository.records.items():
        by_model.setdefault(address.model, []).append(record)
    for name in _binding_order(catalog):
        if name in finders:
            entries.follow_parents(catalog.models[name], finders[name].reading.records)
        for record in by_model.get(name, ()):
            try:
                binding = finders[name].bind(record)
            except Contradiction as error:
                problems.append(error.diagnostic)
                binding = Unknown()
            bindings[record.address] = _renamed(binding, record.address, entries)
        problems += _same_key(by_model.get(name, ()), bindings, finders.get(name))
    for address, entry in entries.by_address.items():
        if address not in repository.records and entry.id is None and address.model in finders:
            sent = finders[address.model].by_sending(entry, None)
            if isinstance(sent, Bound):  # its file was removed before the answer arrived
                entries.by_address[address] = replace(entry, id=sent.id)
    bindings = {address: bindings[address] for address in repository.records}
    problems += _claimed_twice(repository, bindings)
    renamed = {
        binding.previous_address for binding in bindings.values() if isinstance(binding, Bound)
    }
    declared_or_renamed = repository.records.keys() | renamed
    leftovers = {
        address: entry
        for address, entry in entries.by_address.items()
        if address not in declared_or_renamed
    }
    return Identities(bindings, leftovers, entries.by_address, entries.previous, tuple(problems))


def _renamed(binding: Binding, address: Address, entries: Entries) -> Binding:
    """The binding with the address that the record had; its children take over their part of it."""
    if address in entries.previous and not isinstance(binding, Unknown):
        return replace(binding, previous_address=entries.previous[address])
    if isinstance(binding, Bound) and binding.previous_address is not None:
        entries.take_along(binding.previous_address, address)
    return binding


@functools.cache
def _binding_order(catalog: Catalog) -> tuple[str, ...]:
    """The models, each after those that its identity refers to, and after its parent."""
    before: dict[str, set[str]] = {}
    for model in catalog.models.values():
        fields = [name for group in model.together_unique for name in group]
        fields += [model.parent] if model.parent else []
        targets = {model.fields[name].to for name in fields}
        before[model.name] = {name for name in targets if name and name != model.name}
    try:
        return tuple(n for n in graphlib.TopologicalSorter(before).static_order() if n in before)
    except graphlib.CycleError:
        return tuple(before)


def _part_resolver(
    repository: Repository,
    state: State,
    snapshot: Snapshot,
    catalog: Catalog,
    *,
    bindings: Mapping[Address, Binding],
) -> Resolve:
    """Resolves references that are part of an identity, from the bindings made so far."""

    @functools.cache
    def resolver() -> Resolver:
        return Resolver(
            catalog, repository, snapshot, state=state, identities=Identities(bindings, {})
        )

    def resolve(row: Field, value: Value) -> Value:
        return resolver().known(row, value) if row.to else value

    return resolve


def _readings(repository: Repository, snapshot: Snapshot, catalog: Catalog) -> dict[str, Reading]:
    """What was read of each model; nothing for a model that is declared but was not read."""
    declared = {address.model for address in repository.records}
    unread = {name: Reading(name, Completeness.PARTIAL, {}, reason="not read") for name in declared}
    readings = {**unread, **snapshot.readings}
    return {name: reading for name, reading in readings.items() if name in catalog.models}


def _same_key(
    records: Sequence[Record], bindings: Mapping[Address, Binding], finder: Finder | None
) -> Iterator[Diagnostic]:
    """A finding for each new record with the identity of another; unique fields are compared when
    the files are read.
    """
    if finder is None or not finder.model.together_unique:
        return
    model = finder.model
    first: dict[Key, Record] = {}
    for record in records:
        if not isinstance(bindings[record.address], Absent):
            continue
        for key in finder.keys_of(record):
            other = first.setdefault(key, record)
            if other is not record:
                yield _duplicate(record, other, model)
                break


def _duplicate(record: Record, other: Record, model: Model) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "duplicate-name",
        f"two {model.count(2).partition(' ')[2]} have the same {identity_words(model)}",
        location=record.location,
        remedy=f"also in {other.location.file}:{other.location.line}",
        address=str(record.address),
    )


def _claimed_twice(
    repository: Repository, bindings: Mapping[Address, Binding]
) -> Iterator[Diagnostic]:
    """A finding for each record that another address is bound to as well."""
    ids = [(address.model, b.id) for address, b in bindings.items() if isinstance(b, Bound)]
    if len(set(ids)) == len(ids):
        return
    first: dict[tuple[str, str], Address] = {}
    for address, binding in bindings.items():
        if not isinstance(binding, Bound):
            continue
        other = first.setdefault((address.model, binding.id), address)
        if other != address:
            yield Diagnostic(
                Severity.ERROR,
                "duplicate-id",
                f"{address} and {other} are the same record on the server, id {binding.id}",
                location=repository.records[address].location,
                remedy=f"see {repository.records[other].location}; keep one of them, "
                "or list the new key under moved:",
                address=str(address),
            )
