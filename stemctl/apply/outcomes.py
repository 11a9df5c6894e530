"""What became of a change, as an outcome: from what the server answered, or holds now. Pure."""

from __future__ import annotations

import shlex

from stemctl.client.client import WriteResult
from stemctl.client.proof import Proof, of_error, unheld, unshown
from stemctl.client.responses import Forbidden, NotAuthorised, NotFound, ServerError, Unreachable
from stemctl.core.plan import METHODS, Change
from stemctl.core.report import Outcome, Status
from stemctl.planning.values import same
from stemctl.schema.catalog import Field, Model
from stemctl.util.json_types import Fields, Value

_NOTHING: Fields = {}


def taken(
    model: Model, change: Change, body: Fields, written: WriteResult, before: Fields = _NOTHING
) -> Outcome:
    """A write that is proven: proposed, or applied with what the server does not hold of it.
    `before` is the record as it was.
    """
    id_ = str(written.fields["id"])
    if written.proposed:
        return Outcome(change, Status.PROPOSED, change.id, approval=id_)
    refused = unheld(model, body, written.fields, before) | unshown(model, body)
    observed = _observed(model, change, body, written.fields)
    return Outcome(change, Status.APPLIED, id_, refused=refused, observed=observed)


def _observed(model: Model, change: Change, body: Fields, answer: Fields) -> Fields:
    """What the server holds in another form than it was sent, or beside what was declared."""
    return {
        name: answer[name]
        for name, value in body.items()
        if name in answer
        and not _as_declared(model.fields[name], value, answer[name], change.declared.get(name))
    }


def _as_declared(row: Field, sent: Value, answer: Value, declared: Value) -> bool:
    """Whether an answer says no more than was declared; what is sent of a set holds the elements of
    others too.
    """
    others = row.merges and len(sent or ()) != len(declared or ())
    return same(row, sent, answer) and not others


def moved(model: Model, change: Change, live: Fields, sent: bool) -> Outcome:
    """The record is not as the plan saw it: nothing is sent, or, after an answer was lost, not again."""
    lines = []
    for f in change.fields:
        row = model.fields[f.path.partition(".")[0]]
        if (
            row.name in live
            and not row.to
            and row.kind != "map"
            and not same(row, f.before, live[row.name])
        ):
            lines += [f"{f.path}: as planned {f.before!r}, server now {live[row.name]!r}"]
    again = "Sent once, without an answer, and not again." if sent else "Not sent."
    lines.append(
        f"{again} The other changes of the plan are not affected; plan again to see it as it is now."
    )
    status = Status.UNKNOWN if sent else Status.FAILED
    message = "changed on the server since this plan was made"
    return Outcome(change, status, change.id, message=message, detail=tuple(lines))


def not_found(model: Model, change: Change, sent: bool) -> Outcome:
    """The record that a write is about cannot be seen any more. That does not prove that it was
    deleted.
    """
    message = "not found: deleted since this plan was made, or hidden from you"
    again = "Sent once, without an answer, and not again." if sent else "Not sent."
    detail = (
        f"{again} Plan again: a {model.words} that cannot be seen stays in the state until you decide.",
    )
    return Outcome(
        change, Status.UNKNOWN if sent else Status.FAILED, change.id, message=message, detail=detail
    )


def other_content(model: Model, change: Change, id_: str) -> Outcome:
    """The name is taken, perhaps by somebody else at the same moment: nothing is guessed."""
    detail = (
        f"Another user may have taken this {model.identity} at the same moment. Nothing of that record was changed.",
        f"If it is another one, choose another {model.identity}. If it is yours:",
        f"stemctl import {shlex.quote(str(change.address))} {id_}",
    )
    message = f"The answer was lost, and a {model.words} of this {model.identity} is there, with other content."
    return Outcome(change, Status.UNKNOWN, message=message, detail=detail)


def not_there_yet(model: Model, change: Change, lost: ServerError) -> Outcome:
    """A creation, or proposal, whose answer was lost, and that a look did not find."""
    backed = (
        model.identity is not None and not change.approval
    )  # the server refuses a second one of the name
    then = "the next apply sends it again." if backed else "plan again in a minute."
    message = f"Sent, and the answer was lost: {lost.what} It is not there yet; {then}"
    return Outcome(change, Status.UNKNOWN, message=message)


def in_doubt(change: Change, error: ServerError) -> Outcome:
    """The answer to a write was lost, and looking for what became of it failed as well."""
    message = f"Sent, the answer was lost, and looking for it failed: {error.what}"
    return Outcome(change, Status.UNKNOWN, change.id, message=message)


def failed(change: Change, error: ServerError, sent: bool) -> Outcome:
    """The outcome of a request that did not succeed; unknown if a write was sent and may have been
    carried out.
    """
    if isinstance(error, Forbidden | NotFound | NotAuthorised) or not error.messages:
        message = f"{error.what} {error.why}".strip()
    else:
        texts = (
            f"{name}: {' '.join(said)}" if name else " ".join(said)
            for name, said in error.messages.items()
        )
        message = f"{error.status} {'; '.join(texts)}"
    method = METHODS.get(change.action, "PATCH")
    status = Status.UNKNOWN if sent and of_error(method, error) is Proof.LOST else Status.FAILED
    gone = isinstance(error, NotAuthorised) or (isinstance(error, Unreachable) and not error.sent)
    detail = tuple(f"{command}    {does}" for command, does in error.hints) if gone else ()
    return Outcome(
        change, status, message=message, detail=detail, errors=error.messages, fatal=gone
    )
