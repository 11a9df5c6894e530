"""apply: wait for other runs, plan, ask, and execute; or execute a saved plan."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from stemctl.client.limiter import Limiter
from stemctl.commands import execute
from stemctl.commands.ancestry import refuse_behind, since_applied
from stemctl.commands.connection import Link, connect
from stemctl.commands.event_loop import run_async
from stemctl.commands.execute import Applied, Observer
from stemctl.commands.loading import load
from stemctl.commands.plan import Planned, checked, plan, replan
from stemctl.commands.workspace import Workspace, check_writable
from stemctl.core.lease import Lease
from stemctl.core.plan import Plan
from stemctl.core.run import Run
from stemctl.core.saved_plan import check_fits
from stemctl.core.state import State
from stemctl.errors import ConfigError, Untouched
from stemctl.planning.planner import Options
from stemctl.state.backend import StateMoved
from stemctl.state.journal import Journal

OnWait = Callable[[Lease, float], None]
"""Called every few seconds with the lease that is waited for, and the seconds waited so far."""


class View(Protocol):
    """What an apply shows, and the questions that it asks."""

    def settled(self, run: Run) -> None:
        """An interrupted run was taken over."""

    def waiting(self) -> AbstractContextManager[OnWait]:
        """Another run may hold the lease."""

    def planned(self, planned: Planned) -> None:
        """The plan was made."""

    def saved_plan_fits(self, plan: Plan) -> None:
        """The saved plan fits this server and state, and is about to be executed."""

    def replanning(self) -> None:
        """Another run applied before this plan could be executed."""

    def asking(self) -> AbstractContextManager[None]:
        """Questions are about to be asked; meanwhile Ctrl-C ends the run at once."""

    def ask_permissions(self, plan: Plan) -> dict[str, int]:
        """Ask for each permission that a change is held for: kind to number of records."""

    def ask_to_send(self, plan: Plan) -> bool:
        """Ask whether to execute the plan."""

    def sending(self, plan: Plan, limiter: Limiter) -> AbstractContextManager[Observer]:
        """Requests are about to be sent."""


class ApplyOptions(Struct, frozen=True):
    """How a plan is applied, whether it is saved or made now. `digest` is the one it must have."""

    auto_approve: bool = False
    allow_behind: bool = False
    digest: str | None = None
    parallelism: int = 8


def apply_files(
    workspace: Workspace, selection: Options, options: ApplyOptions, view: View
) -> Applied | None:
    """Plan and apply the selected records of the files; None if the user declined.

    Raises:
        InvalidFiles: the files have errors.
        ConfigError: the plan has another digest, or the portal does not take a model.
        StateError: this commit lacks what was applied, or the state cannot be used.
    """
    run = _ApplyRun(workspace, options, view)
    with workspace.writing() as interrupted:
        run.tell_settled(interrupted)
        return run_async(run.files(selection))


def apply_saved(
    workspace: Workspace, plan: Plan, name: str, options: ApplyOptions, view: View
) -> Applied:
    """Apply a saved plan, exactly as it is, once.

    Raises:
        BadPlan: it does not fit this server or state.
        ConfigError: it has another digest, or the portal does not take a model.
        StateError: this commit lacks what was applied, or the state cannot be used.
    """
    run = _ApplyRun(workspace, options, view)
    with workspace.writing() as interrupted:
        run.tell_settled(interrupted)
        return run_async(run.saved(plan, name))


class _ApplyRun(Struct, frozen=True):
    """One apply. The state is locked."""

    workspace: Workspace
    options: ApplyOptions
    view: View

    async def files(self, selection: Options) -> Applied | None:
        """Plan, ask and execute; from the start if another run applied in the meantime."""
        loaded = load(self.workspace.config, self.workspace.catalog)
        check_writable(self.workspace, (address.model for address in loaded.repository.records))
        async with connect(self.workspace, self.options.parallelism) as link:
            while True:
                await self._wait()
                planned = checked(await plan(self.workspace, link.reader(), loaded, selection))
                if not self.options.allow_behind:
                    refuse_behind(planned.since)
                self.view.planned(planned)
                self._check_digest(planned.plan)
                approved = planned if self.options.auto_approve else self._ask(planned)
                if approved is None:
                    return None
                try:
                    seen = frozenset(approved.snapshot.ids())
                    begun = await self._begin(approved.plan, approved.state, seen)
                    break
                except StateMoved as moved:
                    self.tell_settled(moved.settled)
                    self.view.replanning()
            # A run needs only its plan: of many records, what that was made from is let go.
            del loaded, planned, approved
            return await self._execute(link, begun)

    async def saved(self, plan: Plan, name: str) -> Applied:
        """Check that the plan fits, and execute it."""
        workspace = self.workspace
        state = workspace.store.read()
        check_fits(plan, workspace.target, state, workspace.catalog, name)
        check_writable(workspace, (change.address.model for change in plan.changes if change.sends))
        if not self.options.allow_behind:
            refuse_behind(since_applied(workspace, state, plan.commit))
        self._check_digest(plan)
        self.view.saved_plan_fits(plan)
        async with connect(workspace, self.options.parallelism) as link:
            try:
                return await self._execute(link, await self._begin(plan, state))
            except StateMoved as moved:
                self.tell_settled(moved.settled)
                now = workspace.store.read()
                check_fits(plan, workspace.target, now, workspace.catalog, name)
                raise

    def tell_settled(self, run: Run | None) -> None:
        """Show the interrupted run that was taken over, if there was one."""
        if run is not None:
            self.view.settled(run)

    async def _wait(self) -> None:
        """Wait for the run of another machine, and settle it if it died."""
        with self.view.waiting() as on_wait:
            self.tell_settled(await execute.until_free(self.workspace, on_wait))

    def _ask(self, planned: Planned) -> Planned | None:
        """Ask for each permission that a change is held for, then for the plan as a whole."""
        with self.view.asking():
            granted = self.view.ask_permissions(planned.plan)
            if granted:
                planned = checked(replan(self.workspace, planned, granted))
            if planned.plan.actionable() and not self.view.ask_to_send(planned.plan):
                return None
        return planned

    def _check_digest(self, plan: Plan) -> None:
        wanted = self.options.digest
        if wanted and not plan.digest.removeprefix("sha256:").startswith(wanted):
            raise ConfigError(
                f"The plan does not have the digest {wanted}.",
                f"Its digest is {plan.digest}: something has changed since that plan was made.",
                [("stemctl plan", "shows the plan as it is now")],
                untouched=Untouched.NOTHING_SENT,
            )

    async def _begin(
        self, plan: Plan, state: State, seen: frozenset[str] = frozenset()
    ) -> _Begun | Applied:
        """Begin the run of a plan; a plan with nothing to execute is done."""
        began = time.monotonic()
        if not (plan.actionable() or plan.state_changes):
            applied = execute.report_unchanged(self.workspace, plan, state)
            return replace(applied, seconds=time.monotonic() - began)
        with self.view.waiting() as on_wait:
            journal = await execute.begin(self.workspace, plan, on_wait)
        return _Begun(journal, state, seen, began)

    async def _execute(self, link: Link, begun: _Begun | Applied) -> Applied:
        if isinstance(begun, Applied):
            return begun
        with self.view.sending(begun.journal.run.plan, link.limiter) as observer:
            applied = await execute.execute(
                self.workspace,
                link.writer(),
                begun.journal,
                state=begun.state,
                seen=begun.seen,
                parallelism=self.options.parallelism,
                observer=observer,
            )
        return replace(applied, seconds=time.monotonic() - begun.began)


class _Begun(Struct, frozen=True):
    """A run that has begun; `seen` are the ids of the records that were read for its plan."""

    journal: Journal
    state: State
    seen: frozenset[str]
    began: float
