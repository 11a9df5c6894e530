"""From a plan to a report: changes in the order they need, several at a time, each in the journal
before it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from stemctl.apply.executor import Carrier
from stemctl.client.client import PARALLELISM, WriteClient
from stemctl.core.plan import Change, Held, Plan
from stemctl.core.records import Address
from stemctl.core.report import Outcome, Report, Status
from stemctl.errors import JournalError
from stemctl.state.journal import Journal

_DONE = (Status.APPLIED, Status.PROPOSED)


@dataclass(slots=True)
class Apply:
    """One run. `stop` ends it early: what is in flight is waited for, the rest is skipped.

    `known` are the ids of all records and proposals that are known before it; those that it makes
    are added.
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
    _stopped: str = ""

    async def execute(self) -> Report:
        """Carry the plan out; the journal knows what was achieved, whatever happens on the way."""
        await self._schedule()
        ordered = tuple(self._outcomes.get(c.address) or held_outcome(c) for c in self.plan.changes)
        interrupted = self.stop.is_set() and not self._stopped
        return Report(self.plan, ordered, self.journal.run.id, interrupted, self._stopped)

    async def _schedule(self) -> None:
        """Begin what waits for nothing, as many at a time as may be, and release or skip what
        waited for it.
        """
        actionable = {change.address: change for change in self.plan.actionable()}
        waits = {
            address: {w for w in change.waits if w in actionable}
            for address, change in actionable.items()
        }
        followers: dict[Address, list[Address]] = {}
        for address, others in waits.items():
            for other in others:
                followers.setdefault(other, []).append(address)
        ready = [address for address, others in waits.items() if not others]
        ready.reverse()
        running: set[asyncio.Task[Outcome]] = set()
        while ready or running:
            while ready and len(running) < self.parallelism and not self.stop.is_set():
                running.add(asyncio.create_task(self._carry_out(actionable[ready.pop()])))
            if not running:
                break
            finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                done = task.result()
                self._finish(done)
                for address in (
                    followers.get(done.change.address, ()) if done.status in _DONE else ()
                ):
                    waits[address].discard(done.change.address)
                    if not waits[address]:
                        ready.append(address)
        for address, change in actionable.items():
            if address not in self._outcomes:
                why = f"waits for {min(waits[address])}" if waits[address] else "not begun"
                self._take(Outcome(change, Status.SKIPPED, message=why))

    async def _carry_out(self, change: Change) -> Outcome:
        try:
            return await Carrier(self.client, self.journal, self._ids, self.known).execute(change)
        except JournalError as error:
            self._break_off(error.what)
            return Outcome(change, Status.FAILED, message=f"Not sent: {error.what}")

    def _break_off(self, why: str) -> None:
        """End as an interrupt does: what cannot be written down is not sent, nor what no server would take."""
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


def held_outcome(change: Change) -> Outcome:
    """What becomes of a change that is only shown. One whose earlier request is still in doubt is
    unknown.
    """
    if change.pending_since and change.held is Held.BLOCKED:
        return Outcome(change, Status.UNKNOWN, change.id, message="; ".join(change.detail))
    return Outcome(change, Status.HELD, change.id)
