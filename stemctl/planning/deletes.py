"""State entries that no file declares any more: deleted, forgotten, or gone; and likely renames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from stemctl.core.address_patterns import matches
from stemctl.core.plan import (
    Action,
    Change,
    FieldChange,
    Held,
    Note,
    StateChange,
)
from stemctl.core.records import Address, Directive, Repository
from stemctl.core.request_paths import request_of
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import Entry
from stemctl.planning.in_doubt import creations, deletion_sent, not_settled
from stemctl.planning.references import Resolver
from stemctl.planning.values import canonical, expects, is_empty
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.canonical_json import hash_of
from stemctl.util.json_types import Fields

_KEPT = "it stays in the state until you list it under forget:"


def leave(
    address: Address,
    entry: Entry,
    model: Model,
    *,
    repository: Repository,
    snapshot: Snapshot,
    resolver: Resolver,
    granted: frozenset[str],
) -> Change | StateChange | Note | None:
    """What becomes of a state entry that left the files; None if the record may or may not be live.

    A record that is no longer visible stays in the state, with a note: only a DELETE of our own
    proves that it is gone, and not just hidden from this account.
    """
    forget = _first(
        directive for directive in repository.forget if matches(directive.subject, address)
    )
    if forget is not None:
        return Change(address, Action.FORGET, "forgotten", id=entry.id, location=forget.location)
    if entry.id is None:
        return _leave_unbound(address, entry, snapshot)
    reading = snapshot.readings.get(model.name)
    if reading is None or not reading.sound:
        return None
    live = reading.records.get(entry.id)
    if live is not None:
        directive = _first(
            directive for directive in repository.deleted if directive.subject == str(address)
        )
        return _delete(
            address,
            entry,
            live,
            model=model,
            directive=directive,
            resolver=resolver,
            granted=granted,
        )
    if entry.id not in reading.missing:
        return None
    if deletion_sent(entry):
        return StateChange(address, entry.id, drop=True)
    return Note(address, f"not found: deleted on the server, or hidden from you; {_KEPT}")


def _first(wishes: Iterator[Directive]) -> Directive | None:
    return next(wishes, None)


def _leave_unbound(address: Address, entry: Entry, snapshot: Snapshot) -> StateChange | Note | None:
    """What becomes of an entry without an id: a record that was only proposed, or never created."""
    if not_settled(creations(entry), snapshot.began):
        return None  # it may still arrive
    if entry.approval is None:
        return StateChange(address, None, drop=True)
    proposal = f"left the files, but its proposal still exists: approval {entry.approval.id}"
    return Note(address, f"{proposal}; {_KEPT}")


def _delete(
    address: Address,
    entry: Entry,
    live: Fields,
    *,
    model: Model,
    directive: Directive | None,
    resolver: Resolver,
    granted: frozenset[str],
) -> Change:
    dependents = [f"{len(live[name]):,} in {name}" for name in model.dependents if live.get(name)]
    allowed = directive is not None or Held.DELETE in granted
    held = None
    if entry.prevent_delete:
        held = Held.PROTECTED
    elif dependents:
        held = None if Held.CASCADE in granted else Held.CASCADE
    elif not allowed:
        held = Held.DELETE
    request = request_of(model, Action.DELETE, address, id_=entry.id, body=None)
    fields = tuple(
        FieldChange(row.name, resolver.written(row, live[row.name]), None, "left_files")
        for row in model.managed
        if live.get(row.name)
    )
    return Change(
        address,
        Action.DELETE,
        "left_files",
        held=held,
        id=entry.id,
        location=directive.location if directive else None,
        request=None if held else request,
        fields=fields,
        expects=expects(model, live),
        detail=tuple(_detail(entry, model, directive, dependents=dependents)),
    )


def _detail(
    entry: Entry, model: Model, directive: Directive | None, *, dependents: Sequence[str]
) -> Iterator[str]:
    if entry.prevent_delete:
        yield (
            f"prevent_delete is set in the state (run {entry.run}); removing the file does not "
            "clear it, and --allow cannot override it"
        )
    if directive is not None:
        yield "allowed by the deleted: entry; its id cannot be restored"
    if dependents:
        yield f"the server may also delete: {', '.join(dependents)}"
    if model.delete_by:
        yield f"only {model.delete_by} may delete it; to leave it there, list it under forget:"


def hold_renames(changes: Sequence[Change], catalog: Catalog) -> Iterator[Change]:
    """Hold one delete and one create whose content differs only in the name: a likely rename."""
    likely = _likely_renames(changes, catalog)
    for change in changes:
        other = likely.get(change.address)
        if other is None:
            yield change
            continue
        yield replace(
            change,
            held=Held.RENAME,
            request=None,
            then=(),
            waits=(other,),
            detail=(f"has the same content as {other}, except for the name",),
        )


def _likely_renames(changes: Sequence[Change], catalog: Catalog) -> dict[Address, Address]:
    """Each record that is probably renamed, to the address that it has on the other side."""
    new = [
        change for change in changes if change.action is Action.CREATE and change.reason == "new"
    ]
    left = [change for change in changes if change.action is Action.DELETE and not change.location]
    if not (new and left):
        return {}
    creates, deletes = _by_content(new, "after", catalog), _by_content(left, "before", catalog)
    likely: dict[Address, Address] = {}
    for content, created in creates.items():
        deleted = deletes.get(content, [])
        if len(created) != 1 or len(deleted) != 1:
            continue
        create, delete = created[0], deleted[0]
        if create.held is None and delete.held in (None, Held.DELETE):
            likely[create.address] = delete.address
            likely[delete.address] = create.address
    return likely


def _by_content(changes: Iterable[Change], side: str, catalog: Catalog) -> dict[str, list[Change]]:
    """Changes by a hash of their content besides the name; those without any are left out."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        model = catalog.models[change.address.model]
        content = {}
        for field in change.fields:
            if field.path == model.identity or not field.shown:
                continue
            row, value = model.fields[field.path], getattr(field, side)
            if not is_empty(row, value):
                content[field.path] = canonical(row, value)
        if content:
            groups.setdefault(hash_of([model.name, content]), []).append(change)
    return groups
