"""Carrying out a plan: begin its run, keep its claim while it is on, and end it with what it did in
the state.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from stemctl.apply.scheduler import Apply, held_outcome
from stemctl.client.client import WriteClient
from stemctl.commands.workspace import Workspace
from stemctl.core import lease as lease_times
from stemctl.core.lease import Lease
from stemctl.core.plan import EVERYTHING, Plan
from stemctl.core.report import Outcome, Report
from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.errors import LeaseEnded, StateError
from stemctl.state.backend import Busy, StateMoved
from stemctl.state.journal import Journal
from stemctl.state.lease_holder import LeaseHolder

LOOK_EVERY = 5.0
"""Seconds between two looks at a claim that we wait for."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan; `problem` says why the state could not be written, if it could not."""

    report: Report
    problem: StateError | None = None


async def until_free(workspace: Workspace, on_wait: Callable[[Lease, float], None]) -> Run | None:
    """Wait while a run of another machine is on, since no plan that is made meanwhile would be the
    one to send.

    Returns:
        the run that died, and was settled here, if that is how it ended.
    """
    began = time.monotonic()
    while True:
        while (held := workspace.store.recovery.elsewhere()) is not None:
            on_wait(held, time.monotonic() - began)
            await asyncio.sleep(LOOK_EVERY)
            workspace.store.refresh()
        settled = workspace.store.recovery.take_over(workspace.owner)
        if settled is not None or workspace.store.recovery.elsewhere() is None:
            return settled


async def begin(
    workspace: Workspace, plan: Plan, on_wait: Callable[[Lease, float], None]
) -> Journal:
    """Begin the run of a plan. Where a run of another machine is on, wait until it is over, or its
    lease has ended.

    `on_wait` is called at each look with the claim that is in the way, and for how many seconds we
    wait.

    Raises:
        StateMoved: the state is not the one any more that the plan was made from; `run` is what was
        settled for it.
        StateError: nothing can be written down, so nothing was sent.
    """
    began = time.monotonic()
    while True:
        try:
            return workspace.store.begin(plan, workspace.owner)
        except Busy as busy:
            on_wait(busy.lease, time.monotonic() - began)
        await asyncio.sleep(LOOK_EVERY)
        workspace.store.refresh()
        settled = workspace.store.recovery.take_over(workspace.owner)
        if settled is not None:
            raise StateMoved("A run that broke off was settled.", settled=settled)


async def apply(
    workspace: Workspace,
    client: WriteClient,
    journal: Journal,
    state: State,
    on_outcome: Callable[[Outcome], None],
    parallelism: int,
    on_start: Callable[[Apply], None] = lambda work: None,
    seen: Iterable[str] = (),
) -> Applied:
    """Carry out the plan of a run that has begun. The caller holds the lock of the store. `seen`
    are the ids of records that were read for the plan.

    If it is left in any other way than by its end, the journal stays, and the next command that
    writes takes over.
    """
    work = Apply(journal.run.plan, client, journal, on_outcome, parallelism)
    work.known.update(seen, known_ids(journal.run.plan, state))
    on_start(work)
    try:
        async with _renewed(journal.lease):
            report = await work.execute()
    except BaseException:
        journal.close()
        raise
    try:
        workspace.store.finish(journal, state)
    except StateError as error:
        return Applied(report, error)
    return Applied(report)


def known_ids(plan: Plan, state: State) -> Iterator[str]:
    """The ids that stand for some record or proposal before a plan is carried out."""
    for change in plan.changes:
        yield from filter(None, [change.id])
    for names in plan.names.values():
        yield from names.values()
    for entry in state.records.values():
        yield from filter(None, [entry.id, entry.approval.id if entry.approval else None])


def left_alone(workspace: Workspace, plan: Plan, state: State) -> Applied:
    """The report of a plan that has nothing to carry out.

    Where uncommitted files were applied before, and this commit turns out to hold all of it, the
    state says so.

    Raises:
        StateMoved: somebody else applied meanwhile.
        StateError: the state cannot be written.
    """
    report = Report(plan, tuple(map(held_outcome, plan.changes)), "")
    clean = plan.commit and not plan.uncommitted and not plan.changes and plan.subset == EVERYTHING
    if state.uncommitted is not None and clean and report.exit_code == 0:
        fresh = replace(state, commit=plan.commit, uncommitted=None)
        workspace.store.write(
            fresh, workspace.owner, f"commit {(plan.commit or '')[:7]} holds what was applied"
        )
    return Applied(report)


@contextlib.asynccontextmanager
async def _renewed(lease: LeaseHolder | None) -> AsyncIterator[None]:
    """Renew a lease while its run is on; one that cannot be renewed stops the run by itself, before
    its end.
    """
    if lease is None:
        yield
        return
    over = asyncio.Event()
    renewing = asyncio.create_task(_renew(lease, over))
    try:
        yield
    finally:
        over.set()
        await renewing


async def _renew(lease: LeaseHolder, over: asyncio.Event) -> None:
    pause = lease_times.RENEWED_EVERY
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), pause)
            return
        try:
            await asyncio.to_thread(lease.renew)
            pause = lease_times.RENEWED_EVERY
        except LeaseEnded:
            return
        except StateError:  # the remote is away for a moment, or for good: then the lease ends
            pause = lease_times.RENEWED_EVERY / 6
