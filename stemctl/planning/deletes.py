"""State entries that no file declares any more: deleted, forgotten, or gone already; and what looks
like a rename.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from stemctl.core.plan import (
    Action,
    Change,
    FieldChange,
    Held,
    Note,
    Request,
    StateChange,
    request_path,
)
from stemctl.core.records import Address, Directive, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import Entry
from stemctl.planning.compare import expects
from stemctl.planning.doubts import creations, deleted, is_settled
from stemctl.planning.references import Resolver
from stemctl.planning.selection import matches
from stemctl.planning.values import canonical, is_empty
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.canonical_json import hash_of
from stemctl.util.json_types import Fields


def leave(
    address: Address,
    entry: Entry,
    repository: Repository,
    snapshot: Snapshot,
    model: Model,
    resolver: Resolver,
    granted: frozenset[str],
) -> Change | StateChange | Note | None:
    """What becomes of a state entry that left the files; None if whether it is live is not known.

    One that cannot be seen any more stays in the state, with a note: nothing but a DELETE of our
    own proves that a record is gone, and not just hidden from this account.
    """
    forget = next((wish for wish in repository.forget if matches(wish.subject, address)), None)
    if forget is not None:
        return Change(address, Action.FORGET, "forgotten", id=entry.id, location=forget.location)
    if entry.id is None and any(
        not is_settled(doubt, snapshot.began) for doubt in creations(entry)
    ):
        return None  # it may still arrive
    if entry.id is None and entry.approval is not None:
        return Note(
            address,
            f"left the files, and its proposal is still there: approval {entry.approval.id}; {_KEPT}",
        )
    if entry.id is None:
        return StateChange(address, None, drop=True)
    reading = snapshot.readings.get(model.name)
    if reading is None or not reading.sound:
        return None
    live = reading.records.get(entry.id)
    if live is None and deleted(entry) and entry.id in reading.missing:
        return StateChange(address, entry.id, drop=True)
    if live is None and entry.id in reading.missing:
        return Note(
            address, f"not found: deleted on the server, or hidden from this account; {_KEPT}"
        )
    if live is None:
        return None
    wish = next((wish for wish in repository.deleted if wish.subject == str(address)), None)
    return _delete(address, entry, live, wish, model, resolver, granted)


_KEPT = "it stays in the state until forget: names it"


def _delete(
    address: Address,
    entry: Entry,
    live: Fields,
    wish: Directive | None,
    model: Model,
    resolver: Resolver,
    granted: frozenset[str],
) -> Change:
    dependents = [f"{len(live[name])} in {name}" for name in model.dependents if live.get(name)]
    held = None
    if entry.prevent_delete:
        held = Held.PROTECTED
    elif dependents:
        held = None if Held.CASCADE in granted else Held.CASCADE
    elif wish is None and Held.DELETE not in granted:
        held = Held.DELETE
    fields = tuple(
        FieldChange(row.name, resolver.written(row, live[row.name]), None, "left_files")
        for row in model.managed
        if live.get(row.name)
    )
    return Change(
        address,
        Action.DELETE,
        "left_files",
        held,
        id=entry.id,
        location=wish.location if wish else None,
        request=None
        if held
        else Request("DELETE", request_path(model.app, model.name, Action.DELETE, entry.id), None),
        fields=fields,
        expects=expects(model, live),
        detail=(*_words(entry, wish, dependents), *_who(model)),
    )


def _who(model: Model) -> tuple[str, ...]:
    return (
        (f"{model.delete_by} alone may delete it; forget: leaves it there",)
        if model.delete_by
        else ()
    )


def _words(entry: Entry, wish: Directive | None, dependents: list[str]) -> tuple[str, ...]:
    words = []
    if entry.prevent_delete:
        words.append(
            f"prevent_delete since run {entry.run}; it outlives the file, beats every permission"
        )
    if wish is not None:
        words.append("allowed by the deleted: entry there; its id does not come back")
    if dependents:
        words.append(f"the server may delete along with it: {', '.join(dependents)}")
    return tuple(words)


def hold_renames(changes: Iterable[Change], catalog: Catalog) -> Iterator[Change]:
    """Hold one delete and one create with the same content but for the name: they look like a rename."""
    changes = list(changes)
    created = [c for c in changes if c.action is Action.CREATE and c.reason == "new"]
    deleted = [c for c in changes if c.action is Action.DELETE and c.location is None]
    if not (created and deleted):
        yield from changes
        return
    creates, deletes = (
        _by_content(created, "after", catalog),
        _by_content(deleted, "before", catalog),
    )
    likely: dict[Address, Address] = {}
    for content, new in creates.items():
        old = deletes.get(content, [])
        if len(new) == len(old) == 1 and old[0].held in (None, Held.DELETE) and new[0].held is None:
            likely |= {new[0].address: old[0].address, old[0].address: new[0].address}
    for change in changes:
        if change.address in likely:
            detail = f"the same content as {likely[change.address]}, but for the name"
            yield replace(
                change,
                held=Held.RENAME,
                request=None,
                waits=(likely[change.address],),
                detail=(detail,),
            )
        else:
            yield change


def _by_content(changes: Iterable[Change], side: str, catalog: Catalog) -> dict[str, list[Change]]:
    """Changes by a hash of what they hold besides the name; without those that hold nothing else."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        model = catalog.models[change.address.model]
        content = {
            f.path: canonical(model.fields[f.path], getattr(f, side))
            for f in change.fields
            if f.path != model.identity
            and f.shown
            and not is_empty(model.fields[f.path], getattr(f, side))
        }
        if content:
            groups.setdefault(hash_of([model.name, content]), []).append(change)
    return groups
