"""Entries of logs that `moved` gives another moment, or another log.

No request can do that: a new entry is added with all that the old one holds, and then the old one
is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from stemctl.core.entry_ids import moment_of
from stemctl.core.plan import Action, Change, FieldChange, Request
from stemctl.core.records import Address, Directive, Repository
from stemctl.core.state import Entry
from stemctl.planning.values import is_empty
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


def becomes_another(
    directive: Directive, repository: Repository, entry: Entry | None, catalog: Catalog
) -> bool:
    """Whether what `moved` names is added again, since it is an entry at another moment now."""
    record = repository.records.get(directive.to) if directive.to else None
    model = catalog.models.get(directive.to.model) if directive.to else None
    if record is None or model is None or model.embedded is None or entry is None:
        return False
    if record.fields.get(model.parent or "") != entry.applied.get(model.parent or ""):
        return True
    moment = moment_of(model, record.fields)
    return entry.id is not None and moment is not None and not entry.id.endswith(f"/{moment}")


def moved_directives(repository: Repository, catalog: Catalog) -> Iterator[Directive]:
    """The entries of `moved:` about records that live inside of others."""
    for directive in repository.moved:
        model = catalog.models.get(directive.to.model) if directive.to else None
        if model is not None and model.embedded is not None:
            yield directive


def carry_over(
    changes: Iterable[Change],
    repository: Repository,
    lives: Mapping[Address, Fields],
    catalog: Catalog,
) -> list[Change]:
    """The changes; a moved entry takes along what the files do not declare of it."""
    plan = {change.address: change for change in changes}
    for directive in moved_directives(repository, catalog):
        old, new = Address.parse(directive.subject), directive.to
        gone, made = plan.get(old), plan.get(new) if new else None
        if gone is None or made is None or made.action is not Action.CREATE:
            continue
        if gone.action is Action.DELETE:
            plan[old] = replace(gone, waits=(made.address,))
            model = catalog.models[old.model]
            plan[made.address] = _with_rest(made, model, lives.get(old, {}), f"was {old}")
    return list(plan.values())


def _with_rest(change: Change, model: Model, live: Fields, detail: str) -> Change:
    """A new entry with what the old one holds besides."""
    body = dict(change.request.body or {}) if change.request else {}
    moments = {row.name for row in model.moments}
    rest = {
        row.name: live[row.name]
        for row in model.managed
        if row.name not in body
        and row.name not in moments
        and not row.to
        and not is_empty(row, live.get(row.name))
    }
    fields = tuple(FieldChange(name, None, value, "renamed") for name, value in rest.items())
    request = change.request and Request(
        change.request.method, change.request.path, {**body, **rest}
    )
    return replace(
        change,
        reason="renamed",
        request=request,
        fields=(*change.fields, *fields),
        detail=(*change.detail, detail),
    )
