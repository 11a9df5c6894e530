"""The writes that follow a look at their record: a PATCH, or a proposal of one, and a DELETE."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Protocol

from msgspec import Struct

from stemctl.apply import outcomes
from stemctl.client.client import ReadClient, WriteClient, WriteResult
from stemctl.client.proof import Proof, of_change, of_delete, unheld
from stemctl.client.responses import NotTheApi, ServerError
from stemctl.core.apply_report import Outcome, Status
from stemctl.core.plan import Change
from stemctl.planning.entries import without_entries
from stemctl.planning.members import has_arrived, locked_out
from stemctl.planning.values import expects
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.state.journal import Journal
from stemctl.util.json_types import Fields


class Write(Protocol):
    """One write of a change, sent if its record is as the plan saw it."""

    @property
    def model(self) -> Model:
        """The model of the record."""

    @property
    def change(self) -> Change:
        """The change that needs it."""

    @property
    def method(self) -> str:
        """What it does to the record."""

    async def read(self, client: ReadClient) -> Fields:
        """The record as it is now; nothing if it has to be created.

        Raises:
            NotFound: it is not there.
            ServerError: it cannot be read.
        """

    def expected(self, live: Fields) -> str:
        """What the plan compared, of a record as it is now."""

    def arrived(self, live: Fields, planned: Fields, lost: ServerError) -> Outcome | None:
        """The outcome, if the record tells that of a write whose answer was lost."""

    def whole(self, planned: Fields) -> Fields:
        """The content of a proposal."""

    async def send(self, client: WriteClient, journal: Journal, live: Fields) -> Outcome:
        """Send it.

        Raises:
            ServerError: the answer is lost, or a refusal.
        """


class Patch(Struct, frozen=True):
    """A PATCH, or a proposal of one."""

    model: Model
    change: Change
    body: Fields
    method = "PATCH"

    async def read(self, client: ReadClient) -> Fields:
        """The record."""
        assert self.change.id is not None
        return await client.detail(self.model, self.change.id)

    def expected(self, live: Fields) -> str:
        """What the plan compared, of a record as it is now."""
        return expects(self.model, live, self.change.managed or tuple(self.body))

    def arrived(self, live: Fields, planned: Fields, lost: ServerError) -> Outcome | None:
        """The outcome, if a PATCH whose answer was lost has arrived."""
        if unheld(self.model, self.body, live, planned):
            return None
        waiting = self._waiting(live)
        if any(row.invites for row in waiting):  # a second request could invite them twice
            return outcomes.perhaps_invited(self.change, lost)
        if waiting:
            return None
        return outcomes.taken(self.model, self.change, self.body, WriteResult(live, proposed=False))

    def _waiting(self, live: Fields) -> list[Field]:
        """The fields with members that were sent and are not there; they may be invited."""
        rows = [self.model.fields[name] for name in self.body]
        return [
            row
            for row in rows
            if row.kind == "members"
            and not has_arrived(row, self.body[row.name], live.get(row.name))
        ]

    def whole(self, planned: Fields) -> Fields:
        """The content of the proposal: what is sent, and the other fields as they are."""
        kept = {row.name: planned[row.name] for row in self.model.managed if row.name in planned}
        return {**kept, **self.body}

    async def send(self, client: WriteClient, journal: Journal, live: Fields) -> Outcome:
        """Send it. If the answer has other values than were sent, read what the server has.

        Raises:
            ServerError: the answer is lost, or a refusal.
        """
        model, change = self.model, self.change
        assert change.id is not None
        if why := _locked_out(model, live, self.body):
            return Outcome(change, Status.FAILED, change.id, message=f"Not sent: {why}.")
        kept = {*self.body, *change.managed, "id", model.identity}
        # More people may read run records than the server: fields that the files do not declare are
        # left out.
        before = {name: value for name, value in live.items() if name in kept}
        is_new = change.expects is None  # there is nothing to restore
        intend = functools.partial(
            journal.intend, change, "PATCH", self.body, None if is_new else before
        )
        written = await client.change(model, change.id, self.body, intend)
        evidence = of_change(model, change.id, written.fields, written.proposed)
        if evidence.proof is not Proof.PROVEN:
            raise NotTheApi(evidence.why)
        if written.proposed and unheld(model, self.body, written.fields, {}):
            raise NotTheApi("The server answered with different content than was proposed.")
        if not written.proposed and unheld(model, self.body, written.fields, live):
            written = WriteResult(await client.detail(model, change.id), proposed=False)
        return outcomes.taken(model, change, self.body, written, live)


def _locked_out(model: Model, live: Fields, body: Fields) -> str:
    """Why a change would lock everybody out of a record; empty if it would not."""
    rows = [model.fields[name] for name in body if model.fields[name].kind == "members"]
    return next(
        filter(None, (locked_out(row, live.get(row.name), body[row.name]) for row in rows)), ""
    )


class Deletion(Struct, frozen=True):
    """A DELETE. `gone` are the records before it that no longer refer to this one."""

    model: Model
    change: Change
    gone: Collection[str]
    catalog: Catalog
    method = "DELETE"

    async def read(self, client: ReadClient) -> Fields:
        """The record."""
        assert self.change.id is not None
        return await client.detail(self.model, self.change.id)

    def expected(self, live: Fields) -> str:
        """What the plan compared: the whole record, relations included."""
        left = without_entries(self.catalog, self.model, live, self.gone)
        return expects(self.model, left, (), self.gone)

    def arrived(self, live: Fields, planned: Fields, lost: ServerError) -> Outcome | None:
        """None: a record that can be read was not deleted."""
        return None

    def whole(self, planned: Fields) -> Fields:
        """The record as it is; deletions are never proposed."""
        return planned

    async def send(self, client: WriteClient, journal: Journal, live: Fields) -> Outcome:
        """Send it.

        Raises:
            ServerError: the answer is lost, or a refusal.
        """
        assert self.change.id is not None
        intend = functools.partial(journal.intend, self.change, "DELETE", {}, live)
        evidence = of_delete(await client.delete(self.model, self.change.id, intend))
        if evidence.proof is not Proof.PROVEN:
            raise NotTheApi(evidence.why)
        return Outcome(self.change, Status.APPLIED, self.change.id)
