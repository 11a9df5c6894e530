"""Which changes of a plan the difference between two versions of the files explains."""

from __future__ import annotations

from msgspec.structs import replace

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
    versions = _Version(before), _Version(after)
    changes = tuple(
        replace(change, explained=_differs(change.address, *versions, catalog))
        for change in plan.changes
    )
    return replace(plan, base=base, changes=changes)


class _Version:
    """One version of the files, with its directives by the address that they are about."""

    def __init__(self, repository: Repository) -> None:
        self.records, self._forget = repository.records, repository.forget
        self._named: dict[str, set[_Named]] = {}
        for directive in repository.moved:
            for end in (directive.subject, str(directive.to)):
                named = ("moved", directive.subject, directive.to)
                self._named.setdefault(end, set()).add(named)
        for directive in repository.deleted:
            named = ("deleted", directive.subject, directive.to)
            self._named.setdefault(directive.subject, set()).add(named)

    def directives(self, address: Address) -> set[_Named]:
        """The entries of `moved`, `forget` and `deleted` that concern an address."""
        forget = {
            ("forget", directive.subject, directive.to)
            for directive in self._forget
            if matches(directive.subject, address)
        }
        return forget | self._named.get(str(address), set())


_Named = tuple[str, str, Address | None]


def _differs(address: Address, before: _Version, after: _Version, catalog: Catalog) -> bool:
    old, new = before.records.get(address), after.records.get(address)
    if (old is None) != (new is None):
        return True
    if old is not None and new is not None and not _alike(old, new, catalog):
        return True
    return before.directives(address) != after.directives(address)


def _alike(old: Record, new: Record, catalog: Catalog) -> bool:
    """Whether two records declare the same, wherever and however their values are written."""
    if old.fields.keys() != new.fields.keys():
        return False
    if (old.id, old.lifecycle) != (new.id, new.lifecycle):
        return False
    rows = catalog.models[old.address.model].fields
    return all(same(rows[name], value, new.fields[name]) for name, value in old.fields.items())
