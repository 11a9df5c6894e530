"""Which changes of a plan the difference between two versions of the files explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stemctl.core.address_patterns import matches
from stemctl.core.plan import Base, Plan
from stemctl.core.records import Address, Record, Repository
from stemctl.planning.values import same
from stemctl.schema.catalog import Catalog


def explain(
    plan: Plan, base: Base, *, before: Repository, after: Repository, catalog: Catalog
) -> Plan:
    """The plan with each change marked.

    A change is explained if its effective record, or a directive about it, differs between the two
    versions.
    """
    changes = tuple(
        replace(change, explained=_differs(change.address, before, after, catalog))
        for change in plan.changes
    )
    return replace(plan, base=base, changes=changes)


def _differs(address: Address, before: Repository, after: Repository, catalog: Catalog) -> bool:
    old, new = before.records.get(address), after.records.get(address)
    if (old is None) != (new is None):
        return True
    if old is not None and new is not None and not _alike(old, new, catalog):
        return True
    return set(_directives(address, before)) != set(_directives(address, after))


def _alike(old: Record, new: Record, catalog: Catalog) -> bool:
    """Whether two records declare the same, wherever and however their values are written."""
    if old.fields.keys() != new.fields.keys():
        return False
    if (old.id, old.lifecycle) != (new.id, new.lifecycle):
        return False
    rows = catalog.models[old.address.model].fields
    return all(same(rows[name], value, new.fields[name]) for name, value in old.fields.items())


def _directives(
    address: Address, repository: Repository
) -> Iterator[tuple[str, str, Address | None]]:
    """The entries of `moved`, `forget` and `deleted` that concern an address."""
    for directive in repository.moved:
        if directive.to == address or directive.subject == str(address):
            yield "moved", directive.subject, directive.to
    for directive in repository.forget:
        if matches(directive.subject, address):
            yield "forget", directive.subject, directive.to
    for directive in repository.deleted:
        if directive.subject == str(address):
            yield "deleted", directive.subject, directive.to
