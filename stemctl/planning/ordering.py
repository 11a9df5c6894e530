"""Which change waits for which: per record, never per model."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import Action, Change, Held
from stemctl.core.records import Address
from stemctl.planning.bindings import Bound, Identities, identity_of
from stemctl.schema.catalog import Catalog
from stemctl.util.json_types import Fields, Value


def in_order(
    changes: list[Change], identities: Identities, lives: Mapping[Address, Fields], catalog: Catalog
) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """The changes sorted by address, each with what it waits for; blocked where that will not happen.

    A change waits for the create whose id it needs and for the change that frees a unique value it
    takes; a delete waits for what drops a reference to it. `lives` holds the live fields of what is
    on the server.
    """
    plan = {change.address: change for change in sorted(changes, key=lambda c: c.address)}
    waits = {address: set[Address]() for address in plan}
    freed = _names_given_up(plan, identities, catalog)
    for address, change in plan.items():
        if change.request is not None:
            name = identity_of(catalog.models[address.model], change.request.body or {})
            waits[address] |= _needed(change.request.body) | freed.get(
                (address.model, name or ""), set()
            )
            waits[address].discard(address)
    for address, other in _dropping(plan, lives, catalog):
        waits[address].add(other)
    cycles = tuple(_cycles(plan, waits))
    return tuple(_blocked(plan, waits)), cycles


def _needed(body: Value) -> set[Address]:
    """The addresses that a body refers to because their ids are not known yet."""
    if isinstance(body, Mapping):
        if set(body) == {"$ref"}:
            return {Address.parse(body["$ref"])}
        return {address for value in body.values() for address in _needed(value)}
    if isinstance(body, list):
        return {address for value in body for address in _needed(value)}
    return set()


def _names_given_up(
    plan: Mapping[Address, Change], identities: Identities, catalog: Catalog
) -> dict[tuple[str, str], set[Address]]:
    """(model, unique name) to the changes that give it up on the server: by another name, or by a
    delete.
    """
    given: dict[tuple[str, str], set[Address]] = {}
    for address, change in plan.items():
        model = catalog.models[address.model]
        renames = next((f for f in change.fields if f.path == model.identity), None)
        if renames is None or change.action is Action.CREATE:
            continue
        binding = identities.bindings.get(address)
        name = identity_of(model, binding.live) if isinstance(binding, Bound) else renames.before
        if isinstance(name, str):
            given.setdefault((model.name, name), set()).add(address)
    return given


def _dropping(
    plan: Mapping[Address, Change], lives: Mapping[Address, Fields], catalog: Catalog
) -> Iterator[tuple[Address, Address]]:
    """(delete, change) where the change takes a reference to the deleted record away: an update, or
    a delete.
    """
    deleted = {
        change.id: address
        for address, change in plan.items()
        if change.action is Action.DELETE and change.id
    }
    if not deleted:
        return
    for address, change in plan.items():
        for row in catalog.models[address.model].references:
            before = lives.get(address, {}).get(row.name) or []
            after = (change.request.body or {}).get(row.name, before) if change.request else before
            for one in before if isinstance(before, list) else [before]:
                id_ = (
                    one.get("id") if isinstance(one, dict) else one
                )  # a server may include the record itself
                goes = change.action is Action.DELETE or id_ not in after
                if id_ in deleted and goes and deleted[id_] != address:
                    yield deleted[id_], address


def _cycles(
    plan: Mapping[Address, Change], waits: Mapping[Address, set[Address]]
) -> Iterator[Diagnostic]:
    known = {address: {w for w in others if w in plan} for address, others in waits.items()}
    try:
        graphlib.TopologicalSorter(known).prepare()
    except graphlib.CycleError as error:
        members = [str(address) for address in error.args[1]]
        yield Diagnostic(
            Severity.ERROR,
            "cycle",
            f"these wait for each other: {' → '.join(members)}",
            plan[error.args[1][0]].location,
            "apply one of them without what needs the other first, or give it another name for a while",
            members[0],
        )


def _blocked(
    plan: dict[Address, Change], waits: Mapping[Address, set[Address]]
) -> Iterator[Change]:
    """Hold what waits for something that is held, is only proposed, or is not in the plan; so on
    along the chain.
    """

    def stops(address: Address) -> bool:
        change = blocked.get(address, plan.get(address))
        return (
            change is None or change.held is not None or change.approval
        )  # a proposal changes nothing yet

    blocked: dict[Address, Change] = {}
    progress = True
    while progress:
        progress = False
        for address, change in plan.items():
            if address in blocked or change.held is not None:
                continue
            if any(stops(w) for w in waits[address]):
                held_by = tuple(sorted(w for w in waits[address] if stops(w)))
                blocked[address] = replace(change, held=Held.BLOCKED, request=None, waits=held_by)
                progress = True
    for address, change in plan.items():
        yield blocked.get(address) or (
            change if change.held else replace(change, waits=tuple(sorted(waits[address])))
        )
