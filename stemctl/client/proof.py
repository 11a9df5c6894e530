"""What a response proves, for writes, reads and listings. Pure; no other module decides this.

Create (POST):
  proven     the name or parent that was sent, with a new id
  lost       another one, a known id, any other success, 5xx, no response
  refused    any other 4xx
  no answer  429, or no connection
Change (PATCH):
  proven     the requested record
  lost       another record, any other success, 5xx, no response
  refused    any other 4xx
  no answer  429, or no connection
Delete (DELETE):
  proven     success without a body
  lost       success with a body, 404, 5xx, no response
  refused    any other 4xx
  no answer  429, or no connection
Read of one record:
  proven     the requested record; a 404 of the API says that there is none, or that it is hidden
  refused    401, 403
  no answer  anything else
Listing:
  proven     pages that add up
  refused    401, 403, 404
  no answer  anything else

A 404 that is not in the form of the API proves nothing. Lost: the write may have been carried out,
and only a read can tell. A proven write may still have stored other values than were sent: `unheld`
returns them.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from stemctl.client.responses import NotFound, NotTheApi, ServerError, Unavailable, Unreachable
from stemctl.planning.identity import unique_groups
from stemctl.planning.members import refused
from stemctl.planning.values import defaulted, elements_alike, is_empty, same, same_element
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


class Proof(enum.StrEnum):
    """What a response proves."""

    PROVEN = "proven"
    LOST = "lost"
    REFUSED = "refused"
    NO_ANSWER = "no answer"


class Evidence(Struct, frozen=True):
    """What a response proves, and why it does not prove more."""

    proof: Proof
    why: str = ""


_PROVEN = Evidence(Proof.PROVEN)


def of_error(method: str, error: ServerError) -> Proof:
    """What an error proves about a write."""
    if isinstance(error, Unreachable):
        return Proof.LOST if error.sent else Proof.NO_ANSWER
    if isinstance(error, Unavailable):
        return Proof.NO_ANSWER if error.status == 429 else Proof.LOST
    if isinstance(error, NotFound):  # the aim of a DELETE, but only a read can confirm it
        return Proof.LOST if method == "DELETE" else Proof.REFUSED
    return Proof.LOST if isinstance(error, NotTheApi) else Proof.REFUSED


def of_create(model: Model, body: Fields, answer: Fields, known: Collection[str]) -> Evidence:
    """What the response to a POST proves; `known` are the ids of other records and proposals."""
    if answer["id"] in known and not model.integer_ids:  # a user and a group may share a number
        why = f"The server answered with a record that existed before, id {answer['id']}."
        return Evidence(Proof.LOST, why)
    for name in _telling(model):
        if not same(model.fields[name], body.get(name), answer.get(name)):
            why = f"The server answered with the {name} {answer.get(name)!r:.80}."
            return Evidence(Proof.LOST, why)
    return _PROVEN


def _telling(model: Model) -> tuple[str, ...]:
    """The fields that an answer about our record has as they were sent: what is unique, or else its
    parent.
    """
    if model.nameless:
        return (model.parent,) if model.parent else ()
    return unique_groups(model)[0]


def of_change(model: Model, id_: str, answer: Fields, proposed: bool) -> Evidence:
    """What the response to a PATCH proves. A proposal names its record in `instance_id`."""
    about = answer.get("instance_id", id_) if proposed else answer["id"]
    if str(about).lower() != id_.lower():
        return Evidence(Proof.LOST, f"The server answered with another {model.words}, id {about}.")
    return _PROVEN


def of_delete(answer: Mapping[str, Value]) -> Evidence:
    """What a successful response to a DELETE proves."""
    if not answer:
        return _PROVEN
    return Evidence(Proof.LOST, "The server answered the DELETE with content.")


def of_listing(ids: Sequence[Value], totals: Collection[int | None]) -> Evidence:
    """Whether pages are the whole list: `ids` of their records, `totals` of all pages."""
    if len(set(ids)) < len(ids):
        return Evidence(Proof.NO_ANSWER, "a record was listed twice, so another one may be missing")
    if len(set(totals)) > 1:
        return Evidence(Proof.NO_ANSWER, "the number of records changed during reading")
    total = next(iter(totals), None)
    if total is not None and total != len(ids):
        why = f"the server counts {total:,} records, but listed {len(ids):,}"
        return Evidence(Proof.NO_ANSWER, why)
    return _PROVEN


def unheld(model: Model, body: Fields, answer: Fields, before: Fields) -> dict[str, Value]:
    """The fields whose stored values differ from what was sent, with what was sent.

    A value that the server normalises (see `planning.values`) does not differ. `before` is the
    record before the write: in a set or map, the elements that we removed must be gone, and the
    elements of others are ignored.
    """
    found: dict[str, Value] = {}
    for name, value in body.items():
        row = model.fields[name]
        if row.shown and not row.proposal and not _holds(row, value, answer, before.get(name)):
            found[name] = value
    return found


def unshown(model: Model, body: Fields) -> dict[str, Value]:
    """The fields that were sent and that no response shows, so that they cannot be checked."""
    found: dict[str, Value] = {}
    for name, value in body.items():
        row = model.fields[name]
        if not (row.shown or row.proposal or is_empty(row, value)):
            found[name] = value
    return found


def _holds(row: Field, sent: Value, answer: Fields, before: Value) -> bool:
    if row.name not in answer:
        return is_empty(row, sent)
    there = answer[row.name]
    if row.kind == "members":
        return not refused(row, sent, there)
    if same(row, sent, there):
        return True
    if not row.merges:
        return False
    wanted, found, planned = elements_alike(row, sent, there, before)
    taken_out = planned.keys() - wanted.keys()
    if row.details:
        taken_out -= defaulted(row, answer.get(row.details.selector), found)
    return not taken_out & found.keys() and all(
        key in found and same_element(row, element, found[key]) for key, element in wanted.items()
    )
