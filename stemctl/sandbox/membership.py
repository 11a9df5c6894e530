"""Members of records: maps of names to rights, which are changed one by one.

Some are only invited, and become members when they accept.
"""

from __future__ import annotations

import functools

from stemctl.sandbox.calls import Call
from stemctl.sandbox.replies import forbidden, invalid
from stemctl.sandbox.storage import Row, Sql, Storage
from stemctl.sandbox.users import MANAGES, RIGHTS, User, are_members, merged_members, sole_owner
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Joining, Model
from stemctl.util.json_types import Fields, Value

Members = dict[str, Value]


def fields(model: Model) -> list[str]:
    """The fields of a model that hold members."""
    of_access = model.access.members if model.access else None
    return [f.name for f in model.fields.values() if f.kind == "members" or f.name == of_access]


def rights_of(field: Field | None) -> tuple[str, ...]:
    """The rights that the members in a field may have; all if the table does not say which."""
    return tuple(field.members) if field and field.members else RIGHTS


def of_new(model: Model, call: Call) -> Members:
    """The members of a record that the user creates: the user alone.

    Where the API does not show the groups of a record, those of the user may change it, too.
    """
    access = model.access
    if access is None or not access.members:
        return {}
    owners = sole_owner(call.user, rights_of(model.fields.get(access.members)))
    found: Members = {access.members: owners}
    if access.groups and access.groups not in model.fields:
        found[access.groups] = {name: {RIGHTS[0]: True} for name in call.viewer.groups}
    return found


def changed(model: Model, call: Call, row: Row, name: str, sent: Value) -> Members:
    """The members in one field after a change. Those that would be new may only be invited.

    Raises:
        Refusal: 400 if a member is unknown, 403 if the user may not grant such rights.
    """
    field = model.fields[name]
    if not are_members(sent):
        raise invalid(
            {name: ["Expected an object of e-mail addresses, each with an object of rights."]}
        )
    before: Members = row.body.get(name) or {}
    after = merged_members(before, sent, rights_of(field))
    if field.of:
        _must_exist(call, field, sent)
    if _raises(before, after) and call.storage.find(model, row.id, call.viewer.owns(model)) is None:
        raise forbidden()
    invitations = call.storage.catalog.models.get(field.invites or "")
    if invitations is None or invitations.joining is None:
        return after
    for key in after.keys() - before.keys():
        _invite(call, field, invitations, row, key, after.pop(key))
    return after


def _must_exist(call: Call, field: Field, sent: Fields) -> None:
    unknown = [name for name in sent if named(call.storage, field, name) is None]
    if unknown:
        words = call.storage.catalog.models[field.of or ""].words
        raise invalid({field.name: [f'There is no {words} "{name}".' for name in unknown]})


def named(storage: Storage, field: Field, name: str) -> Row | None:
    """The record that a key of a field with members means."""
    model = storage.catalog.models[field.of or ""]
    identity = model.identity or ""
    return next(iter(storage.holders(model, {identity: name}, identity)), None)


def _raises(before: Members, after: Members) -> bool:
    """Whether managers or owners come, go or change, which is for owners."""

    def leading(members: Members) -> Members:
        ranks = {name: [rights.get(r) is True for r in MANAGES] for name, rights in members.items()}
        return {name: rank for name, rank in ranks.items() if any(rank)}

    return leading(before) != leading(after)


def _invite(
    call: Call, field: Field, invitations: Model, row: Row, key: str, rights: Fields
) -> None:
    joining, who = invitations.joining, named(call.storage, field, key)
    assert joining is not None
    assert who is not None
    granted = {ours: rights.get(theirs) is True for ours, theirs in joining.rights.items()}
    body = {joining.to: row.id, joining.member: who.id, **granted}
    call.storage.add(invitations, body)


def join(storage: Storage, model: Model, joining: Joining, row: Row) -> None:
    """Carry out an invitation or a request."""
    joined = storage.catalog.models[model.fields[joining.to].to or ""]
    record = storage.find(joined, row.body[joining.to])
    field = joined.fields[joining.within]
    who = storage.catalog.models[field.of or ""]
    member = storage.find(who, row.body[joining.member])
    if record is None or member is None:
        raise invalid("The record that it is about no longer exists.")
    granted = {theirs: row.body.get(ours) for ours, theirs in joining.rights.items()}
    name = member.body[who.identity or ""]
    members = merged_members(record.body.get(field.name) or {}, {name: granted}, rights_of(field))
    storage.replace(joined, record, {**record.body, field.name: members})


def groups_of(storage: Storage, user: User | None) -> tuple[str, ...]:
    """The names of the groups that a user is a member of."""
    model = groups(storage.catalog)
    if model is None or user is None or model.access is None:
        return ()
    text = "SELECT r.identity FROM records AS r WHERE r.model = ? AND EXISTS (SELECT 1 FROM"
    text += f" json_each(r.body, '$.\"{model.access.members}\"') AS m WHERE m.key = ?)"
    return tuple(name for (name,) in storage.query(text, (model.name, user.email)))


def rename_group(storage: Storage, model: Model, before: Row, after: Row | None) -> None:
    """Rename a group where records name it, or take it out if it is gone."""
    if model is not groups(storage.catalog) or model.identity is None:
        return
    old = before.body[model.identity]
    new = after.body[model.identity] if after else None
    if old == new:
        return
    for other in storage.catalog.models.values():
        name = other.access.groups if other.access else None
        if name is None:
            continue
        text = f"EXISTS (SELECT 1 FROM json_each(r0.body, '$.\"{name}\"') AS m WHERE m.key = ?)"
        for row in storage.rows(storage.listing(other, Sql(text, (old,)), "r0.position")):
            kept = {key: rights for key, rights in row.body[name].items() if key != old}
            if new is not None:
                kept[new] = row.body[name][old]
            storage.replace(other, row, {**row.body, name: kept})


@functools.cache
def groups(catalog: Catalog) -> Model | None:
    """The model whose records other records name as groups."""
    for model in catalog.models.values():
        field = model.fields.get(model.access.groups or "") if model.access else None
        if field and field.of:
            return catalog.models.get(field.of)
    return None
