"""A delete and a create that are probably one record under another key: held, for you to decide."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from stemctl.core.placeholders import is_placeholder
from stemctl.core.plan import Action, Change, Held
from stemctl.core.records import Address
from stemctl.planning.values import canonical, ids_in, is_empty
from stemctl.schema.catalog import Catalog
from stemctl.util.canonical_json import hash_of
from stemctl.util.json_types import Fields


def hold_renames(
    changes: Sequence[Change], lives: Mapping[Address, Fields], catalog: Catalog
) -> Iterator[Change]:
    """Hold one delete and one create whose content differs only in the name: a likely rename.

    Deletes of the records in it are held with it: they would move along. `lives` holds the live
    fields of every address that is on the server.
    """
    likely = _likely_renames(changes, lives, catalog)
    parents = _parents(changes, lives, catalog) if likely else {}
    for change in changes:
        address = change.address
        if address in likely:
            other, but = likely[address], ", except for the name"
            if catalog.models[address.model].called is None:
                but = ""  # it has no name
            detail = f"has the same content as {other}{but}"
        else:
            while address in parents and address not in likely:
                address = parents[address]
            if address not in likely or change.held not in (None, Held.DELETE):
                yield change
                continue
            other = likely[address]
            detail = f"in {address}, which has the same content as {other}"
        yield replace(
            change, held=Held.RENAME, request=None, then=(), waits=(other,), detail=(detail,)
        )


def _parents(
    changes: Iterable[Change], lives: Mapping[Address, Fields], catalog: Catalog
) -> dict[Address, Address]:
    """Each record that is deleted to its parent that is deleted too."""
    deleted = [change for change in changes if change.action is Action.DELETE]
    by_id = {change.id: change.address for change in deleted}
    found = {}
    for change in deleted:
        field = catalog.models[change.address.model].parent
        for id_ in ids_in(lives[change.address].get(field)) if field else ():
            if id_ in by_id and by_id[id_] != change.address:
                found[change.address] = by_id[id_]
    return found


def _likely_renames(
    changes: Sequence[Change], lives: Mapping[Address, Fields], catalog: Catalog
) -> dict[Address, Address]:
    """Each record that is probably renamed, to the address that it has on the other side."""
    new = [
        change
        for change in changes
        if change.action is Action.CREATE
        and change.reason == "new"
        and catalog.models[change.address.model].embedded is None  # entries are often alike
    ]
    left = [change for change in changes if change.action is Action.DELETE and not change.location]
    if not (new and left):
        return {}
    likely = _pairs(_by_content(new, {}, catalog), _by_content(left, lives, catalog))
    gone = {change.id for change in left}
    moved = [
        [c for c in side if c.address not in likely and _parent_stays(c, values, gone, catalog)]
        for side, values in ((new, {}), (left, lives))
    ]
    elsewhere = _pairs(
        _by_content(moved[0], {}, catalog, inside=True),
        _by_content(moved[1], lives, catalog, inside=True),
    )
    return {**elsewhere, **likely}


def _pairs(
    creates: Mapping[str, Sequence[Change]], deletes: Mapping[str, Sequence[Change]]
) -> dict[Address, Address]:
    """One create and one delete that have one content, each to the other."""
    found: dict[Address, Address] = {}
    for content, created in creates.items():
        deleted = deletes.get(content, [])
        if len(created) != 1 or len(deleted) != 1:
            continue
        create, delete = created[0], deleted[0]
        if create.held is None and delete.held in (None, Held.DELETE):
            found[create.address] = delete.address
            found[delete.address] = create.address
    return found


def _parent_stays(
    change: Change, lives: Mapping[Address, Fields], gone: Container[str | None], catalog: Catalog
) -> bool:
    """Whether a record is in a parent that is there before and after: what left one parent may have
    moved to another. A new parent brings records that are like others.
    """
    field = catalog.models[change.address.model].parent
    if field is None:
        return False
    body = change.request.body if change.request else None
    values = lives.get(change.address) or body or {}
    parent = next(ids_in(values.get(field)), None)
    return parent is not None and not is_placeholder(values.get(field)) and parent not in gone


def _by_content(
    changes: Iterable[Change],
    lives: Mapping[Address, Fields],
    catalog: Catalog,
    *,
    inside: bool = False,
) -> dict[str, list[Change]]:
    """Changes by a hash of their content besides the name; those without any are left out.

    The content is what is sent, or what is live. References count by their ids. What is `inside` a
    parent counts with its own key in place of that parent.
    """
    groups: dict[str, list[Change]] = {}
    for change in changes:
        model = catalog.models[change.address.model]
        body = change.request.body if change.request else None
        values = lives[change.address] if change.action is Action.DELETE else body or {}
        content = {}
        for field in change.fields:
            if field.path == model.called or not field.shown:
                continue
            if inside and field.path == model.parent:
                continue
            row, value = model.fields[field.path], values.get(field.path)
            if not is_empty(row, value):
                content[field.path] = canonical(row, value)
        if content:
            own_key = _own_key(change.address) if inside else ""
            groups.setdefault(hash_of([model.name, own_key, content]), []).append(change)
    return groups


def _own_key(address: Address) -> str:
    """The key of a record inside its parent; empty if it goes by the key of the parent alone."""
    return address.key.rpartition("/")[2] if "/" in address.key else ""
