"""From a plan to a report: changes in the order they need, several at a time, the state kept as they succeed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from stemctl.catalog import Field
from stemctl.plan import Action, Bookkeeping, Change, Outcome, Plan, Report, Status
from stemctl.planning.values import same
from stemctl.records import Address, Fields, Value
from stemctl.server.carry import Done, carry_out
from stemctl.server.client import WriteClient
from stemctl.state import Entry, Proposed, State

SAVE_EVERY = 1.0
"""Seconds after which the state is written again during a long run."""

_DONE = (Status.APPLIED, Status.PROPOSED)


@dataclass(slots=True)
class Apply:
    """One run. `stop` ends it early: what is in flight is waited for, the rest is skipped."""

    plan: Plan
    state: State
    client: WriteClient
    run: str
    save: Callable[[State], State]
    on_outcome: Callable[[Outcome], None] = lambda outcome: None
    parallelism: int = 8
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    _entries: dict[Address, Entry] = field(default_factory=dict)
    _ids: dict[Address, str] = field(default_factory=dict)
    _outcomes: dict[Address, Outcome] = field(default_factory=dict)
    _saved_at: float = 0.0

    async def carry_out(self) -> Report:
        """Carry the plan out, and leave the state as what was achieved, whatever happens on the way."""
        self._entries = dict(self.state.records)
        self._saved_at = asyncio.get_running_loop().time()
        for row in self.plan.bookkeeping:
            self._note(row)
        try:
            await self._schedule()
        finally:
            self._save()
        for change in self.plan.held():
            self._outcomes[change.address] = Outcome(change, Status.HELD, change.id)
        ordered = tuple(self._outcomes[change.address] for change in self.plan.changes)
        return Report(self.plan, ordered, self.run, interrupted=self.stop.is_set())

    async def _schedule(self) -> None:
        going = {change.address: change for change in self.plan.going()}
        waits = {address: {w for w in change.waits if w in going} for address, change in going.items()}
        followers: dict[Address, list[Address]] = {}
        for address, others in waits.items():
            for other in others:
                followers.setdefault(other, []).append(address)
        ready = [address for address, others in waits.items() if not others]
        ready.reverse()
        running: set[asyncio.Task[Done]] = set()
        while ready or running:
            while ready and len(running) < self.parallelism and not self.stop.is_set():
                running.add(asyncio.create_task(carry_out(self.client, going[ready.pop()], self._ids)))
            if not running:
                break
            finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                done = task.result()
                self._finish(done)
                for follower in followers.get(done.outcome.change.address, ()):
                    waits[follower].discard(done.outcome.change.address)
                    if not waits[follower] and follower not in self._outcomes:
                        ready.append(follower)
                if done.outcome.status not in _DONE:
                    ready = [a for a in ready if not self._skip(going, a)]
        for address in going:
            self._skip(going, address)

    def _skip(self, going: Mapping[Address, Change], address: Address) -> bool:
        """Skip a change whose predecessor failed, or that was never begun."""
        if address in self._outcomes:
            return False
        failed = [w for w in going[address].waits if self._outcomes.get(w) and self._outcomes[w].status not in _DONE]
        if failed:
            self._finish(Done(Outcome(going[address], Status.SKIPPED, message=f"waits for {failed[0]}")))
        elif self.stop.is_set():
            self._finish(Done(Outcome(going[address], Status.SKIPPED, message="not begun")))
        return address in self._outcomes

    def _finish(self, done: Done) -> None:
        outcome, change = done.outcome, done.outcome.change
        self._outcomes[change.address] = outcome
        if outcome.status is Status.APPLIED:
            self._applied(change, outcome, done)
        elif outcome.status is Status.PROPOSED and outcome.approval:
            entry = self._take(change.address, change.was)
            self._entries[change.address] = replace(
                entry, approval=Proposed(outcome.approval, change.declared), run=self.run
            )
        self.on_outcome(outcome)
        if asyncio.get_running_loop().time() - self._saved_at > SAVE_EVERY:
            self._save()

    def _applied(self, change: Change, outcome: Outcome, done: Done) -> None:
        if change.action in (Action.DELETE, Action.FORGET):
            self._entries.pop(change.address, None)
            return
        if outcome.id is not None:
            self._ids[change.address] = outcome.id
        entry = self._take(change.address, change.was)
        if entry.id not in (None, outcome.id):  # another record than the one that is gone: nothing of it is a base
            entry = Entry(prevent_delete=entry.prevent_delete)
        observed = {**self._observed(change, done), **change.observed}
        self._entries[change.address] = self._moved(
            entry, outcome.id, change.declared, observed, change.released, change.prevent_delete
        )

    def _observed(self, change: Change, done: Done) -> Fields:
        """What the server holds in another form than it was sent, or beside what was declared."""
        rows, answer = self.client.catalog.models[change.address.model].fields, done.answer or {}
        return {
            name: answer[name]
            for name, value in (done.body or {}).items()
            if name in answer and not _as_declared(rows[name], value, answer[name], change.declared.get(name))
        }

    def _note(self, row: Bookkeeping) -> None:
        if row.drop:
            self._entries.pop(row.address, None)
            return
        entry = self._take(row.address, row.was)
        self._entries[row.address] = self._moved(
            entry, row.id, row.declared, row.observed, row.released, row.prevent_delete
        )

    def _take(self, address: Address, was: Address | None) -> Entry:
        """The entry of an address, or of the one it had before."""
        if was is not None and was in self._entries:
            return self._entries.pop(was)
        return self._entries.get(address, Entry())

    def _moved(
        self,
        entry: Entry,
        id_: str | None,
        declared: Fields,
        observed: Fields,
        released: tuple[str, ...],
        prevent_delete: bool | None,
    ) -> Entry:
        """An entry whose base is what was just declared and observed."""
        applied = {name: value for name, value in entry.applied.items() if name not in released} | dict(declared)
        seen = {name: value for name, value in entry.observed.items() if name in applied and name not in declared}
        seen |= {name: value for name, value in observed.items() if name in declared}
        protects = entry.prevent_delete if prevent_delete is None else prevent_delete
        return Entry(id_, applied, seen, protects, None, self.run)

    def _save(self) -> None:
        names = {model: dict(found) for model, found in self.state.names.items()}
        for model, found in self.plan.names.items():
            names.setdefault(model, {}).update(found)
        fresh = replace(self.state, names=names, records=dict(self._entries))
        if fresh.records != self.state.records or fresh.names != self.state.names:
            self.state = self.save(fresh)
        self._saved_at = asyncio.get_running_loop().time()


def _as_declared(row: Field, sent: Value, answer: Value, declared: Value) -> bool:
    """Whether an answer says no more than was declared; what is sent of a set holds the elements of others too."""
    others = row.merges and len(sent or ()) != len(declared or ())
    return same(row, sent, answer) and not others
