"""From a plan to a report: changes in the order they need, several at a time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from stemctl.apply.executor import Executor
from stemctl.client.client import PARALLELISM, WriteClient
from stemctl.core.apply_report import Outcome, Report, Status
from stemctl.core.plan import Action, Change, Held, Plan
from stemctl.core.records import Address
from stemctl.errors import JournalError
from stemctl.planning.ordering import ids_of
from stemctl.planning.values import expects
from stemctl.schema.catalog import Catalog
from stemctl.state.journal import Journal

_DONE = (Status.APPLIED, Status.PROPOSED)


def _locks() -> defaultdict[str, asyncio.Lock]:
    return defaultdict(asyncio.Lock)


class Apply(Struct):
    """One run.

    `stop` ends it early: it waits for requests in flight, and skips the rest. `known` are the ids
    of all records and proposals that exist before it; those that it creates are added.
    """

    plan: Plan
    client: WriteClient
    journal: Journal
    on_outcome: Callable[[Outcome], None] = lambda outcome: None
    parallelism: int = PARALLELISM
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    known: set[str] = field(default_factory=set)
    _ids: dict[Address, str] = field(default_factory=dict)
    _outcomes: dict[Address, Outcome] = field(default_factory=dict)
    _turns: defaultdict[str, asyncio.Lock] = field(default_factory=_locks)
    _alike: frozenset[Address] = frozenset()
    _stopped: str = ""

    async def execute(self) -> Report:
        """Execute the plan; whatever happens, the journal knows what was done."""
        await self._schedule()
        ordered = tuple(
            self._outcomes.get(change.address) or held_outcome(change)
            for change in self.plan.changes
        )
        interrupted = self.stop.is_set() and not self._stopped
        return Report(self.plan, ordered, self.journal.run.id, interrupted, self._stopped)

    async def _schedule(self) -> None:
        """Start what waits for nothing, up to the parallelism, and release what waited for it."""
        actionable = {change.address: change for change in self.plan.actionable()}
        waits = {
            address: {other for other in change.waits if other in actionable}
            for address, change in actionable.items()
        }
        followers = _followers(waits)
        self._alike = _alike(actionable.values(), self.client.catalog)
        ready = [address for address, others in waits.items() if not others]
        ready.reverse()
        running: set[asyncio.Task[Outcome]] = set()
        while ready or running:
            while ready and len(running) < self.parallelism and not self.stop.is_set():
                change = actionable[ready.pop()]
                gone = ids_of(change.waits, actionable)
                running.add(asyncio.create_task(self._execute(change, gone)))
            if not running:
                break
            finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                outcome = task.result()
                self._finish(outcome)
                if outcome.status not in _DONE:
                    continue
                done = outcome.change.address
                for address in followers.get(done, ()):
                    waits[address].discard(done)
                    if not waits[address]:
                        ready.append(address)
        self._skip_rest(actionable, waits)

    def _skip_rest(
        self, actionable: Mapping[Address, Change], waits: Mapping[Address, set[Address]]
    ) -> None:
        for address, change in actionable.items():
            if address not in self._outcomes:
                why = f"waits for {min(waits[address])}" if waits[address] else "not started"
                self._take(Outcome(change, Status.SKIPPED, message=why))

    async def _execute(self, change: Change, gone: frozenset[str]) -> Outcome:
        executor = Executor(
            self.client, self.journal, self._ids, self.known, self._turns, self._alike
        )
        try:
            return await executor.execute(change, gone)
        except JournalError as error:
            self._break_off(error.what)
            return Outcome(change, Status.FAILED, message=f"Not sent: {error.what}")

    def _break_off(self, why: str) -> None:
        """End as an interrupt does, because the journal or the server cannot take any more."""
        self._stopped = self._stopped or why
        self.stop.set()

    def _finish(self, outcome: Outcome) -> None:
        if outcome.status is Status.APPLIED and outcome.id is not None:
            self._ids[outcome.change.address] = outcome.id
        self.known |= {id_ for id_ in (outcome.id, outcome.approval) if id_ is not None}
        try:
            self.journal.note(outcome)
        except JournalError as error:
            self._break_off(error.what)
        if outcome.fatal:
            self._break_off(outcome.message)
        self._take(outcome)

    def _take(self, outcome: Outcome) -> None:
        self._outcomes[outcome.change.address] = outcome
        self.on_outcome(outcome)


def _alike(changes: Iterable[Change], catalog: Catalog) -> frozenset[Address]:
    """The new records that have neither a unique name nor content that no other has."""
    groups: dict[tuple[str, str], list[Address]] = {}
    for change in changes:
        model = catalog.models[change.address.model]
        if change.action is Action.CREATE and change.request is not None and model.nameless:
            content = expects(model, change.request.body or {})
            groups.setdefault((model.name, content), []).append(change.address)
    return frozenset(at for group in groups.values() if len(group) > 1 for at in group)


def _followers(waits: Mapping[Address, set[Address]]) -> dict[Address, list[Address]]:
    """Each address to those that wait for it."""
    followers: dict[Address, list[Address]] = {}
    for address, others in waits.items():
        for other in others:
            followers.setdefault(other, []).append(address)
    return followers


def held_outcome(change: Change) -> Outcome:
    """The outcome of a change that is only shown; unknown if an earlier request is in doubt."""
    if change.pending_since and change.held is Held.BLOCKED:
        return Outcome(change, Status.UNKNOWN, change.id, message="; ".join(change.detail))
    return Outcome(change, Status.HELD, change.id)
