"""Proposals: what add and change become where an administrator decides, and the addresses where
that happens.
"""

from __future__ import annotations

from functools import partial

from stemctl.sandbox import resources, serializer
from stemctl.sandbox.body_checks import check_fields, check_others, defaults, is_stored
from stemctl.sandbox.calls import Call, Endpoint
from stemctl.sandbox.envelopes import ACCEPTED, ADD, CHANGE, PENDING, REJECTED, content_of
from stemctl.sandbox.replies import Reply, forbidden, invalid, not_found
from stemctl.sandbox.storage import Row
from stemctl.sandbox.users import User
from stemctl.schema.catalog import Model
from stemctl.util.json_types import Value


def live_endpoint(model: Model, proposals: Model) -> Endpoint:
    """The addresses of the model itself, where adding and changing only propose."""
    return resources.endpoint(
        model,
        add=partial(propose_new, model, proposals),
        change=partial(propose_change, model, proposals),
    )


def endpoint(model: Model, proposals: Model) -> Endpoint:
    """The addresses of the proposals: they are not public, and are decided under `accept` and `reject`."""
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
    """Keep what would be a new record; 201, although there is none yet."""
    found = resources.checked(model, call, call.body(), live=None)
    return _propose(proposals, call, 201, {**defaults(proposals), **found, "action": ADD})


def propose_change(model: Model, proposals: Model, call: Call, id: str) -> Reply:
    """Keep the whole content that the record would have."""
    live = resources.changeable(model, call, id)
    found = resources.checked(model, call, call.body(), live=live.id)
    content = {name: live.body[name] for name in content_of(proposals) if name in live.body}
    outcome = {"action": CHANGE, "instance_id": live.id}
    return _propose(proposals, call, 200, {**defaults(proposals), **content, **found, **outcome})


def _propose(proposals: Model, call: Call, status: int, body: dict[str, Value]) -> Reply:
    row = call.storage.add(
        proposals, {**body, "status": PENDING, "proposer": {call.user.email: {}}}
    )
    answer = serializer.one(call, proposals, row)
    shown = {"id", *content_of(proposals)}
    return Reply(
        status, {proposals.one: {k: v for k, v in answer[proposals.one].items() if k in shown}}
    )


def _undecided(call: Call, id: str) -> Reply:
    raise invalid("Say what is decided: PATCH .../accept/ or .../reject/.")


def decide(model: Model, proposals: Model, verdict: str, call: Call, id: str) -> Reply:
    """Accept or reject, once and for all. What the body of an accepting call says replaces what was
    proposed.
    """
    if not call.user.administrator:
        raise forbidden()
    row = call.storage.find(proposals, id.lower())
    if row is None:
        raise not_found()
    if row.body["status"] != PENDING:
        raise invalid(f"This proposal is {row.body['status'].lower()} already.")
    decided = {**row.body, **_outcome(verdict, call.user)}
    if verdict == ACCEPTED:
        decided |= _carry_out(model, proposals, call, row)
    row = call.storage.replace(proposals, row, decided)
    return Reply(200, serializer.one(call, proposals, row))


def _outcome(verdict: str, reviewer: User) -> dict[str, Value]:
    return {"status": verdict, "reviewer": reviewer.id}


def _carry_out(model: Model, proposals: Model, call: Call, row: Row) -> dict[str, Value]:
    """Create or change the record; the answer is what that changes in the proposal."""
    amended, problems = check_fields(model, call.body())
    content = {name: row.body[name] for name in content_of(proposals)} | amended
    problems |= check_others(model, content, call, but=row.body["instance_id"])
    resources.refuse(model, problems)
    kept = {name: value for name, value in content.items() if is_stored(model.fields[name])}
    if row.body["action"] == ADD:
        live: Row | None = call.storage.add(model, {**defaults(model), **kept})
    elif live := call.storage.find(model, row.body["instance_id"]):
        call.storage.replace(model, live, {**live.body, **kept})
    if live is None:
        raise invalid("The record that it would change does not exist any more.")
    return {**content, "instance_id": live.id}
