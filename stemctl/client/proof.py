"""What an answer proves. It is decided here and nowhere else, for writes, looks and listings. Pure.

| request | proven                                 | lost                          | refused       |
no answer         |
|---------|----------------------------------------|-------------------------------|---------------|-------------------|
| create  | the name that was sent, an id that is  | another name, a known id, any | any other 4xx |
429, no connection| |         | new to us                              | other success, 5xx, none
|               |                   | | change  | the record that was asked for          | another
record, any other     | any other 4xx | 429, no connection| |         |
| success, 5xx, none            |               |                   | | delete  | success without a
body                 | a body, 404, 5xx, none        | any other 4xx | 429, no connection| | look
| the record that was asked for; 404 in  |                               | 401, 403      | anything
else     | |         | the API's own form: not there, or hidden|                              |
|                   | | listing | pages that add up                      |
| 401, 403, 404 | anything else     |

A 404 without the form of the API counts as an answer of something else. Lost: the write may have
been carried out, and only a look tells. A write that is proven may still hold other values than
were sent: `unheld` names them.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from stemctl.client.responses import NotFound, NotTheApi, ServerError, Unavailable, Unreachable
from stemctl.planning.values import elements_alike, is_empty, same, same_element
from stemctl.schema.catalog import Field, Model
from stemctl.util.json_types import Fields, Value


class Proof(enum.StrEnum):
    """What may be concluded from an answer."""

    PROVEN = "proven"
    LOST = "lost"
    REFUSED = "refused"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an answer proves, and why it proves no more."""

    proof: Proof
    why: str = ""


_PROVEN = Evidence(Proof.PROVEN)


def of_error(method: str, error: ServerError) -> Proof:
    """What a write that was not answered with success has come to."""
    if isinstance(error, Unreachable):
        return Proof.LOST if error.sent else Proof.NO_ANSWER
    if isinstance(error, Unavailable):
        return Proof.NO_ANSWER if error.status == 429 else Proof.LOST
    if isinstance(error, NotFound):  # what a DELETE should lead to, if a look agrees
        return Proof.LOST if method == "DELETE" else Proof.REFUSED
    return Proof.LOST if isinstance(error, NotTheApi) else Proof.REFUSED


def of_create(model: Model, body: Fields, answer: Fields, known: Collection[str]) -> Evidence:
    """What the answer to a POST proves; `known` are the ids of other records and proposals."""
    if answer["id"] in known:
        return Evidence(
            Proof.LOST,
            f"The server answered with a record that is known already, id {answer['id']}.",
        )
    name = model.identity
    if name is None or same(model.fields[name], body.get(name), answer.get(name)):
        return _PROVEN
    return Evidence(Proof.LOST, f"The server answered with the {name} {answer.get(name)!r:.80}.")


def of_change(model: Model, id_: str, answer: Fields, proposed: bool) -> Evidence:
    """What the answer to a PATCH of a record proves; a proposal has an id of its own, and names the
    record.
    """
    about = answer.get("instance_id", id_) if proposed else answer["id"]
    if str(about).lower() != id_.lower():
        return Evidence(Proof.LOST, f"The server answered with another {model.words}, id {about}.")
    return _PROVEN


def of_delete(answer: Mapping[str, Value]) -> Evidence:
    """What a success proves that answers a DELETE."""
    if not answer:
        return _PROVEN
    return Evidence(
        Proof.LOST, "The server answered the DELETE with content, where it should have none."
    )


def of_listing(rows: Sequence[Fields], totals: Collection[int | None]) -> Evidence:
    """Whether pages may be taken as all there is; `totals` are those that the pages named."""
    ids = [fields.get("id") for fields in rows]
    if len(set(ids)) < len(ids):
        return Evidence(Proof.NO_ANSWER, "a record was listed twice, so another may be missing")
    if len(set(totals)) > 1:
        return Evidence(Proof.NO_ANSWER, "the number of records changed while they were read")
    total = next(iter(totals), None)
    if total is not None and total != len(ids):
        return Evidence(
            Proof.NO_ANSWER, f"the server says there are {total}, and listed {len(ids)}"
        )
    return _PROVEN


def unheld(model: Model, body: Fields, answer: Fields, before: Fields) -> dict[str, Value]:
    """The fields that a record does not hold as they were sent, with what was sent.

    What the server keeps in a form of its own (`planning.values` has the list) is held. `before` is
    the record as it was: of a set or map, the elements that were taken out must be gone, and those
    of others are not looked at.
    """
    return {
        name: value
        for name, value in body.items()
        if (row := model.fields[name]).shown
        and not row.proposal
        and not _holds(row, value, answer, before.get(name))
    }


def unshown(model: Model, body: Fields) -> dict[str, Value]:
    """The fields that were sent and that no answer shows, so that nothing can be said of them."""
    rows = {name: model.fields[name] for name in body}
    return {
        name: body[name]
        for name, row in rows.items()
        if not (row.shown or row.proposal or is_empty(row, body[name]))
    }


def _holds(row: Field, sent: Value, answer: Fields, before: Value) -> bool:
    if row.name not in answer:
        return is_empty(row, sent)
    there = answer[row.name]
    if same(row, sent, there):
        return True
    if not row.merges:
        return False
    wanted, found, planned = elements_alike(row, sent, there, before)
    taken_out = planned.keys() - wanted.keys()
    return not taken_out & found.keys() and all(
        key in found and same_element(row, element, found[key]) for key, element in wanted.items()
    )
