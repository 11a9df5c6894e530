"""What became of a change, as an outcome: from what the server answered, or holds now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from stemctl.client.client import WriteResult
from stemctl.client.proof import Proof, of_error, unheld, unshown
from stemctl.client.responses import Forbidden, NotAuthorised, NotFound, ServerError, Unreachable
from stemctl.core.apply_report import Outcome, Status
from stemctl.core.plan import METHODS, Action, Change
from stemctl.planning.bindings import import_command
from stemctl.planning.identity import identity_words
from stemctl.planning.members import invited
from stemctl.planning.not_held import shortened
from stemctl.planning.values import same
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined

_NOTHING: Fields = {}


def taken(
    model: Model, change: Change, body: Fields, written: WriteResult, before: Fields = _NOTHING
) -> Outcome:
    """A write that is proven: proposed, or applied with the fields that the server does not hold.

    `before` is the record as it was.
    """
    id_ = str(written.fields["id"])
    if written.proposed:
        return Outcome(change, Status.PROPOSED, change.id, approval=id_)
    refused = unheld(model, body, written.fields, before) | unshown(model, body) or _NOTHING
    observed = _observed(model, change, body, written.fields) or _NOTHING
    message = "; ".join(_invited(model, body, written.fields))
    return Outcome(change, Status.APPLIED, id_, message=message, refused=refused, observed=observed)


def _invited(model: Model, body: Fields, answer: Fields) -> Iterator[str]:
    """Who was added and is not among the members yet."""
    for name, value in body.items():
        row = model.fields[name]
        if row.kind != "members" or name not in answer:
            continue
        if names := invited(row, value, answer[name]):
            yield f"{name}: {joined(names)} invited, pending until accepted"


def _observed(model: Model, change: Change, body: Fields, answer: Fields) -> Fields:
    """What the server holds in another form than was sent, or beside what was declared."""
    return {
        name: answer[name]
        for name, value in body.items()
        if name in answer
        and not _as_declared(model.fields[name], value, answer[name], change.declared.get(name))
    }


def _size(value: Value) -> int:
    """How many elements a value has; a saved plan may hold anything in its place."""
    return len(value) if isinstance(value, dict | list) else 0


def _as_declared(row: Field, sent: Value, answer: Value, declared: Value) -> bool:
    """Whether an answer holds no more than was declared.

    What is sent of a set also has the elements of other people; of members, those that change.
    """
    if row.kind == "members":
        return same(row, declared, answer)
    others = row.merges and _size(sent) != _size(declared)
    return same(row, sent, answer) and not others


def together(first: Outcome, then: Outcome) -> Outcome:
    """The outcome of a change after a further request of it."""
    change, id_ = first.change, first.id
    refused, observed = {**first.refused, **then.refused}, {**first.observed, **then.observed}
    then = replace(then, change=change, id=id_, refused=refused, observed=observed)
    if then.status is Status.APPLIED:
        return then
    names = joined([name for request in change.then for name in request.body or {}])
    done = f"It was created, id {id_}. The next plan shows {names} as an edit."
    return replace(then, detail=(*then.detail, done), done="created")


_AGAIN = {
    True: "It was sent once, the answer was lost, and it was not sent again.",
    False: "Not sent.",
}


def moved(model: Model, change: Change, live: Fields, sent: bool) -> Outcome:
    """The record is not as the plan saw it, so nothing is sent.

    `sent` is true where it was sent before and the answer was lost.
    """
    differences = []
    for field in change.fields:
        row = model.fields[field.path.partition(".")[0]]
        if row.name not in live or row.to or row.keyed:
            continue
        if not same(row, field.before, live[row.name]):
            before, now = shortened(field.before, live[row.name])
            differences.append(f"{field.path}: planned {before}, now {now} on the server")
    then = (
        f"{_AGAIN[sent]} Other changes of the plan are not affected. "
        "Plan again to see the record as it is now."
    )
    status = Status.UNKNOWN if sent else Status.FAILED
    message = "changed on the server since this plan was made"
    return Outcome(change, status, change.id, message=message, detail=(*differences, then))


def not_found(model: Model, change: Change, sent: bool) -> Outcome:
    """The record is no longer visible. That does not prove that it was deleted."""
    return Outcome(
        change,
        Status.UNKNOWN if sent else Status.FAILED,
        change.id,
        message="not found: deleted since this plan was made, or hidden from you",
        detail=(
            f"{_AGAIN[sent]} Plan again: {model.one_of_them} that is not found stays in the state "
            "until you decide.",
        ),
    )


def other_content(model: Model, change: Change, id_: str) -> Outcome:
    """The name is taken, perhaps by another user at the same moment; this does not guess."""
    unique = identity_words(model)
    detail = (
        f"Another user may have taken this {unique} at the same moment. "
        "That record was not changed.",
        f"If it is not yours, choose another {unique}. If it is yours:",
        import_command(change.address, id_),
    )
    message = (
        f"The answer was lost, and the server has {model.one_of_them} with this {unique} "
        "and different content."
    )
    return Outcome(change, Status.UNKNOWN, message=message, detail=detail)


def several_alike(model: Model, change: Change, ids: Sequence[str]) -> Outcome:
    """The answer was lost, and more than one new record has what was sent; this does not guess."""
    message = (
        f"The answer was lost, and the server has {model.count(len(ids))} with the content that "
        "was sent."
    )
    commands = (import_command(change.address, id_) for id_ in ids)
    return Outcome(change, Status.UNKNOWN, message=message, detail=("Bind one of them:", *commands))


def hidden_name(
    model: Model, change: Change, error: ServerError, unique: str, total: int | None
) -> Outcome:
    """The server refused a name that no visible record has; `total` are the visible records."""
    seen = f"No {model.words}" if total is None else f"None of the {model.count(total)}"
    detail = (
        f"{seen} that you can see has this {unique}, so it belongs to a record that is "
        "hidden from you.",
        f"The {unique} of {model.one_of_them} must be unique on the whole server.",
        f"Choose another {unique} and apply again.",
    )
    texts = error.messages.get(unique) or [t for texts in error.messages.values() for t in texts]
    message = f"The server refused the {unique}: {' '.join(texts)}"
    return Outcome(change, Status.FAILED, message=message, detail=detail, errors=error.messages)


def other_entry(model: Model, change: Change, id_: str) -> Outcome:
    """An entry was sent, and another one is at its moment; this does not guess."""
    detail = (
        f"Another user may have added that {model.words} at the same moment. It was not changed.",
        "If it is not yours, write another moment. If it is yours:",
        import_command(change.address, id_),
    )
    message = "The answer was lost, and there is an entry at this moment with different content."
    return Outcome(change, Status.UNKNOWN, message=message, detail=detail)


def moment_taken(model: Model, parent: Model, change: Change) -> Outcome:
    """An entry cannot be added: one that the plan did not see is at its moment."""
    return Outcome(
        change,
        Status.FAILED,
        message=f"the {parent.words} has an entry at this moment since this plan was made",
        detail=(f"Not sent. Plan again to see that {model.words}.",),
    )


def not_there_yet(model: Model, change: Change, lost: ServerError) -> Outcome:
    """A creation, or proposal, whose answer was lost, and that was not found."""
    refuses_second = not (model.nameless or model.embedded or change.approval)
    then = "The next apply sends it again." if refuses_second else "Plan again in a minute."
    message = f"Sent, but the answer was lost: {lost.what} The record was not found yet. {then}"
    return Outcome(change, Status.UNKNOWN, message=message)


def perhaps_invited(change: Change, lost: ServerError) -> Outcome:
    """Members were sent, the answer was lost, and they may be invited by now."""
    message = f"Sent, but the answer was lost: {lost.what} The members may be invited already."
    detail = ("Plan again in a minute: it looks at the invitations, and invites no one twice.",)
    return Outcome(change, Status.UNKNOWN, change.id, message=message, detail=detail)


def in_doubt(change: Change, error: ServerError) -> Outcome:
    """The answer to a write was lost, and looking for the record failed as well."""
    message = f"Sent, but the answer was lost, and looking for the record failed: {error.what}"
    return Outcome(change, Status.UNKNOWN, change.id, message=message)


def failed(model: Model, change: Change, error: ServerError, sent: bool) -> Outcome:
    """A request that did not succeed; unknown if it was sent and may have been carried out."""
    method = METHODS.get(change.action, "PATCH")
    maybe_done = sent and of_error(method, error) is Proof.LOST
    no_connection = isinstance(error, Unreachable) and not error.sent
    fatal = no_connection or isinstance(error, NotAuthorised)
    hints = tuple(f"{command}    {does}" for command, does in error.hints)
    return Outcome(
        change,
        Status.UNKNOWN if maybe_done else Status.FAILED,
        message=_message(error),
        detail=hints if fatal else _why_forbidden(model, change, error),
        errors=error.messages,
        fatal=fatal,
    )


def _why_forbidden(model: Model, change: Change, error: ServerError) -> tuple[str, ...]:
    """Who may do what this account may not."""
    who = model.delete_by if change.action is Action.DELETE else model.write_by
    if who is None or not isinstance(error, Forbidden):
        return ()
    verb = "delete" if change.action is Action.DELETE else "add or change"
    return (f"Only {who} of the server may {verb} {model.one_of_them}. Ask one of them to do it.",)


def _message(error: ServerError) -> str:
    if isinstance(error, Forbidden | NotFound | NotAuthorised) or not error.messages:
        return f"{error.what} {error.why}".strip()
    by_field = []
    for name, texts in error.messages.items():
        text = " ".join(texts)
        by_field.append(f"{name}: {text}" if name else text)
    return f"{error.status} {'; '.join(by_field)}"
