"""Requests whose answer was lost: what the server shows now says what became of them. Nothing here
guesses.

A record of the content that was sent is ours. One of its name with another content may be somebody
else's. None at all means that it was not created, but only where a late arrival could do no harm:
the server's uniqueness refuses a second record of a name, and nothing but time speaks against a
second proposal, or a second record without a unique name.
"""

from __future__ import annotations

import datetime

from stemctl.core.state import Entry, PendingRequest
from stemctl.planning.values import is_empty, same
from stemctl.schema.catalog import Model
from stemctl.util.json_types import Fields

SETTLES_AFTER = datetime.timedelta(seconds=60)
"""A look that began so long after a request was sent sees what became of it."""


def as_sent(model: Model, live: Fields, body: Fields) -> bool:
    """Whether a record has the content that was sent, as far as the server shows it, and no other."""
    for row in model.managed:
        if row.name not in live or row.proposal:  # what only a proposal holds, no record shows
            continue
        value = live[row.name]
        if row.name in body:
            if not same(row, body[row.name], value):
                return False
        elif not is_empty(row, value) and not (
            row.default is not None and same(row, row.default, value)
        ):
            return False
    return True


def is_settled(doubt: PendingRequest, began: datetime.datetime | None) -> bool:
    """Whether a look that began then shows what became of the request."""
    return began is not None and began - sent_at(doubt) >= SETTLES_AFTER


def sent_at(doubt: PendingRequest) -> datetime.datetime:
    """When the request was sent."""
    return datetime.datetime.fromisoformat(doubt.at)


def in_doubt(doubt: PendingRequest) -> tuple[str, ...]:
    """What is said of a change whose earlier request may still arrive."""
    return (
        f"sent at {clock(sent_at(doubt))} without an answer; decided by a plan after {settles_at(doubt)}",
    )


def settles_at(doubt: PendingRequest) -> str:
    """The time of day after which a look decides."""
    return clock(sent_at(doubt) + SETTLES_AFTER)


def clock(moment: datetime.datetime) -> str:
    """A time of day, in UTC."""
    return f"{moment.astimezone(datetime.UTC):%H:%M:%SZ}"


def creations(entry: Entry | None) -> tuple[PendingRequest, ...]:
    """The creations of a record that are in doubt, the latest last."""
    return tuple(d for d in entry.pending if d.method == "POST") if entry else ()


def deleted(entry: Entry | None) -> bool:
    """Whether a deletion of a record is in doubt: it is our own doing, then, if the record is gone."""
    return entry is not None and any(d.method == "DELETE" for d in entry.pending)


def with_arrived(model: Model, entry: Entry, live: Fields) -> Entry:
    """The entry with those values as its base that were sent without an answer, and that the server
    has.
    """
    if not entry.pending:
        return entry
    applied, observed = dict(entry.applied), dict(entry.observed)
    for doubt in entry.pending:
        for name, value in doubt.body.items():
            known = name in model.fields and name in doubt.declared and name in live
            if known and same(model.fields[name], value, live[name]):
                applied[name] = doubt.declared[name]
                observed[name] = live[name]
    return Entry(
        entry.id, applied, observed, entry.prevent_delete, entry.approval, entry.run, entry.pending
    )
