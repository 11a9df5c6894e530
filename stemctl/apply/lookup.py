"""Looking for the result of a POST or a proposal where its answer does not tell."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Lookup:
    """A record, or proposal, that was sent with `body`, and the client to look for it."""

    client: WriteClient
    model: Model
    change: Change
    body: Fields

    async def find(self, lost: ServerError, answered: str | None = None) -> Outcome:
        """What became of it.

        A record with our name and our content is ours. `answered` is the id that the server gave
        the record in its answer: with our name it is ours whatever else it holds, and what it does
        not hold is a finding.
        """
        try:
            if self.change.approval:
                return await self._proposal(lost)
            if self.model.identity is None:
                return await self._by_id(lost, answered)
            return await self._by_name(lost, answered)
        except ServerError as error:
            return outcomes.in_doubt(self.change, error)

    async def _by_name(self, lost: ServerError, answered: str | None) -> Outcome:
        for fields in await self._with_our_name():
            if as_sent(self.model, fields, self.body) or fields["id"] == answered:
                return self._taken(fields, proposed=False)
            return outcomes.other_content(self.model, self.change, str(fields["id"]))
        return outcomes.not_there_yet(self.model, self.change, lost)

    async def _by_id(self, lost: ServerError, answered: str | None) -> Outcome:
        """A record without a unique name: only the planner searches for it by its content."""
        try:
            fields = await self.client.detail(self.model, answered) if answered else None
        except NotFound:
            fields = None
        if fields is not None and as_sent(self.model, fields, self.body):
            return self._taken(fields, proposed=False)
        return outcomes.not_there_yet(self.model, self.change, lost)

    async def _proposal(self, lost: ServerError) -> Outcome:
        query, name = self._query()
        page = await self.client.approval_page(self.model, 0, query)
        for fields in page.records:
            # A proposal that was decided before is not the one that was sent now.
            is_open = fields.get("status") not in DECIDED
            is_ours = fields.get(self.model.identity or "") == name
            if is_open and is_ours and not unheld(self.model, self.body, fields, {}):
                return self._taken(fields, proposed=True)
        return outcomes.not_there_yet(self.model, self.change, lost)

    def _taken(self, fields: Fields, proposed: bool) -> Outcome:
        return outcomes.taken(self.model, self.change, self.body, WriteResult(fields, proposed))

    def _query(self) -> tuple[Query, object]:
        """A query for the name that was sent, and the name."""
        assert self.model.identity is not None
        name = self.body.get(self.model.identity)
        return Query(filters=((self.model.identity, str(name)),)), name

    async def _with_our_name(self) -> list[Fields]:
        """The records that have the name that was sent.

        Raises:
            NotTheApi: the server did not list what it counts.
        """
        query, name = self._query()
        page = await self.client.page(self.model, 0, query)
        if page.total not in (None, len(page.records)):
            raise NotTheApi(
                f"The server counts {page.total:,} records with this {self.model.identity}, "
                f"but lists {len(page.records):,}."
            )
        return [fields for fields in page.records if fields.get(self.model.identity or "") == name]

    async def name_taken(self, error: Refused) -> Outcome:
        """Explain that the server refused a name which no visible record has."""
        model = self.model
        refused = outcomes.failed(self.model, self.change, error, sent=False)
        if model.identity is None or model.identity not in error.messages:
            return refused
        if self.body.get(model.identity) is None:
            return refused
        try:
            visible = await self._with_our_name()
            total = (await self.client.page(model)).total
        except ServerError:  # then the server's own words have to do
            return refused
        if visible:
            return refused
        seen = f"No {model.words}" if total is None else f"None of the {model.count(total)}"
        detail = (
            f"{seen} that you can see has this {model.identity}, so it belongs to a record that is "
            "hidden from you.",
            f"The {model.identity} of {model.one_of_them} must be unique on the whole server.",
            f"Choose another {model.identity} and apply again.",
        )
        texts = " ".join(error.messages[model.identity])
        message = f"The server refused the {model.identity}: {texts}"
        return Outcome(
            self.change, Status.FAILED, message=message, detail=detail, errors=error.messages
        )
