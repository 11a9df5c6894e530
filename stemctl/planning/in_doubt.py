"""Requests whose answer was lost: decided by what the server shows now.

Nothing here guesses. A record with the content that was sent is ours. A record with the same name
and different content may belong to someone else. If there is no such record, nothing was created,
but only where a late arrival can do no harm: the server refuses a second record with the same
name, while only time rules out a second proposal, or a second record without a unique name.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set

from msgspec.structs import replace

from stemctl.core.plan import Action, Change, FieldChange, Held, Settled, StateChange
from stemctl.core.records import Address, Record
from stemctl.core.state import Entry, PendingRequest, State
from stemctl.planning import members
from stemctl.planning.bindings import (
    Absent,
    Ambiguous,
    Binding,
    Bound,
    Identities,
    Unknown,
    import_command,
)
from stemctl.planning.declared import base_of, written_rows
from stemctl.planning.identity import Key, identity_words, keys_of
from stemctl.planning.references import Resolver
from stemctl.planning.values import is_empty, same, same_as_sent
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

SETTLES_AFTER = datetime.timedelta(seconds=60)
"""A reading that began this long after a request was sent shows its outcome."""


# The requests that the state remembers


def creations(entry: Entry | None) -> tuple[PendingRequest, ...]:
    """The creations of a record that are in doubt, the latest last."""
    if entry is None:
        return ()
    return tuple(doubt for doubt in entry.pending if doubt.method == "POST")


def deletion_sent(entry: Entry | None) -> bool:
    """Whether a deletion is in doubt: if the record is gone, then we deleted it."""
    return entry is not None and any(doubt.method == "DELETE" for doubt in entry.pending)


def is_settled(doubt: PendingRequest, began: datetime.datetime | None) -> bool:
    """Whether a reading that began then shows the outcome of the request."""
    return began is not None and began - _sent_at(doubt) >= SETTLES_AFTER


def not_settled(
    doubts: Iterable[PendingRequest], began: datetime.datetime | None
) -> tuple[PendingRequest, ...]:
    """The requests that may still arrive, the latest last."""
    return tuple(doubt for doubt in doubts if not is_settled(doubt, began))


def may_arrive(doubt: PendingRequest) -> tuple[str, ...]:
    """The detail of a change whose earlier request may still arrive."""
    return (
        f"sent at {_clock(_sent_at(doubt))}, but the answer was lost; "
        f"a plan after {_settles_at(doubt)} shows the outcome",
    )


def _sent_at(doubt: PendingRequest) -> datetime.datetime:
    return datetime.datetime.fromisoformat(doubt.at)


def _settles_at(doubt: PendingRequest) -> str:
    return _clock(_sent_at(doubt) + SETTLES_AFTER)


def _clock(moment: datetime.datetime) -> str:
    """A time of day, in UTC."""
    return f"{moment.astimezone(datetime.UTC):%H:%M:%SZ}"


# What the server shows of them


def as_sent(model: Model, live: Fields, body: Fields) -> bool:
    """Whether a record has the content that was sent and no more, as far as the server shows it."""
    for row in model.managed:
        if row.name not in live or row.proposal:  # no record shows what only a proposal holds
            continue
        if row.after_create and row.name not in body:  # it has the values of the server at first
            continue
        value = live[row.name]
        if row.name in body:
            if not same_as_sent(row, body, live):
                return False
        elif not (is_empty(row, value) or _is_default(row, value)):
            return False
    return True


def _is_default(row: Field, value: object) -> bool:
    return row.default is not None and same(row, row.default, value)


def find_creation(
    model: Model,
    entry: Entry,
    keys: Collection[Key],
    *,
    candidates: Callable[[PendingRequest], Mapping[str, Fields]],
    began: datetime.datetime | None,
) -> Binding | None:
    """The record that a creation in doubt made, identified by the content that was sent.

    `candidates` gives the live records that a creation may have made; `keys` are what tells the
    record apart as the files declare it now. None: the record is known not to be there, so they
    decide as for any other record.
    """
    doubts = creations(entry)
    for doubt in doubts:
        lives = candidates(doubt)
        ours = {id_: live for id_, live in lives.items() if as_sent(model, live, doubt.body)}
        if len(ours) == 1:
            (id_,) = ours
            return Bound(id_, ours, "sent", entry)
        if ours:
            return Ambiguous(ours, doubt)
    for doubt in () if model.nameless else doubts:
        lives = candidates(doubt)
        if lives and set(keys_of(model, doubt.body)) & set(keys):
            return Ambiguous(lives, doubt)
    # The API does not say that it refuses a second entry of a log at one moment.
    is_refused_twice = not (model.nameless or model.embedded)
    still_open = () if is_refused_twice else not_settled(doubts, began)
    return Ambiguous({}, doubts[-1]) if still_open else None


def with_arrived(model: Model, entry: Entry, live: Fields) -> Entry:
    """The entry with those values in its base that were sent without an answer and did arrive."""
    if not entry.pending:
        return entry
    applied, observed = dict(entry.applied), dict(entry.observed)
    for doubt in entry.pending:
        for name, value in doubt.body.items():
            known = name in model.fields and name in doubt.declared and name in live
            if known and _has_arrived(model.fields[name], value, live[name]):
                applied[name] = doubt.declared[name]
                observed[name] = live[name]
    return replace(entry, applied=applied, observed=observed)


def _has_arrived(row: Field, sent: Value, live: Value) -> bool:
    if row.kind == "members":
        return members.has_arrived(row, sent, live)
    return same(row, sent, live)


# A creation whose outcome the server does not show clearly


def ambiguous_change(
    record: Record, binding: Ambiguous, model: Model, resolver: Resolver
) -> Change:
    """The change of a record that may have been created: shown, and not sent.

    It is blocked while the request may still arrive, and a conflict where the user has to decide.
    """
    doubt, lives = binding.doubt, binding.lives
    change = Change(
        record.address,
        Action.CREATE,
        "conflict" if lives else "new",
        held=Held.CONFLICT if lives else Held.BLOCKED,
        approval=model.approval is not None,
        location=record.location,
        previous_address=binding.previous_address,
        pending_since=doubt.at,
        detail=_ambiguous_detail(record, binding, model),
    )
    if len(lives) != 1:
        return change
    ((id_, live),) = lives.items()
    rows = (
        _difference(record, row, live, doubt=doubt, resolver=resolver)
        for row in written_rows(model, record)
    )
    fields = tuple(field_change for field_change in rows if field_change is not None)
    return replace(change, id=id_, fields=fields, declared=base_of(model, record))


def _ambiguous_detail(record: Record, binding: Ambiguous, model: Model) -> tuple[str, ...]:
    commands = tuple(import_command(record.address, id_) for id_ in binding.lives)
    if not commands:
        return may_arrive(binding.doubt)
    if len(commands) > 1:
        return (
            f"{len(commands):,} records on the server have the content that was sent; "
            "bind one of them:",
            *commands,
        )
    return (
        f"sent at {_clock(_sent_at(binding.doubt))}, but the answer was lost. The server now has "
        f"{model.one_of_them} with this {identity_words(model)} and different content.",
        f"If it is not yours, choose another {identity_words(model)}. If it is yours:",
        *commands,
    )


def _difference(
    record: Record, row: Field, live: Fields, *, doubt: PendingRequest, resolver: Resolver
) -> FieldChange | None:
    """A field as it was sent, as the files declare it, and as the server has it.

    None where the last two are the same.
    """
    if row.name not in live:
        return None
    written, there = record.fields[row.name], live[row.name]
    if same(row, resolver.resolve(row, written, record), there):
        return None
    return FieldChange(
        row.name,
        resolver.written(row, there),
        written,
        reason="conflict",
        held=Held.CONFLICT,
        location=record.location_of(row.name),
        base=doubt.declared.get(row.name),
        shown=row.shown,
    )


# The findings, for people to read


def settled_rows(
    state: State,
    identities: Identities,
    catalog: Catalog,
    *,
    changes: Iterable[Change],
    state_changes: Iterable[StateChange],
    chosen: Set[Address],
) -> Iterator[Settled]:
    """One row per chosen address in doubt: what the server shows, and what follows."""
    change_of = {change.address: change for change in changes}
    state_change_of = {row.address: row for row in state_changes}
    new_address = {old: new for new, old in identities.moved.items()}
    in_doubt = sorted(address for address, entry in state.records.items() if entry.pending)
    for old in in_doubt:
        address = new_address.get(old, old)
        model = catalog.models.get(old.model)
        if model is not None and address in chosen:
            words = _finding(
                model,
                state.records[old].pending[-1],
                identities.bindings.get(address),
                change=change_of.get(address),
                state_change=state_change_of.get(address),
            )
            yield Settled(address, *words)


def _finding(
    model: Model,
    doubt: PendingRequest,
    binding: Binding | None,
    *,
    change: Change | None,
    state_change: StateChange | None,
) -> tuple[str, str]:
    if isinstance(binding, Unknown):
        return "could not be read", "stopped"
    if doubt.method == "DELETE":
        return _deleted(binding, change, state_change)
    if model.approval is not None:
        return _proposed(doubt, change, state_change)
    if doubt.method == "POST":
        return _created(doubt, binding, change)
    return _updated(model, doubt, binding, change=change)


def _then(change: Change | None, otherwise: str = "nothing to send") -> str:
    if change is not None and change.request is not None:
        return "in the plan again"
    if change is not None and change.held is not None:
        return f"held: {change.held}"
    return otherwise


def _created(
    doubt: PendingRequest, binding: Binding | None, change: Change | None
) -> tuple[str, str]:
    match binding:
        case Bound(found="sent"):
            return "on the server, as sent", "taken as created"
        case Ambiguous(lives=lives) if len(lives) > 1:
            return "several on the server", "stopped"
        case Ambiguous(lives=lives) if lives:
            return "on the server, but different", "stopped"
        case Ambiguous():
            return "not on the server yet", f"stopped until {_settles_at(doubt)}"
        case Bound() | Absent():
            return "not on the server", _then(change)
        case None if change is not None and change.action is Action.DELETE:
            return "on the server, as sent", _then(change)
    return "not on the server", "no longer in the files"


def _updated(
    model: Model, doubt: PendingRequest, binding: Binding | None, *, change: Change | None
) -> tuple[str, str]:
    if not isinstance(binding, Bound):
        return "not found", _then(change)
    live = binding.live
    comparable = [name for name in doubt.body if name in live and name in model.fields]
    if all(_has_arrived(model.fields[name], doubt.body[name], live[name]) for name in comparable):
        return "on the server, as sent", "taken as updated"
    if change is not None and change.held is Held.CONFLICT:
        return "on the server, but different", "stopped"
    return "not as sent", _then(change)


def _deleted(
    binding: Binding | None, change: Change | None, state_change: StateChange | None
) -> tuple[str, str]:
    removed = state_change is not None and state_change.drop
    if removed or isinstance(binding, Absent):
        return "gone", "taken as deleted"
    return "still on the server", _then(change, "stays, as the files say")


def _proposed(
    doubt: PendingRequest, change: Change | None, state_change: StateChange | None
) -> tuple[str, str]:
    if state_change is not None and state_change.approval is not None:
        return f"approval {state_change.approval[:8]}", "taken as proposed"
    if change is not None and change.pending_since is not None:
        return "not among the approvals yet", f"stopped until {_settles_at(doubt)}"
    return "not among the approvals", _then(change)
