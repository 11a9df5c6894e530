"""Looking for the result of a POST or a proposal where its answer does not tell."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from stemctl.apply import outcomes
from stemctl.client.client import Query, WriteClient, WriteResult
from stemctl.client.listing import read_all
from stemctl.client.proof import unheld
from stemctl.client.responses import NotFound, NotTheApi, Refused, ServerError
from stemctl.core.apply_report import Outcome
from stemctl.core.plan import Change
from stemctl.planning.approvals import DECIDED
from stemctl.planning.identity import unique_groups
from stemctl.planning.in_doubt import as_sent
from stemctl.planning.values import same
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields
from stemctl.util.plural import joined


class Lookup(Struct, frozen=True):
    """A record, or proposal, that was sent with `body`, and the client to look for it.

    `known` are the ids of the records that existed before, or that others turned out to be.
    `has_twin` says that the plan creates another record with the same content.
    """

    client: WriteClient
    model: Model
    change: Change
    body: Fields
    known: Collection[str] = ()
    has_twin: bool = False

    async def find(self, lost: ServerError, answered: str | None = None) -> Outcome:
        """What became of it.

        A record with our name and our content is ours. `answered` is the id that the server gave
        the record in its answer: with our name it is ours whatever else it holds, and what it does
        not hold is a finding.
        """
        try:
            if self.change.approval:
                return await self._proposal(lost)
            if self.model.nameless:
                return await self._by_content(lost, answered)
            return await self._by_key(lost, answered)
        except ServerError as error:
            return outcomes.in_doubt(self.change, error)

    async def _by_key(self, lost: ServerError, answered: str | None) -> Outcome:
        for fields in await self._with_our_key():
            if as_sent(self.model, fields, self.body) or fields["id"] == answered:
                return self._taken(fields, proposed=False)
            return outcomes.other_content(self.model, self.change, str(fields["id"]))
        return outcomes.not_there_yet(self.model, self.change, lost)

    async def _by_content(self, lost: ServerError, answered: str | None) -> Outcome:
        """A record without a unique name: the one with its content, if no other can be meant.

        Where the plan creates several alike, only the next plan can count them.
        """
        ours = []
        if answered is not None:
            ours = await self._answered(answered)
        elif not self.has_twin:
            ours = await self._unknown_beside()
        if len(ours) == 1:
            return self._taken(ours[0], proposed=False)
        if ours:
            ids = [str(fields["id"]) for fields in ours]
            return outcomes.several_alike(self.model, self.change, ids)
        return outcomes.not_there_yet(self.model, self.change, lost)

    async def _answered(self, id_: str) -> list[Fields]:
        """The record that the server named in its answer, if it has what was sent."""
        try:
            fields = await self.client.detail(self.model, id_)
        except NotFound:
            return []
        return [fields] if as_sent(self.model, fields, self.body) else []

    async def _unknown_beside(self) -> list[Fields]:
        """The records of the same parent, or with the same label, that have the content that was
        sent and did not exist before.
        """
        name = self.model.parent or self.model.label
        value = self.body.get(name) if name else None
        if not name or value is None:
            return []
        query = Query(filters=((name, str(value)),))
        reading = await read_all(
            self.model.name, lambda offset: self.client.page(self.model, offset, query)
        )
        if not reading.sound:
            raise NotTheApi(f"{reading.reason}.")
        return [
            fields
            for id_, fields in reading.records.items()
            if id_ not in self.known and as_sent(self.model, fields, self.body)
        ]

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

    async def _with_our_key(self, group: tuple[str, ...] | None = None) -> list[Fields]:
        """The records that have what has to be unique of what was sent; `group` are its fields.

        Raises:
            NotTheApi: the server did not list what it counts.
        """
        names = group or unique_groups(self.model)[0]
        filters = tuple((name, str(self.body.get(name))) for name in names)
        page = await self.client.page(self.model, 0, Query(filters=filters))
        if page.total not in (None, len(page.records)):
            raise NotTheApi(
                f"The server counts {page.total:,} records with this {joined(names)}, "
                f"but lists {len(page.records):,}."
            )
        rows = [self.model.fields[name] for name in names]
        return [
            fields
            for fields in page.records
            if all(same(row, self.body.get(row.name), fields.get(row.name)) for row in rows)
        ]

    async def name_taken(self, error: Refused) -> Outcome:
        """Explain that the server refused what no visible record has."""
        refused = outcomes.failed(self.model, self.change, error, sent=False)
        for group in unique_groups(self.model):
            if not _about(group, error) or any(self.body.get(name) is None for name in group):
                continue
            try:
                visible = await self._with_our_key(group)
                total = (await self.client.page(self.model)).total
            except ServerError:  # then the server's own words have to do
                return refused
            if not visible:
                return outcomes.hidden_name(self.model, self.change, error, joined(group), total)
        return refused


def _about(group: tuple[str, ...], error: Refused) -> bool:
    """Whether the server's messages are about these fields being unique."""
    if len(group) == 1:
        return group[0] in error.messages
    texts = (text for texts in error.messages.values() for text in texts)
    return any(all(name in text for name in group) for text in texts)
