"""Execute a plan: begin its run, keep its lease, and write the outcome to the state."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from stemctl.apply.scheduler import Apply, held_outcome
from stemctl.client.client import WriteClient
from stemctl.commands.workspace import Workspace
from stemctl.core import lease as lease_times
from stemctl.core.apply_report import Outcome, Report
from stemctl.core.lease import Lease
from stemctl.core.plan import EVERYTHING, Plan
from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.errors import LeaseEnded, StateError
from stemctl.state.backend import Busy, StateMoved
from stemctl.state.journal import Journal
from stemctl.state.lease_holder import LeaseHolder
from stemctl.util import quick_start

LOOK_EVERY = 5.0
"""Seconds between two looks at a lease that is waited for."""


class Observer(Protocol):
    """Follows an execution."""

    def started(self, work: Apply) -> None:
        """Take the work, whose `stop` ends it early."""

    def outcome(self, outcome: Outcome) -> None:
        """Take the outcome of one change."""


class Applied(Struct, frozen=True):
    """The report of a plan, and why the state could not be written, if it could not."""

    report: Report
    problem: StateError | None = None
    seconds: float = 0.0


async def until_free(workspace: Workspace, on_wait: Callable[[Lease, float], None]) -> Run | None:
    """Wait for the run of another machine to end, since a plan that is made meanwhile would be out
    of date.

    Returns:
        the run, if it died and was settled here.
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
    """Begin the run of a plan. If another machine holds the lease, wait until it is released or has
    ended.

    Every few seconds `on_wait` is called with that lease and the seconds waited so far.

    Raises:
        StateMoved: the state has changed since the plan was made, perhaps since a run that was
        interrupted was settled here.
        StateError: the journal cannot be written, so nothing was sent.
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
            raise StateMoved("An interrupted run was recovered.", settled=settled)


async def execute(
    workspace: Workspace,
    client: WriteClient,
    journal: Journal,
    *,
    state: State,
    seen: Iterable[str],
    parallelism: int,
    observer: Observer,
) -> Applied:
    """Execute the plan of a run that has begun. The caller holds the lock of the store; `seen` are
    the ids of the records that were read for the plan.

    If this is interrupted, the journal stays, and the next command that writes takes over.
    """
    plan = journal.run.plan
    work = Apply(plan, client, journal, observer.outcome, parallelism)
    work.known.update(seen, _known_ids(plan, state))
    observer.started(work)
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


def _known_ids(plan: Plan, state: State) -> Iterator[str]:
    """The ids of records and proposals that exist before a plan is executed."""
    for change in plan.changes:
        yield from filter(None, [change.id])
    for names in plan.names.values():
        yield from names.values()
    for entry in state.records.values():
        yield from filter(None, [entry.id, entry.approval.id if entry.approval else None])


def report_unchanged(workspace: Workspace, plan: Plan, state: State) -> Applied:
    """The report of a plan that has nothing to execute.

    If uncommitted files were applied before, and this commit holds all of it, the state is updated
    to say so.

    Raises:
        StateMoved: another run applied meanwhile.
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
    """Renew a lease during its run. A run whose lease cannot be renewed stops before it ends."""
    if lease is None:
        yield
        return
    quick_start.finish()  # from here on, a second thread loads modules
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
        except StateError:  # the remote cannot be reached for now
            pause = lease_times.RENEWED_EVERY / 6
