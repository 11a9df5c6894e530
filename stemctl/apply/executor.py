"""Executing one change: the requests it takes, and what to do when an answer proves too little.

Nothing is sent twice on a guess. Each PATCH or DELETE comes right after reading the record and
comparing it with what the plan saw. Each write comes after its intent in the journal. When the
answer to a write is lost, only what the server holds decides (`client/proof.py`).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from stemctl.apply import outcomes
from stemctl.apply.entry_writes import EntryWrite, parent_of_entry
from stemctl.apply.lookup import Lookup
from stemctl.apply.writes import Deletion, Patch, Write
from stemctl.client import retry
from stemctl.client.client import WriteClient
from stemctl.client.proof import Proof, of_create, of_error, unheld
from stemctl.client.responses import NotFound, NotTheApi, Paused, Refused, ServerError
from stemctl.core.apply_report import Outcome, Status
from stemctl.core.placeholders import with_ids
from stemctl.core.plan import Action, Change, Request
from stemctl.core.records import Address
from stemctl.errors import JournalError
from stemctl.schema.models import Model
from stemctl.state.journal import Journal
from stemctl.util.json_types import Fields, Value

_MAX_READS = 12
"""How often the record of one change is read: after each pause it is read again."""


class Executor(Struct, frozen=True):
    """Executes the changes of a run.

    `ids` are those of the records that the run created. `known` are the ids of all existing records
    and proposals: no answer may claim them for a new one. `turns` lets one write at a time work on
    a record that has entries, since the server may store them as one value. `alike` are the new
    records that only their ids will distinguish.
    """

    client: WriteClient
    journal: Journal
    ids: Mapping[Address, str]
    known: Collection[str]
    turns: Mapping[str, asyncio.Lock]
    alike: Collection[Address] = ()

    async def execute(self, change: Change, gone: Collection[str] = ()) -> Outcome:
        """Send what a change needs. The server's answer becomes the outcome.

        `gone` are the ids of the records that the changes before it have deleted or changed.

        Raises:
            JournalError: the journal could not be written, so nothing was sent.
        """
        model = self.client.catalog.models[change.address.model]
        if change.request is None:
            return Outcome(change, Status.APPLIED, change.id)
        outcome = await self._first(model, change, change.request, gone)
        for number, request in enumerate(change.then, 1):
            if outcome.status is not Status.APPLIED:
                break
            then = await self._next(model, outcome, request, number)
            outcome = outcomes.together(outcome, then)
        return outcome

    async def _first(
        self, model: Model, change: Change, request: Request, gone: Collection[str]
    ) -> Outcome:
        body = self._with_ids(model, request.body or {})
        try:
            if model.embedded is not None:
                return await self._write_entry(model, change, body)
            match change.action:
                case Action.CREATE:
                    return await self._create(model, change, body)
                case Action.DELETE:
                    deletion = Deletion(model, change, gone, self.client.catalog)
                    return await self._write_as_planned(deletion)
                case _:
                    return await self._write_as_planned(Patch(model, change, body))
        except ServerError as error:
            return outcomes.failed(model, change, error, sent=self.journal.intended(change.address))

    async def _write_entry(self, model: Model, change: Change, body: Fields) -> Outcome:
        parent = self.client.catalog.parent_of(model)
        assert parent is not None
        async with self.turns[parent_of_entry(model, change, body)]:
            return await self._write_as_planned(EntryWrite(model, parent, change, body))

    async def _next(self, model: Model, so_far: Outcome, request: Request, number: int) -> Outcome:
        """Change the record further, after `number` requests.

        What it holds at the first look counts as planned.
        """
        change = replace(so_far.change, action=Action.UPDATE, id=so_far.id, expects=None)
        body = self._with_ids(model, request.body or {})
        try:
            self.journal.note_part(so_far, number)
            return await self._write_as_planned(Patch(model, change, body))
        except ServerError as error:
            return outcomes.failed(model, change, error, sent=self.journal.is_open(change.address))
        except JournalError as error:
            message = f"Not sent: {error.what}"
            return Outcome(change, Status.FAILED, message=message, fatal=True)

    def _with_ids(self, model: Model, body: Fields) -> Fields:
        """The body with ids in its references; other fields may hold what looks like one."""
        references = {row.name: row.to or "" for row in model.references}
        found = {
            name: self._with_sendable_ids(references[name], value) if name in references else value
            for name, value in body.items()
        }
        return body if found == body else found  # mostly, so that it is in memory once

    def _with_sendable_ids(self, to: str, value: Value) -> Value:
        """References with the ids that the run created; as numbers where the server counts."""
        found = with_ids(value, self.ids)
        target = self.client.catalog.models.get(to)
        if target is None or not target.integer_ids:
            return found
        if isinstance(found, list):
            return [int(id_) for id_ in found]
        return None if found is None else int(found)

    async def _create(self, model: Model, change: Change, body: Fields) -> Outcome:
        intend = functools.partial(self.journal.intend, change, "POST", body, None)
        lookup = Lookup(
            self.client, model, change, body, self.known, has_twin=change.address in self.alike
        )
        try:
            written = await self.client.add(model, body, intend)
        except Refused as error:
            return await lookup.name_taken(error)
        except ServerError as error:
            if of_error("POST", error) is not Proof.LOST:
                raise
            return await lookup.find(error)
        evidence = of_create(model, body, written.fields, self.known)
        proven = evidence.proof is Proof.PROVEN
        if proven and not unheld(model, body, written.fields, {}):
            return outcomes.taken(model, change, body, written)
        why = evidence.why or "The server answered with other values than were sent."
        answered = str(written.fields["id"]) if proven else None
        return await lookup.find(NotTheApi(why), answered)

    async def _write_as_planned(self, write: Write) -> Outcome:
        """Read the record, and send the write at once if the record is as the plan saw it.

        After each pause, and after a lost answer, the record is read again.
        """
        model, change = write.model, write.change
        tries, lost = 0, None
        planned: Fields | None = None
        for _ in range(_MAX_READS):
            try:
                async with self.client.in_one_slot() as client:
                    live = await self._read(client, write, lost)
                    if isinstance(live, Outcome):
                        return live
                    planned = live if planned is None else planned
                    if lost is not None and (outcome := write.arrived(live, planned, lost)):
                        return outcome
                    if write.expected(live) != (change.expects or write.expected(planned)):
                        return outcomes.moved(model, change, live, sent=lost is not None)
                    if tries == retry.ATTEMPTS:
                        break
                    return await write.send(client, self.journal, live)
            except Paused:
                continue
            except ServerError as error:
                tries += 1
                lost = await _again(write.method, error, tries, lost)
                if lost is not None and change.approval:
                    # A second proposal would be a duplicate; the approvals show whether this one
                    # arrived.
                    return await Lookup(
                        self.client, model, change, write.whole(planned or {})
                    ).find(lost)
        raise lost or Paused()

    async def _read(
        self, client: WriteClient, write: Write, lost: ServerError | None
    ) -> Fields | Outcome:
        """The record right before a write, or the outcome if it cannot be read."""
        model, change = write.model, write.change
        try:
            return await write.read(client)
        except NotFound:
            if change.action is Action.DELETE and lost is not None:
                return Outcome(change, Status.APPLIED, change.id)
            return outcomes.not_found(model, change, sent=lost is not None)
        except ServerError as error:
            if lost is None:
                return outcomes.failed(model, change, error, sent=False)
            return outcomes.in_doubt(change, error)


async def _again(
    method: str, error: ServerError, tries: int, lost: ServerError | None
) -> ServerError | None:
    """After a write that failed: the error that makes the write count as lost, now or before.

    Raises:
        ServerError: another try would not help.
    """
    proof = of_error(method, error)
    if proof is Proof.REFUSED or (proof is Proof.NO_ANSWER and tries == retry.ATTEMPTS):
        raise error
    if error.status != 429:  # else all requests pause, for as long as the server asks
        await asyncio.sleep(retry.backoff(tries))
    return error if proof is Proof.LOST else lost
