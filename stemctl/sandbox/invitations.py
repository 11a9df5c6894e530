"""Invitations and requests to become a member: who is asked accepts or rejects, who asks cancels.

All of these actions are GET, and change records.
"""

from __future__ import annotations

from functools import partial

from stemctl.sandbox import membership, resources, serializer
from stemctl.sandbox.calls import Call, Endpoint, Handler
from stemctl.sandbox.replies import Reply, forbidden, invalid
from stemctl.sandbox.storage import Row
from stemctl.schema.fields import Field
from stemctl.schema.models import Joining, Model

Actions = dict[str, dict[str, Handler]]


def actions(model: Model) -> Actions:
    """The actions of a model's records, by name and method."""
    found: Actions = {}
    if joining := model.joining:
        asked, asking = joining.member, joining.to
        if joining.asked:
            asked, asking = asking, asked
        found["accept"] = {"GET": partial(_end, model, asked, True)}
        found["reject"] = {"GET": partial(_end, model, asked, False)}
        found["cancel"] = {"GET": partial(_end, model, asking, False)}
    for field in model.fields.values():
        if field.requests:
            found["join"] = {"GET": partial(_ask, model, field)}
            found["leave"] = {"GET": partial(_leave, model, field)}
    return found


def endpoint(model: Model) -> Endpoint:
    """The URLs of invitations. They are written by their actions alone."""
    plain = resources.endpoint(model)
    return Endpoint(model.read_portals, model.read_portals, {**plain.handlers, **actions(model)})


def _end(model: Model, side: str, accepted: bool, call: Call, id: str) -> Reply:
    row = resources.visible(model, call, id)
    if call.storage.find(model, row.id, call.viewer.is_party(model, side)) is None:
        raise forbidden()
    answer = serializer.one(call, model, row)
    if accepted:
        membership.join(call.storage, model, _joining(model), row)
    call.storage.remove(row)
    return Reply(200, answer)


def _joining(model: Model) -> Joining:
    assert model.joining is not None
    return model.joining


def _ask(model: Model, field: Field, call: Call, id: str) -> Reply:
    """Store a request of the user to become a member."""
    row = resources.visible(model, call, id)
    requests = call.storage.catalog.models[field.requests or ""]
    joining = _joining(requests)
    if call.user.email in _members(field, row):
        raise invalid(f"You are a member of this {model.words}.")
    body = {joining.to: row.id, joining.member: str(call.user.id)}
    same = call.storage.rows_referring(f"{requests.name}.{joining.to}", row.id)
    if any(other.body[joining.member] == body[joining.member] for other in same):
        raise invalid(f"You have asked to join this {model.words}.")
    added = call.storage.add(requests, body)
    return Reply(200, serializer.one(call, requests, added))


def _leave(model: Model, field: Field, call: Call, id: str) -> Reply:
    row = resources.visible(model, call, id)
    left = _members(field, row)
    if left.pop(call.user.email, None) is None:
        raise invalid(f"You are not a member of this {model.words}.")
    row = call.storage.replace(model, row, {**row.body, field.name: left})
    return Reply(200, serializer.one(call, model, row))


def _members(field: Field, row: Row) -> membership.Members:
    return dict(row.body.get(field.name) or {})
