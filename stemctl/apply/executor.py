"""Executing one change: the requests it takes, and what to do when an answer proves too little.

Nothing is sent twice on a guess. Each PATCH or DELETE comes right after reading the record and
comparing it with what the plan saw. Each write comes after its intent in the journal. When the
answer to a write is lost, only what the server holds decides (`client/proof.py`).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from stemctl.apply import outcomes
from stemctl.apply.lookup import Lookup
from stemctl.client import retry
from stemctl.client.client import WriteClient, WriteResult
from stemctl.client.proof import Proof, of_change, of_create, of_delete, of_error, unheld
from stemctl.client.responses import NotFound, NotTheApi, Paused, Refused, ServerError
from stemctl.core.placeholders import with_ids
from stemctl.core.plan import Action, Change, Request
from stemctl.core.records import Address
from stemctl.core.report import Outcome, Status
from stemctl.errors import JournalError
from stemctl.planning.members import has_arrived, locked_out
from stemctl.planning.values import expects
from stemctl.schema.catalog import Model
from stemctl.state.journal import Journal
from stemctl.util.json_types import Fields

_MAX_READS = 12
"""How often the record of one change is read: after each pause it is read again."""

_NOTHING: Fields = {}


@dataclass(frozen=True, slots=True)
class Executor:
    """Executes the changes of a run.

    `ids` are those of the records that the run created. `known` are the ids of all existing records
    and proposals: no answer may claim them for a new one.
    """

    client: WriteClient
    journal: Journal
    ids: Mapping[Address, str]
    known: Collection[str]

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
            match change.action:
                case Action.CREATE:
                    return await self._create(model, change, body)
                case Action.DELETE:
                    return await self._write_as_planned(_Deletion(model, change, gone))
                case _:
                    return await self._write_as_planned(_Patch(model, change, body))
        except ServerError as error:
            return outcomes.failed(change, error, sent=self.journal.intended(change.address))

    async def _next(self, model: Model, so_far: Outcome, request: Request, number: int) -> Outcome:
        """Change the record further, after `number` requests.

        What it holds at the first look counts as planned.
        """
        change = replace(so_far.change, action=Action.UPDATE, id=so_far.id, expects=None)
        body = self._with_ids(model, request.body or {})
        try:
            self.journal.note_part(so_far, number)
            return await self._write_as_planned(_Patch(model, change, body))
        except ServerError as error:
            return outcomes.failed(change, error, sent=self.journal.is_open(change.address))
        except JournalError as error:
            message = f"Not sent: {error.what}"
            return Outcome(change, Status.FAILED, message=message, fatal=True)

    def _with_ids(self, model: Model, body: Fields) -> Fields:
        """The body with ids in its references; other fields may hold what looks like one."""
        references = {row.name for row in model.references}
        return {
            name: with_ids(value, self.ids) if name in references else value
            for name, value in body.items()
        }

    async def _create(self, model: Model, change: Change, body: Fields) -> Outcome:
        intend = functools.partial(self.journal.intend, change, "POST", body, None)
        lookup = Lookup(self.client, model, change, body)
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

    async def _write_as_planned(self, write: _Patch | _Deletion) -> Outcome:
        """Read the record, and send the write at once if the record is as the plan saw it.

        After each pause, and after a lost answer, the record is read again.
        """
        model, change = write.model, write.change
        tries, lost, planned = 0, None, _NOTHING
        for _ in range(_MAX_READS):
            try:
                async with self.client.in_one_slot() as client:
                    live = await self._read(client, write, lost)
                    if isinstance(live, Outcome):
                        return live
                    planned = planned or live
                    if lost is not None and (outcome := write.arrived(live, planned)):
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
                    return await Lookup(self.client, model, change, write.whole(planned)).find(lost)
        raise lost or Paused()

    async def _read(
        self, client: WriteClient, write: _Patch | _Deletion, lost: ServerError | None
    ) -> Fields | Outcome:
        """The record right before a write, or the outcome if it cannot be read."""
        model, change = write.model, write.change
        assert change.id is not None
        try:
            return await client.detail(model, change.id)
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


@dataclass(frozen=True, slots=True)
class _Patch:
    """A PATCH, or a proposal of one."""

    model: Model
    change: Change
    body: Fields
    method = "PATCH"

    def expected(self, live: Fields) -> str:
        """What the plan compared, of a record as it is now."""
        return expects(self.model, live, self.change.managed or tuple(self.body))

    def arrived(self, live: Fields, planned: Fields) -> Outcome | None:
        """The outcome, if a PATCH whose answer was lost has arrived."""
        if unheld(self.model, self.body, live, planned) or not self._members_arrived(live):
            return None
        return outcomes.taken(self.model, self.change, self.body, WriteResult(live, proposed=False))

    def _members_arrived(self, live: Fields) -> bool:
        """Whether all members that were sent are there; who is invited may be missing."""
        rows = self.model.fields
        return all(
            has_arrived(rows[name], value, live.get(name))
            for name, value in self.body.items()
            if rows[name].kind == "members"
        )

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


@dataclass(frozen=True, slots=True)
class _Deletion:
    """A DELETE. `gone` are the records before it that no longer refer to this one."""

    model: Model
    change: Change
    gone: Collection[str] = ()
    method = "DELETE"

    def expected(self, live: Fields) -> str:
        """What the plan compared: the whole record, relations included."""
        return expects(self.model, live, (), self.gone)

    def arrived(self, live: Fields, planned: Fields) -> Outcome | None:
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
