"""Which change waits for which: per record, never per model."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.placeholders import placeholders_in
from stemctl.core.plan import Action, Change, Held
from stemctl.core.records import Address
from stemctl.planning.entries import without_entries
from stemctl.planning.identity import Key, identity_fields, keys_of
from stemctl.planning.values import expects, ids_in
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


def in_order(
    changes: list[Change], lives: Mapping[Address, Fields], catalog: Catalog
) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """The changes sorted by address, each with what it waits for; blocked if that will not happen.

    A change waits for the create whose id it needs, and for the change that frees a unique value
    that it takes. A delete waits for the changes that remove a reference to it. `lives` holds the
    live fields of every address that is on the server.
    """
    by_address = sorted(changes, key=lambda change: change.address)
    plan = {change.address: change for change in by_address}
    waits = {address: set[Address]() for address in plan}
    freed = _keys_freed(plan, lives, catalog)
    for address, change in plan.items():
        if change.request is not None:
            model, body = catalog.models[address.model], change.request.body or {}
            for request in change.requests:
                waits[address].update(_awaited(model, request.body or {}))
            for key in _keys_taken(model, body, lives.get(address, {})) if freed else ():
                waits[address] |= freed.get((address.model, key), set())
            waits[address] |= plan.keys() & set(change.waits)
            if model.embedded is not None:
                waits[address] |= _blocked_parent(change, plan, catalog)
            waits[address].discard(address)
    for deleted, other in _references_removed(plan, lives, catalog):
        waits[deleted].add(other)
    cycles = tuple(_cycles(plan, waits))
    ordered = tuple(_blocked(plan, waits))
    return tuple(_as_expected(change, plan, lives, catalog) for change in ordered), cycles


def _blocked_parent(
    change: Change, plan: Mapping[Address, Change], catalog: Catalog
) -> set[Address]:
    """The parent of an entry, if the plan holds an edit of it: the entry may be meant for that."""
    parent = catalog.parent_of(catalog.models[change.address.model])
    if parent is None or change.action is Action.DELETE:
        return set()
    address = Address(parent.name, change.address.key.rpartition("/")[0])
    is_held = address in plan and plan[address].held is Held.BLOCKED
    return {address} if is_held else set()


def _as_expected(
    change: Change,
    plan: Mapping[Address, Change],
    lives: Mapping[Address, Fields],
    catalog: Catalog,
) -> Change:
    """A delete expects its record without the references that the changes before it remove."""
    if change.action is not Action.DELETE or not change.waits or change.request is None:
        return change
    model, gone = catalog.models[change.address.model], ids_of(change.waits, plan)
    live = without_entries(catalog, model, lives[change.address], gone)
    return replace(change, expects=expects(model, live, (), gone))


def ids_of(addresses: Iterable[Address], changes: Mapping[Address, Change]) -> frozenset[str]:
    """The ids of the records that are changed at these addresses."""
    found = (changes[address].id for address in addresses if address in changes)
    return frozenset(id_ for id_ in found if id_ is not None)


def _awaited(model: Model, body: Fields) -> Iterator[Address]:
    """The records to be created that a body refers to."""
    for row in model.references:
        for text in placeholders_in(body.get(row.name)):
            yield Address.parse(text)


def _keys_freed(
    plan: Mapping[Address, Change], lives: Mapping[Address, Fields], catalog: Catalog
) -> dict[tuple[str, Key], set[Address]]:
    """(model, unique values) to the changes that free them: by other values, or by a delete."""
    freed: dict[tuple[str, Key], set[Address]] = {}
    for address, change in plan.items():
        model = catalog.models[address.model]
        unique = identity_fields(model)
        if change.action is Action.CREATE or all(f.path not in unique for f in change.fields):
            continue
        for key in keys_of(model, lives.get(address, {})):
            freed.setdefault((model.name, key), set()).add(address)
    return freed


def _keys_taken(model: Model, body: Fields, live: Fields) -> Iterator[Key]:
    """The unique values that a record has after a request, if the request sets some of them."""
    if not body.keys().isdisjoint(identity_fields(model)):
        yield from keys_of(model, {**live, **body})


def _references_removed(
    plan: Mapping[Address, Change], lives: Mapping[Address, Fields], catalog: Catalog
) -> Iterator[tuple[Address, Address]]:
    """(delete, change) where the change removes a reference to the deleted record."""
    deleted = {
        (address.model, change.id): address
        for address, change in plan.items()
        if change.action is Action.DELETE and change.id
    }
    if not deleted:
        return
    for address, change in plan.items():
        model, live = catalog.models[address.model], lives.get(address, {})
        for target in references_removed(change, model, live):
            if target in deleted and deleted[target] != address:
                yield deleted[target], address


def references_removed(change: Change, model: Model, live: Fields) -> Iterator[tuple[str, str]]:
    """(model, id) of what a record refers to, and does not any more after a change."""
    body = (change.request.body or {}) if change.request else {}
    for row in model.references:
        before = live.get(row.name)
        if not before or (row.name not in body and change.action is not Action.DELETE):
            continue
        after = frozenset(ids_in(body.get(row.name)))
        yield from ((row.to or "", id_) for id_ in ids_in(before) if id_ not in after)


def _cycles(
    plan: Mapping[Address, Change], waits: Mapping[Address, set[Address]]
) -> Iterator[Diagnostic]:
    in_plan = {
        address: {other for other in others if other in plan} for address, others in waits.items()
    }
    try:
        graphlib.TopologicalSorter(in_plan).prepare()
    except graphlib.CycleError as error:
        members = error.args[1]
        yield Diagnostic(
            Severity.ERROR,
            "cycle",
            f"these changes wait for each other: {' → '.join(map(str, members))}",
            location=plan[members[0]].location,
            remedy="first apply one of them without the part that needs the other, "
            "or give it a temporary name",
            address=str(members[0]),
        )


def _blocked(
    plan: Mapping[Address, Change], waits: Mapping[Address, set[Address]]
) -> Iterator[Change]:
    """Hold what waits for a change that is held, only proposed, or not in the plan.

    What waits for a blocked change is blocked too.
    """
    blocked: dict[Address, Change] = {}

    def stops(address: Address) -> bool:
        change = blocked.get(address, plan.get(address))
        if change is None or change.held is not None:
            return True
        return change.approval  # a proposal changes nothing yet

    progress = True
    while progress:
        progress = False
        for address, change in plan.items():
            if address in blocked or change.held is not None:
                continue
            stopping = tuple(sorted(other for other in waits[address] if stops(other)))
            if stopping:
                blocked[address] = replace(
                    change, held=Held.BLOCKED, request=None, then=(), waits=stopping
                )
                progress = True
    for address, change in plan.items():
        if address in blocked:
            yield blocked[address]
        elif change.held is not None:
            yield change
        else:
            yield replace(change, waits=tuple(sorted(waits[address])))
