"""Carrying out one change: the requests it takes, and what to do when an answer is lost.

Nothing is sent twice on a guess. A PATCH or DELETE is preceded by reading the record and comparing it with what the
plan saw. When the answer to a write is lost we look at what the server holds, and only that decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stemctl.catalog import Model
from stemctl.plan import Action, Change, Outcome, Status
from stemctl.planning.approvals import DECIDED
from stemctl.planning.compare import expects
from stemctl.planning.values import is_empty, same
from stemctl.records import Address, Fields, Value
from stemctl.server.answers import Forbidden, NotFound, NotTheApi, Refused, ServerError, Unavailable, Unreachable
from stemctl.server.client import Query, WriteClient, Written

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Done:
    """An outcome with the record as the server answered it; None where nothing was answered."""

    outcome: Outcome
    answer: Fields | None = None
    body: Fields | None = None


async def carry_out(client: WriteClient, change: Change, ids: Mapping[Address, str]) -> Done:
    """Send what a change needs. `ids` are those of the records that this run created.

    Never raises for what the server says: that becomes the outcome.
    """
    model = client.catalog.models[change.address.model]
    if change.request is None:
        return Done(Outcome(change, Status.APPLIED, change.id))
    body = with_ids(change.request.body or {}, ids)
    try:
        match change.action:
            case Action.CREATE:
                return await _create(client, model, change, body)
            case Action.DELETE:
                return await _delete(client, model, change)
            case _:
                return await _change(client, model, change, body)
    except ServerError as error:
        return Done(_failed(change, error))


def with_ids(value: Value, ids: Mapping[Address, str]) -> Value:
    """A body with the new ids in place of `{"$ref": address}`."""
    if isinstance(value, Mapping):
        if set(value) == {"$ref"}:
            return ids[Address.parse(value["$ref"])]
        return {key: with_ids(one, ids) for key, one in value.items()}
    return [with_ids(one, ids) for one in value] if isinstance(value, list) else value


def is_lost(error: ServerError) -> bool:
    """Whether a write may have been carried out although its answer did not arrive."""
    if isinstance(error, Unreachable):
        return error.sent
    return isinstance(error, NotTheApi) or (isinstance(error, Unavailable) and error.status != 429)


async def _create(client: WriteClient, model: Model, change: Change, body: Fields) -> Done:
    try:
        return _taken(model, change, body, await client.add(model, body))
    except Refused as error:
        return Done(await _name_taken(client, model, change, body, error))
    except ServerError as error:
        if not is_lost(error):
            raise
        return await _look_for(client, model, change, body, error)


async def _look_for(client: WriteClient, model: Model, change: Change, body: Fields, lost: ServerError) -> Done:
    """After a lost answer: a record, or proposal, of this name with the content we sent is ours."""
    name = body.get(model.identity) if model.identity else None
    if name is not None and model.identity:
        query = Query(filters=((model.identity, str(name)),))
        page = client.approval_page if change.approval else client.page
        try:
            found = (await page(model, 0, query)).records
        except ServerError as error:
            return Done(_in_doubt(change, error))
        for fields in found:
            if fields.get(model.identity) != name or fields.get("status") in DECIDED:
                continue  # a proposal that was decided before is not the one we sent now
            if _holds(model, fields, body):
                return _taken(model, change, body, Written(fields, change.approval))
            if not change.approval:
                why = f"a {model.words} of this name is on the server, with other content: id {fields.get('id')}"
                return Done(Outcome(change, Status.FAILED, message=f"The answer was lost, and {why}."))
    message = f"Sent, and the answer was lost: {lost.what} It is not there yet; plan again in a minute."
    return Done(Outcome(change, Status.UNKNOWN, message=message))


async def _name_taken(client: WriteClient, model: Model, change: Change, body: Fields, error: ServerError) -> Outcome:
    """Explain a refused name that no record which we may see has."""
    name = body.get(model.identity) if model.identity else None
    if model.identity is None or model.identity not in error.messages or name is None:
        return _failed(change, error)
    visible = await client.page(model, 0, Query(filters=((model.identity, str(name)),)))
    if any(fields.get(model.identity) == name for fields in visible.records):
        return _failed(change, error)
    total = (await client.page(model)).total
    seen = f"None of the {model.count(total)} you may see" if total is not None else f"No {model.words} you may see"
    detail = (
        f"{seen} has it, so it belongs to somebody whose records you cannot see:",
        f"a {model.words} {model.identity} is unique over the whole server.",
        f"Choose another {model.identity} and apply again.",
    )
    what = f"The server refused the {model.identity}: {' '.join(error.messages[model.identity])}"
    return Outcome(change, Status.FAILED, message=what, detail=detail, errors=error.messages)


async def _change(client: WriteClient, model: Model, change: Change, body: Fields) -> Done:
    assert change.id is not None
    for attempt in range(1, _TRIES + 1):
        try:
            live = await client.detail(model, change.id)
        except ServerError as error:
            if attempt == 1:
                raise
            return Done(_in_doubt(change, error))
        if attempt > 1 and not change.approval and _holds(model, live, body):
            return _taken(model, change, body, Written(live, proposed=False))
        if expects(model, live, change.managed) != change.expects:
            return Done(_moved(model, change, live))
        try:
            return _taken(model, change, body, await client.change(model, change.id, body))
        except ServerError as error:
            if not is_lost(error) or attempt == _TRIES:
                raise
            if change.approval:  # a second proposal would be a double; the approvals show whether it arrived
                return await _look_for(client, model, change, {**live, **body}, error)
    raise AssertionError("the last try returns or raises")


async def _delete(client: WriteClient, model: Model, change: Change) -> Done:
    assert change.id is not None
    for attempt in range(1, _TRIES + 1):
        try:
            live = await client.detail(model, change.id)
        except NotFound:
            return Done(Outcome(change, Status.APPLIED, change.id))
        except ServerError as error:
            if attempt == 1:
                raise
            return Done(_in_doubt(change, error))
        if expects(model, live) != change.expects:
            return Done(_moved(model, change, live))
        try:
            await client.delete(model, change.id)
        except NotFound:  # gone between our look and our request: what was wanted
            pass
        except ServerError as error:
            if not is_lost(error) or attempt == _TRIES:
                raise
            continue
        return Done(Outcome(change, Status.APPLIED, change.id))
    raise AssertionError("the last try returns or raises")


def _taken(model: Model, change: Change, body: Fields, written: Written) -> Done:
    """The outcome of a write that was answered: proposed, or applied with what the server does not hold of it."""
    id_ = str(written.fields.get("id"))
    if written.proposed:
        return Done(Outcome(change, Status.PROPOSED, change.id, approval=id_), written.fields, body)
    before = {f.path: f.before for f in change.fields}
    refused = {
        name: value
        for name, value in body.items()
        if not _held(model, name, value, written.fields, before.get(name)) and not model.fields[name].proposal
    }
    return Done(Outcome(change, Status.APPLIED, id_, refused=refused), written.fields, body)


def _held(model: Model, name: str, sent: Value, answer: Fields, before: Value) -> bool:
    """Whether an answer holds what was sent, be it in a form of the server's own. It does not where the field is
    missing, or is as it was before."""
    row = model.fields[name]
    if name not in answer:
        return is_empty(row, sent)
    return same(row, sent, answer[name]) or not (is_empty(row, answer[name]) or same(row, answer[name], before))


def _holds(model: Model, live: Fields, body: Fields) -> bool:
    """Whether a record has the content that was sent, as far as the server shows it."""
    return all(name not in live or same(model.fields[name], value, live[name]) for name, value in body.items())


def _moved(model: Model, change: Change, live: Fields) -> Outcome:
    """The record is not as the plan saw it: nothing is sent."""
    lines = []
    for f in change.fields:
        row = model.fields[f.path.partition(".")[0]]
        if row.name in live and not row.to and row.kind != "map" and not same(row, f.before, live[row.name]):
            lines += [f"{f.path}: as planned {f.before!r}, server now {live[row.name]!r}"]
    lines.append("Not sent. The other changes of the plan are not affected; plan again to see it as it is now.")
    return Outcome(change, Status.FAILED, message="changed on the server since this plan was made", detail=tuple(lines))


def _in_doubt(change: Change, error: ServerError) -> Outcome:
    """The answer to a write was lost, and looking for what became of it failed as well."""
    message = f"Sent, the answer was lost, and looking for it failed: {error.what}"
    return Outcome(change, Status.UNKNOWN, change.id, message=message)


def _failed(change: Change, error: ServerError) -> Outcome:
    if isinstance(error, Forbidden | NotFound) or not error.messages:
        message = f"{error.what} {error.why}".strip()
    else:
        texts = (f"{name}: {' '.join(said)}" if name else " ".join(said) for name, said in error.messages.items())
        message = f"{error.status} {'; '.join(texts)}"
    return Outcome(change, Status.UNKNOWN if is_lost(error) else Status.FAILED, message=message, errors=error.messages)
