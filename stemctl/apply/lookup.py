"""Looking for what a POST or a proposal has come to, where its answer does not tell."""

from __future__ import annotations

from stemctl.apply import outcomes
from stemctl.client.client import Query, WriteClient, WriteResult
from stemctl.client.proof import unheld
from stemctl.client.responses import NotFound, NotTheApi, Refused, ServerError
from stemctl.core.plan import Change
from stemctl.core.report import Outcome, Status
from stemctl.planning.approvals import DECIDED
from stemctl.planning.in_doubt import as_sent
from stemctl.schema.catalog import Model
from stemctl.util.json_types import Fields


async def look_for(
    client: WriteClient,
    model: Model,
    change: Change,
    body: Fields,
    lost: ServerError,
    answered: str | None = None,
) -> Outcome:
    """What became of a record, or proposal, that was sent with `body`.

    One with our name and our content is ours. `answered` is the id under which the server has said
    that it made the record: with our name it is ours, whatever else it holds, and what it does not
    hold is a finding.
    """
    try:
        if change.approval:
            return await _proposal(client, model, change, body, lost)
        if model.identity is None:
            return await _without_a_name(client, model, change, body, lost, answered)
        return await _by_name(client, model, change, body, lost, answered)
    except ServerError as error:
        return outcomes.in_doubt(change, error)


async def _by_name(
    client: WriteClient,
    model: Model,
    change: Change,
    body: Fields,
    lost: ServerError,
    answered: str | None,
) -> Outcome:
    for fields in await _named(client, model, body):
        if as_sent(model, fields, body) or fields["id"] == answered:
            return outcomes.taken(model, change, body, WriteResult(fields, proposed=False))
        return outcomes.other_content(model, change, str(fields["id"]))
    return outcomes.not_there_yet(model, change, lost)


async def _without_a_name(
    client: WriteClient,
    model: Model,
    change: Change,
    body: Fields,
    lost: ServerError,
    answered: str | None,
) -> Outcome:
    """A record that only its content tells; the planner looks for it among all, and this look only
    by its id.
    """
    try:
        fields = await client.detail(model, answered) if answered else None
    except NotFound:
        fields = None
    if fields is not None and as_sent(model, fields, body):
        return outcomes.taken(model, change, body, WriteResult(fields, proposed=False))
    return outcomes.not_there_yet(model, change, lost)


async def _proposal(
    client: WriteClient, model: Model, change: Change, body: Fields, lost: ServerError
) -> Outcome:
    assert model.identity is not None
    name = body.get(model.identity)
    page = await client.approval_page(model, 0, Query(filters=((model.identity, str(name)),)))
    for fields in page.records:
        # A proposal that was decided before is not the one that was sent now.
        is_open = fields.get(model.identity) == name and fields.get("status") not in DECIDED
        if is_open and not unheld(model, body, fields, {}):
            return outcomes.taken(model, change, body, WriteResult(fields, proposed=True))
    return outcomes.not_there_yet(model, change, lost)


async def _named(client: WriteClient, model: Model, body: Fields) -> list[Fields]:
    """The records that have the name which was sent.

    Raises:
        NotTheApi: the server did not list what it counts.
    """
    assert model.identity is not None
    name = body.get(model.identity)
    page = await client.page(model, 0, Query(filters=((model.identity, str(name)),)))
    if page.total not in (None, len(page.records)):
        raise NotTheApi(
            f"The server counts {page.total} of this {model.identity}, and lists {len(page.records)}."
        )
    return [fields for fields in page.records if fields.get(model.identity) == name]


async def name_taken(
    client: WriteClient, model: Model, change: Change, body: Fields, error: Refused
) -> Outcome:
    """Explain a refused name that no record which we may see has."""
    refused = outcomes.failed(change, error, sent=False)
    if (
        model.identity is None
        or model.identity not in error.messages
        or body.get(model.identity) is None
    ):
        return refused
    try:
        visible = await _named(client, model, body)
        total = (await client.page(model)).total
    except ServerError:  # then the server's own words have to do
        return refused
    if visible:
        return refused
    seen = (
        f"None of the {model.count(total)} you may see"
        if total is not None
        else f"No {model.words} you may see"
    )
    detail = (
        f"{seen} has it, so it belongs to somebody whose records you cannot see:",
        f"a {model.words} {model.identity} is unique over the whole server.",
        f"Choose another {model.identity} and apply again.",
    )
    what = f"The server refused the {model.identity}: {' '.join(error.messages[model.identity])}"
    return Outcome(change, Status.FAILED, message=what, detail=detail, errors=error.messages)
