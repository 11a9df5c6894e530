"""Carrying out one change: the requests it takes, and what to do when an answer is lost.

Nothing is sent twice on a guess. A PATCH or DELETE is preceded by reading the record and comparing it with what the
plan saw, each write by its intent in the journal. When the answer to a write is lost we look at what the server holds,
and only that decides.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping

from stemctl.catalog import Field, Model
from stemctl.journal import Journal
from stemctl.plan import Action, Change, Outcome, Status
from stemctl.planning.approvals import DECIDED
from stemctl.planning.compare import expects
from stemctl.planning.doubts import as_sent
from stemctl.planning.values import is_empty, same
from stemctl.records import Address, Fields, Value
from stemctl.server.answers import (
    Forbidden,
    NotAuthorised,
    NotFound,
    NotTheApi,
    Refused,
    ServerError,
    Unavailable,
    Unreachable,
)
from stemctl.server.client import Query, WriteClient, Written
from stemctl.server.policy import TRIES


async def carry_out(client: WriteClient, change: Change, ids: Mapping[Address, str], journal: Journal) -> Outcome:
    """Send what a change needs. `ids` are those of the records that this run created.

    Never raises for what the server says: that becomes the outcome.

    Raises:
        JournalError: what is to be sent cannot be written down, so it was not sent.
    """
    model = client.catalog.models[change.address.model]
    if change.request is None:
        return Outcome(change, Status.APPLIED, change.id)
    body = with_ids(change.request.body or {}, ids)
    try:
        match change.action:
            case Action.CREATE:
                return await _create(client, model, change, body, journal)
            case Action.DELETE:
                return await _delete(client, model, change, journal)
            case _:
                return await _change(client, model, change, body, journal)
    except ServerError as error:
        return _failed(change, error, sent=journal.intended(change.address))


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


async def _create(client: WriteClient, model: Model, change: Change, body: Fields, journal: Journal) -> Outcome:
    intend = functools.partial(journal.intend, change, "POST", body, None)
    try:
        return _taken(model, change, body, await client.add(model, body, intend))
    except Refused as error:
        return await _name_taken(client, model, change, body, error)
    except ServerError as error:
        if not is_lost(error):
            raise
        return await _look_for(client, model, change, body, error)


async def _look_for(client: WriteClient, model: Model, change: Change, body: Fields, lost: ServerError) -> Outcome:
    """After a lost answer: a record, or proposal, of this name with the content we sent is ours."""
    name = body.get(model.identity) if model.identity else None
    backed = model.identity is not None and not change.approval  # the server refuses a second one of the name
    then = "the next apply sends it again." if backed else "plan again in a minute."
    message = f"Sent, and the answer was lost: {lost.what} It is not there yet; {then}"
    unknown = Outcome(change, Status.UNKNOWN, message=message)
    if name is None or model.identity is None:
        return unknown
    query = Query(filters=((model.identity, str(name)),))
    try:
        if change.approval:
            for fields in (await client.approval_page(model, 0, query)).records:
                # a proposal that was decided before is not the one we sent now
                open_ = fields.get(model.identity) == name and fields.get("status") not in DECIDED
                if open_ and _holds(model, fields, body):
                    return _taken(model, change, body, Written(fields, proposed=True))
            return unknown
        for fields in (await client.page(model, 0, query)).records:
            if fields.get(model.identity) == name:
                if as_sent(model, fields, body):
                    return _taken(model, change, body, Written(fields, proposed=False))
                return _other_content(model, change, str(fields.get("id")))
    except ServerError as error:
        return _in_doubt(change, error)
    return unknown


def _other_content(model: Model, change: Change, id_: str) -> Outcome:
    """The name is taken, perhaps by somebody else at the same moment: nothing is guessed."""
    detail = (
        f"Somebody else may have taken this {model.identity} at the same moment. Nothing of that record was changed.",
        f"If it is another one, choose another {model.identity}. If it is yours:",
        f"stemctl import {shlex.quote(str(change.address))} {id_}",
    )
    message = f"The answer was lost, and a {model.words} of this {model.identity} is there, with other content."
    return Outcome(change, Status.UNKNOWN, message=message, detail=detail)


async def _name_taken(client: WriteClient, model: Model, change: Change, body: Fields, error: ServerError) -> Outcome:
    """Explain a refused name that no record which we may see has."""
    name = body.get(model.identity) if model.identity else None
    if model.identity is None or model.identity not in error.messages or name is None:
        return _failed(change, error, sent=False)
    try:
        visible = await client.page(model, 0, Query(filters=((model.identity, str(name)),)))
        total = (await client.page(model)).total
    except ServerError:  # then the server's own words have to do
        return _failed(change, error, sent=False)
    if any(fields.get(model.identity) == name for fields in visible.records):
        return _failed(change, error, sent=False)
    seen = f"None of the {model.count(total)} you may see" if total is not None else f"No {model.words} you may see"
    detail = (
        f"{seen} has it, so it belongs to somebody whose records you cannot see:",
        f"a {model.words} {model.identity} is unique over the whole server.",
        f"Choose another {model.identity} and apply again.",
    )
    what = f"The server refused the {model.identity}: {' '.join(error.messages[model.identity])}"
    return Outcome(change, Status.FAILED, message=what, detail=detail, errors=error.messages)


async def _change(client: WriteClient, model: Model, change: Change, body: Fields, journal: Journal) -> Outcome:
    assert change.id is not None
    for attempt in range(1, TRIES + 1):
        try:
            live = await client.detail(model, change.id)
        except ServerError as error:
            if attempt == 1:
                raise
            return _in_doubt(change, error)
        if attempt > 1 and not change.approval and _holds(model, live, body):
            return _taken(model, change, body, Written(live, proposed=False))
        if expects(model, live, change.managed) != change.expects:
            return _moved(model, change, live, sent=attempt > 1)
        intend = functools.partial(journal.intend, change, "PATCH", body, _of_ours(model, change, body, live))
        try:
            return _taken(model, change, body, await client.change(model, change.id, body, intend))
        except ServerError as error:
            if not is_lost(error) or attempt == TRIES:
                raise
            if change.approval:  # a second proposal would be a double; the approvals show whether it arrived
                whole = {row.name: live[row.name] for row in model.managed if row.name in live} | dict(body)
                return await _look_for(client, model, change, whole, error)
    raise AssertionError("the last try returns or raises")


def _of_ours(model: Model, change: Change, body: Fields, live: Fields) -> Fields:
    """What is kept of a record as it was: the fields that the files name, or that are sent. The rest is none of ours,
    and run records may be read by more people than the server."""
    ours = {*body, *change.managed, "id", model.identity}
    return {name: value for name, value in live.items() if name in ours}


async def _delete(client: WriteClient, model: Model, change: Change, journal: Journal) -> Outcome:
    assert change.id is not None
    for attempt in range(1, TRIES + 1):
        try:
            live = await client.detail(model, change.id)
        except NotFound:
            return Outcome(change, Status.APPLIED, change.id)
        except ServerError as error:
            if attempt == 1:
                raise
            return _in_doubt(change, error)
        if expects(model, live) != change.expects:
            return _moved(model, change, live, sent=attempt > 1)
        intend = functools.partial(journal.intend, change, "DELETE", {}, live)
        try:
            await client.delete(model, change.id, intend)
        except NotFound:  # gone between our look and our request: what was wanted
            pass
        except ServerError as error:
            if not is_lost(error) or attempt == TRIES:
                raise
            continue
        return Outcome(change, Status.APPLIED, change.id)
    raise AssertionError("the last try returns or raises")


def _taken(model: Model, change: Change, body: Fields, written: Written) -> Outcome:
    """The outcome of a write that was answered: proposed, or applied with what the server does not hold of it."""
    id_ = str(written.fields.get("id"))
    if written.proposed:
        return Outcome(change, Status.PROPOSED, change.id, approval=id_)
    if change.id not in (None, id_):
        raise NotTheApi(f"The server answered with another record, id {id_}.")
    before = {f.path: f.before for f in change.fields}
    refused = {
        name: value
        for name, value in body.items()
        if not _held(model, name, value, written.fields, before.get(name)) and not model.fields[name].proposal
    }
    observed = _observed(model, change, body, written.fields)
    return Outcome(change, Status.APPLIED, id_, refused=refused, observed=observed)


def _observed(model: Model, change: Change, body: Fields, answer: Fields) -> Fields:
    """What the server holds in another form than it was sent, or beside what was declared."""
    return {
        name: answer[name]
        for name, value in body.items()
        if name in answer and not _as_declared(model.fields[name], value, answer[name], change.declared.get(name))
    }


def _as_declared(row: Field, sent: Value, answer: Value, declared: Value) -> bool:
    """Whether an answer says no more than was declared; what is sent of a set holds the elements of others too."""
    others = row.merges and len(sent or ()) != len(declared or ())
    return same(row, sent, answer) and not others


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


def _moved(model: Model, change: Change, live: Fields, sent: bool) -> Outcome:
    """The record is not as the plan saw it: nothing is sent, or, after an answer was lost, not again."""
    lines = []
    for f in change.fields:
        row = model.fields[f.path.partition(".")[0]]
        if row.name in live and not row.to and row.kind != "map" and not same(row, f.before, live[row.name]):
            lines += [f"{f.path}: as planned {f.before!r}, server now {live[row.name]!r}"]
    again = "Sent once, without an answer, and not again." if sent else "Not sent."
    lines.append(f"{again} The other changes of the plan are not affected; plan again to see it as it is now.")
    status = Status.UNKNOWN if sent else Status.FAILED
    return Outcome(
        change, status, change.id, message="changed on the server since this plan was made", detail=tuple(lines)
    )


def _in_doubt(change: Change, error: ServerError) -> Outcome:
    """The answer to a write was lost, and looking for what became of it failed as well."""
    message = f"Sent, the answer was lost, and looking for it failed: {error.what}"
    return Outcome(change, Status.UNKNOWN, change.id, message=message)


def _failed(change: Change, error: ServerError, sent: bool) -> Outcome:
    """The outcome of a request that did not succeed; unknown if a write was sent and may have been carried out."""
    if isinstance(error, Forbidden | NotFound | NotAuthorised) or not error.messages:
        message = f"{error.what} {error.why}".strip()
    else:
        texts = (f"{name}: {' '.join(said)}" if name else " ".join(said) for name, said in error.messages.items())
        message = f"{error.status} {'; '.join(texts)}"
    status = Status.UNKNOWN if sent and is_lost(error) else Status.FAILED
    gone = isinstance(error, NotAuthorised) or (isinstance(error, Unreachable) and not error.sent)
    detail = tuple(f"{command}    {does}" for command, does in error.hints) if gone else ()
    return Outcome(change, status, message=message, detail=detail, errors=error.messages, hopeless=gone)
