"""Proposals: for some models, adding and changing only proposes, and an administrator decides."""

from __future__ import annotations

from functools import partial

from stemctl.sandbox import resources, serializer
from stemctl.sandbox.body_checks import check_fields, check_others, defaults, is_stored
from stemctl.sandbox.calls import Call, Endpoint
from stemctl.sandbox.envelopes import ACCEPTED, ADD, CHANGE, PENDING, REJECTED, content_of
from stemctl.sandbox.replies import Reply, forbidden, invalid, not_found
from stemctl.sandbox.storage import Row
from stemctl.sandbox.users import User
from stemctl.schema.models import Model
from stemctl.util.json_types import Value


def live_endpoint(model: Model, proposals: Model) -> Endpoint:
    """The URLs of the model itself, where adding and changing only proposes."""
    return resources.endpoint(
        model,
        add=partial(propose_new, model, proposals),
        change=partial(propose_change, model, proposals),
    )


def endpoint(model: Model, proposals: Model) -> Endpoint:
    """The URLs of the proposals, with `accept` and `reject`. They are not public."""
    plain = resources.endpoint(proposals)
    return Endpoint(
        model.write_portals,
        model.write_portals,
        {
            **plain.handlers,
            "one": {**plain.handlers["one"], "PATCH": _undecided},
            "accept": {"PATCH": partial(decide, model, proposals, ACCEPTED)},
            "reject": {"PATCH": partial(decide, model, proposals, REJECTED)},
        },
    )


def propose_new(model: Model, proposals: Model, call: Call, _: str) -> Reply:
    """Store the content of a new record. The status is 201, although the record does not exist."""
    found = resources.checked(model, call, call.body())
    return _propose(proposals, call, 201, {**defaults(proposals), **found, "action": ADD})


def propose_change(model: Model, proposals: Model, call: Call, id: str) -> Reply:
    """Store the whole content that the record would have."""
    live = resources.changeable(model, call, id)
    found = resources.checked(model, call, call.body(), live=live)
    content = {name: live.body[name] for name in content_of(proposals) if name in live.body}
    outcome = {"action": CHANGE, "instance_id": live.id}
    return _propose(proposals, call, 200, {**defaults(proposals), **content, **found, **outcome})


def _propose(proposals: Model, call: Call, status: int, body: dict[str, Value]) -> Reply:
    row = call.storage.add(
        proposals, {**body, "status": PENDING, "proposer": {call.user.email: {}}}
    )
    answer = serializer.one(call, proposals, row)
    shown = {"id", *content_of(proposals)}
    record = {name: value for name, value in answer[proposals.one].items() if name in shown}
    return Reply(status, {proposals.one: record})


def _undecided(call: Call, id: str) -> Reply:
    raise invalid("Use PATCH .../accept/ or .../reject/.")


def decide(model: Model, proposals: Model, verdict: str, call: Call, id: str) -> Reply:
    """Accept or reject a pending proposal. The body of an `accept` amends what was proposed."""
    if not call.user.administrator:
        raise forbidden()
    row = call.storage.find(proposals, id.lower())
    if row is None:
        raise not_found()
    if row.body["status"] != PENDING:
        raise invalid(f"This proposal is already {row.body['status'].lower()}.")
    decided = {**row.body, **_outcome(verdict, call.user)}
    if verdict == ACCEPTED:
        decided |= _apply(model, proposals, call, row)
    row = call.storage.replace(proposals, row, decided)
    return Reply(200, serializer.one(call, proposals, row))


def _outcome(verdict: str, reviewer: User) -> dict[str, Value]:
    return {"status": verdict, "reviewer": reviewer.id}


def _apply(model: Model, proposals: Model, call: Call, row: Row) -> dict[str, Value]:
    """Create or change the record, and return what that changes in the proposal."""
    amended, problems = check_fields(call.storage.catalog, model, call.body())
    content = {name: row.body[name] for name in content_of(proposals)} | amended
    id_ = row.body["instance_id"]
    problems |= check_others(model, content, call, live=(id_, {}) if id_ else None)
    resources.refuse(model, problems)
    kept = {name: value for name, value in content.items() if is_stored(model.fields[name])}
    if row.body["action"] == ADD:
        live: Row | None = call.storage.add(model, {**defaults(model), **kept})
    elif live := call.storage.find(model, row.body["instance_id"]):
        call.storage.replace(model, live, {**live.body, **kept})
    if live is None:
        raise invalid("The record that it would change no longer exists.")
    return {**content, "instance_id": live.id}
