"""Which changes of a plan the difference between two versions of the files explains. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stemctl.core.plan import Base, Plan
from stemctl.core.records import Address, Directive, Record, Repository
from stemctl.planning.selection import matches
from stemctl.planning.values import same
from stemctl.schema.catalog import Catalog


def explain(
    plan: Plan, base: Base, before: Repository, after: Repository, catalog: Catalog
) -> Plan:
    """The plan with each change told apart: the effective record of its address, or what is said of
    it, is not the same before and after; or it is.
    """
    changes = tuple(
        replace(c, explained=_differs(c.address, before, after, catalog)) for c in plan.changes
    )
    return replace(plan, base=base, changes=changes)


def _differs(address: Address, before: Repository, after: Repository, catalog: Catalog) -> bool:
    old, new = before.records.get(address), after.records.get(address)
    if old is not None and new is not None and not _alike(old, new, catalog):
        return True
    return (old is None) != (new is None) or _said_of(address, before) != _said_of(address, after)


def _alike(old: Record, new: Record, catalog: Catalog) -> bool:
    """Whether two records ask for the same; how a value is written does not count, nor where."""
    rows = catalog.models[old.address.model].fields
    return (
        old.fields.keys() == new.fields.keys()
        and (old.id, old.lifecycle) == (new.id, new.lifecycle)
        and all(same(rows[name], value, new.fields[name]) for name, value in old.fields.items())
    )


def _said_of(address: Address, repository: Repository) -> set[tuple[str, str, Address | None]]:
    """The entries of moved, forget and deleted that concern an address."""

    def entries() -> Iterator[tuple[str, Directive]]:
        yield from (
            ("moved", w) for w in repository.moved if w.to == address or w.subject == str(address)
        )
        yield from (("forget", w) for w in repository.forget if matches(w.subject, address))
        yield from (("deleted", w) for w in repository.deleted if w.subject == str(address))

    return {(kind, wish.subject, wish.to) for kind, wish in entries()}
