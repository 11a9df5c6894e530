"""Writes of entries: actions of the record that holds them, each after a look at that record."""

from __future__ import annotations

import functools

from msgspec import Struct

from stemctl.apply import outcomes
from stemctl.client.client import ReadClient, WriteClient, WriteResult
from stemctl.client.proof import unheld
from stemctl.client.responses import NotFound, NotTheApi, Refused, ServerError
from stemctl.core.apply_report import Outcome, Status
from stemctl.core.entry_ids import entry_id, moment_of, parent_id
from stemctl.core.plan import METHODS, Action, Change
from stemctl.core.request_paths import action_of
from stemctl.planning.entries import entries_in, twice, unreadable
from stemctl.planning.in_doubt import as_sent
from stemctl.planning.values import expects
from stemctl.schema.models import Model
from stemctl.state.journal import Journal
from stemctl.util.json_types import Fields

_ABSENT = "absent"


def parent_of_entry(model: Model, change: Change, body: Fields) -> str:
    """The id of the record that holds an entry; a new entry says it in its body."""
    return parent_id(change.id) if change.id else str(body[model.parent or ""])


class EntryWrite(Struct, frozen=True):
    """A new entry, a change of one, or its end. `parent` is the model of the record with entries.

    A lost answer is decided by what that record has at the moment of the entry.
    """

    model: Model
    parent: Model
    change: Change
    body: Fields

    @property
    def method(self) -> str:
        """What it does to the entry."""
        return METHODS[self.change.action]

    @property
    def id_(self) -> str:
        """The id of the entry."""
        moment = moment_of(self.model, self.body) or ""
        return self.change.id or entry_id(self._within, moment)

    @property
    def _within(self) -> str:
        return parent_of_entry(self.model, self.change, self.body)

    @property
    def _is_new(self) -> bool:
        return self.change.action is Action.CREATE

    async def read(self, client: ReadClient) -> Fields:
        """The entry, as the record has it; nothing if it is to be added and is not there.

        Raises:
            NotFound: the record, or an entry that should be there, is not.
            Refused: the record has several at this moment.
        """
        record = await client.detail(self.parent, self._within)
        if self.id_ in twice(self.model, record):
            raise Refused(
                f"This {self.parent.words} has several entries at this moment, which no request "
                "can distinguish. Remove all but one in the browser.",
                sent=False,
            )
        entry = self._in(record)
        if entry is None and not self._is_new:
            raise NotFound(f"The {self.parent.words} has no entry at this moment.", status=404)
        return entry or {}

    def _in(self, record: Fields) -> Fields | None:
        """The entry, if the record has it.

        Raises:
            NotTheApi: the record does not tell which entries it has.
        """
        if why := unreadable(self.model, record):
            raise NotTheApi(f"The server's answer cannot be read: {why}.")
        return dict(entries_in(self.model, record)).get(self.id_)

    def expected(self, live: Fields) -> str:
        """What the plan compared, of an entry as it is now."""
        if self._is_new:
            return str(live["id"]) if live else _ABSENT
        names = () if self.change.action is Action.DELETE else self.change.managed
        return expects(self.model, live, names)

    def arrived(self, live: Fields, planned: Fields, lost: ServerError) -> Outcome | None:
        """The outcome, if the record tells that of a write whose answer was lost."""
        if not self._is_new:
            is_there = self.change.action is not Action.DELETE
            is_there = is_there and not unheld(self.model, self.body, live, planned)
            return self._taken(live) if is_there else None
        if not live:  # it may still arrive, and a second one would be a duplicate
            return outcomes.not_there_yet(self.model, self.change, lost)
        if as_sent(self.model, live, self.body):
            return self._taken(live)
        return outcomes.other_entry(self.model, self.change, str(live["id"]))

    def whole(self, planned: Fields) -> Fields:
        """The entry as it is; entries are never proposed."""
        return planned

    async def send(self, client: WriteClient, journal: Journal, live: Fields) -> Outcome:
        """Send it, and see whether the record has it then.

        Raises:
            ServerError: the answer is lost, or a refusal.
        """
        change, embedded = self.change, self.model.embedded
        assert embedded is not None
        if self._is_new and live:
            return outcomes.moment_taken(self.model, self.parent, change)
        kept = {*self.body, *change.managed, "id", self.model.parent}
        before = {name: value for name, value in live.items() if name in kept}
        if change.action is Action.DELETE:
            before = dict(live)
        intend = functools.partial(
            journal.intend, change, self.method, self.body, before if live else None
        )
        body = {name: value for name, value in self.body.items() if name != self.model.parent}
        action = action_of(embedded, change.action)
        record = await client.act(self.parent, self._within, action, body, intend)
        tells = record is not None and not unreadable(self.model, record)
        entry = self._in(record) if record is not None and tells else None
        if not tells or not self._is_done(entry, live):
            entry = self._in(await client.detail(self.parent, self._within))
        if record is None and not self._is_done(entry, live):
            raise NotTheApi("The server's answer was empty, and nothing has changed.")
        if change.action is Action.DELETE:
            if entry is not None:
                raise NotTheApi("The server answered, but the entry is still there.")
            return Outcome(change, Status.APPLIED, change.id)
        if entry is None:
            raise NotTheApi("The server answered, but there is no entry at this moment.")
        return self._taken(entry, live)

    def _is_done(self, entry: Fields | None, live: Fields) -> bool:
        """Whether an answer shows what was wanted."""
        if self.change.action is Action.DELETE:
            return entry is None
        return entry is not None and not unheld(self.model, self.body, entry, live)

    def _taken(self, entry: Fields, before: Fields | None = None) -> Outcome:
        result = WriteResult(entry, proposed=False)
        return outcomes.taken(self.model, self.change, self.body, result, before or {})
