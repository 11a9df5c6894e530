"""Carrying out one change: the requests it takes, and what to do when an answer proves too little.

Nothing is sent twice on a guess. A PATCH or DELETE is preceded by reading the record and comparing
it with what the plan saw, with no wait between the two; each write by its intent in the journal.
When the answer to a write is lost we look at what the server holds, and only that decides
(`proof.py`).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from stemctl.apply import outcomes
from stemctl.apply.lookup import look_for, name_taken
from stemctl.client import retry
from stemctl.client.client import WriteClient, WriteResult
from stemctl.client.proof import Proof, of_change, of_create, of_delete, of_error, unheld
from stemctl.client.responses import NotFound, NotTheApi, Paused, Refused, ServerError
from stemctl.core.plan import Action, Change
from stemctl.core.records import Address
from stemctl.core.report import Outcome, Status
from stemctl.planning.values import expects
from stemctl.schema.catalog import Model
from stemctl.state.journal import Journal
from stemctl.util.json_types import Fields, Value

_MOST_LOOKS = 12
"""Looks before one change is given up: after each pause there is another one."""

_NOTHING: Fields = {}


@dataclass(frozen=True, slots=True)
class Carrier:
    """What carrying out any change of a run needs. `ids` are those of the records that the run
    created, `known` the ids of all records and proposals that are somebody's, so that no answer may
    claim them for a new one.
    """

    client: WriteClient
    journal: Journal
    ids: Mapping[Address, str]
    known: Collection[str]

    async def execute(self, change: Change) -> Outcome:
        """Send what a change needs. Never raises for what the server says: that becomes the outcome.

        Raises:
            JournalError: what is to be sent cannot be written down, so it was not sent.
        """
        model = self.client.catalog.models[change.address.model]
        if change.request is None:
            return Outcome(change, Status.APPLIED, change.id)
        body = with_ids(change.request.body or {}, self.ids)
        try:
            match change.action:
                case Action.CREATE:
                    return await self._create(model, change, body)
                case Action.DELETE:
                    return await self._right_after_a_look(model, change, _Deletion(model, change))
                case _:
                    return await self._right_after_a_look(
                        model, change, _Patch(model, change, body)
                    )
        except ServerError as error:
            return outcomes.failed(change, error, sent=self.journal.intended(change.address))

    async def _create(self, model: Model, change: Change, body: Fields) -> Outcome:
        intend = functools.partial(self.journal.intend, change, "POST", body, None)
        try:
            written = await self.client.add(model, body, intend)
        except Refused as error:
            return await name_taken(self.client, model, change, body, error)
        except ServerError as error:
            if of_error("POST", error) is not Proof.LOST:
                raise
            return await look_for(self.client, model, change, body, error)
        evidence = of_create(model, body, written.fields, self.known)
        if evidence.proof is Proof.PROVEN and not unheld(model, body, written.fields, {}):
            return outcomes.taken(model, change, body, written)
        why = NotTheApi(evidence.why or "The server answered with other values than were sent.")
        ours = str(written.fields["id"]) if evidence.proof is Proof.PROVEN else None
        return await look_for(self.client, model, change, body, why, ours)

    async def _right_after_a_look(
        self, model: Model, change: Change, write: _Patch | _Deletion
    ) -> Outcome:
        """Look at the record, and send the write if it is as the plan saw it, with no wait between the two.

        After each pause, and after an answer that was lost, there is another look.
        """
        tries, lost, planned = 0, None, _NOTHING
        for _ in range(_MOST_LOOKS):
            try:
                async with self.client.in_one_slot() as one:
                    live = await self._look(one, model, change, lost)
                    if isinstance(live, Outcome):
                        return live
                    planned = planned or live
                    if lost is not None and (outcome := write.arrived(live, planned)):
                        return outcome
                    if write.expected(live) != change.expects:
                        return outcomes.moved(model, change, live, sent=lost is not None)
                    if tries == retry.ATTEMPTS:
                        break
                    return await write.send(one, self.journal, live)
            except Paused:
                continue
            except ServerError as error:
                tries += 1
                lost = await _again(write.method, error, tries, lost)
                if lost is not None and change.approval:
                    # A second proposal would be a double; the approvals show whether this one
                    # arrived.
                    return await look_for(self.client, model, change, write.whole(planned), lost)
        raise lost or Paused()

    async def _look(
        self, one: WriteClient, model: Model, change: Change, lost: ServerError | None
    ) -> Fields | Outcome:
        """The record as it is right before a write, or what it means that it cannot be read."""
        assert change.id is not None
        try:
            return await one.detail(model, change.id)
        except NotFound:
            if change.action is Action.DELETE and lost is not None:
                return Outcome(change, Status.APPLIED, change.id)
            return outcomes.not_found(model, change, sent=lost is not None)
        except ServerError as error:
            if lost is None:
                return outcomes.failed(change, error, sent=False)
            return outcomes.in_doubt(change, error)


async def _again(
    method: str, error: ServerError, tries: int, lost: ServerError | None
) -> ServerError | None:
    """After a write without success: the error because of which it counts as lost, if it or an
    earlier one was.

    Raises:
        ServerError: there is no use in another try.
    """
    proof = of_error(method, error)
    if proof is Proof.REFUSED or (proof is Proof.NO_ANSWER and tries == retry.ATTEMPTS):
        raise error
    if error.status != 429:  # else all requests pause, for as long as the server asks
        await asyncio.sleep(retry.backoff(tries))
    return error if proof is Proof.LOST else lost


@dataclass(frozen=True, slots=True)
class _Patch:
    """A PATCH with what changes, or the proposal of it."""

    model: Model
    change: Change
    body: Fields
    method = "PATCH"

    def expected(self, live: Fields) -> str:
        """What the plan compared, of a record as it is now."""
        return expects(self.model, live, self.change.managed)

    def arrived(self, live: Fields, planned: Fields) -> Outcome | None:
        """The outcome, if a PATCH whose answer was lost has been carried out."""
        if unheld(self.model, self.body, live, planned):
            return None
        return outcomes.taken(self.model, self.change, self.body, WriteResult(live, proposed=False))

    def whole(self, planned: Fields) -> Fields:
        """The content of the proposal: what is sent, and the record as it is."""
        return {
            row.name: planned[row.name] for row in self.model.managed if row.name in planned
        } | dict(self.body)

    async def send(self, one: WriteClient, journal: Journal, live: Fields) -> Outcome:
        """Send it. Where the answer holds other values than were sent, one look tells what the server has.

        Raises:
            ServerError: the answer is lost, or says no.
        """
        model, change = self.model, self.change
        assert change.id is not None
        kept = {*self.body, *change.managed, "id", model.identity}
        # Run records may be read by more people than the server: what the files do not name is left
        # out.
        before = {name: value for name, value in live.items() if name in kept}
        intend = functools.partial(journal.intend, change, "PATCH", self.body, before)
        written = await one.change(model, change.id, self.body, intend)
        evidence = of_change(model, change.id, written.fields, written.proposed)
        if evidence.proof is not Proof.PROVEN:
            raise NotTheApi(evidence.why)
        if written.proposed and unheld(model, self.body, written.fields, {}):
            raise NotTheApi("The server answered with another content than was proposed.")
        if not written.proposed and unheld(model, self.body, written.fields, live):
            written = WriteResult(await one.detail(model, change.id), proposed=False)
        return outcomes.taken(model, change, self.body, written, live)


@dataclass(frozen=True, slots=True)
class _Deletion:
    """A DELETE."""

    model: Model
    change: Change
    method = "DELETE"

    def expected(self, live: Fields) -> str:
        """What the plan compared: all of the record, relations included."""
        return expects(self.model, live)

    def arrived(self, live: Fields, planned: Fields) -> Outcome | None:
        """A record that can be read was not deleted."""
        return None

    def whole(self, planned: Fields) -> Fields:
        """The record: no deletion is proposed."""
        return planned

    async def send(self, one: WriteClient, journal: Journal, live: Fields) -> Outcome:
        """Send it.

        Raises:
            ServerError: the answer is lost, or says no.
        """
        assert self.change.id is not None
        intend = functools.partial(journal.intend, self.change, "DELETE", {}, live)
        evidence = of_delete(await one.delete(self.model, self.change.id, intend))
        if evidence.proof is not Proof.PROVEN:
            raise NotTheApi(evidence.why)
        return Outcome(self.change, Status.APPLIED, self.change.id)


def with_ids(value: Value, ids: Mapping[Address, str]) -> Value:
    """A body with the new ids in place of `{"$ref": address}`."""
    if isinstance(value, Mapping):
        if set(value) == {"$ref"}:
            return ids[Address.parse(value["$ref"])]
        return {key: with_ids(one, ids) for key, one in value.items()}
    return [with_ids(one, ids) for one in value] if isinstance(value, list) else value
