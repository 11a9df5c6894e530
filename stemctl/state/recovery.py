"""What a run that did not end has left: its journal here, or its lease on another machine.

The next command that writes reduces it into the state, so that no request is forgotten.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.lease import Lease
from stemctl.core.run import Run, end_line, first_lines
from stemctl.core.state import State
from stemctl.core.state_codec import same_entries
from stemctl.errors import StateError
from stemctl.planning.reducer import check_state, reduce
from stemctl.state.backend import StateMoved
from stemctl.state.lock import FolderLock
from stemctl.state.run_log import RunLog
from stemctl.state.server_state import ServerState, next_state
from stemctl.util.timestamps import stamp, utc_now


class Recovery(Struct, frozen=True):
    """The run that did not end, and how its outcome gets into the state."""

    state: ServerState
    runs: RunLog
    machine: FolderLock

    def unfinished(self) -> Run | None:
        """The run that is on, or broke off: by its journal here, or by its lease elsewhere.

        While a run of another machine is on, any of its requests may have been sent. Each counts
        as sent.

        Raises:
            StateError: the journal is damaged, of a newer stemctl, or of another server.
        """
        run = self.runs.current()
        if run is not None and self._is_ours(run):
            return run
        lock = self.state.backend.lock
        if lock is None or lock.lease() is None:
            return None
        return lock.leased_run()

    def elsewhere(self) -> Lease | None:
        """The lease of a run of another machine that is on."""
        lock = self.state.backend.lock
        lease = lock.lease() if lock is not None else None
        if lock is None or lease is None:
            return None
        run = self.runs.current()
        is_here = run is not None and run.id == lease.run
        return None if lock.is_dead() or is_here else lease

    def is_on(self) -> bool:
        """Whether the unfinished run goes on, here or elsewhere."""
        return self.elsewhere() is not None or self.machine.is_held()

    def present(self) -> State:
        """The state with what the unfinished run has done so far."""
        run = self.unfinished()  # before the state: if the run ends in between, the state has it
        state = self.state.load()
        reduced = _reduced(state, run) if run is not None else None
        if reduced is None:
            return state
        self._check(reduced)
        if self.is_on():
            # The state after that run is not known, so no plan that is made now may fit it.
            return replace(reduced, lineage=state.lineage)
        return next_state(reduced)

    def take_over(self, who: str) -> Run | None:
        """Settle a run that broke off, and return it. The caller holds the lock of this machine.

        A run of this folder is settled by its journal, one of another machine by its lease.
        """
        run = self.runs.current()
        if run is not None:
            if self._is_ours(run):
                self.settle(self.state.load(), run)
                return run
            self.runs.archive(run.id)  # another machine has settled it in the meantime
        return self._settle_dead(who)

    def _settle_dead(self, who: str) -> Run | None:
        lock = self.state.backend.lock
        if lock is None or not lock.is_dead():
            return None
        run = lock.leased_run()
        state = reduce(self.state.load(), run)
        check_state(state, self.state.catalog, self.state.backend.where)
        self.state.refuse_foreign(state)
        known = replace(run, intents={}, ended=stamp(utc_now()), settled=who)
        lines = "".join([*first_lines(known), end_line(known)]).encode(errors="surrogatepass")
        try:
            self.state.write_run(state, run, lambda: lines)
        except StateMoved:  # another machine was faster, or the holder of the lease is alive
            return None
        return run

    def settle(self, state: State, run: Run) -> State:
        """Reduce the run of the journal into the state, and keep the journal as its record.

        Raises:
            StateError: the state cannot be written, then the journal stays; or the lease was lost.
        """
        reduced = _reduced(state, run)
        if reduced is not None:
            self._check(reduced)
        lock = self.state.backend.lock
        try:
            if reduced is not None:
                state = self.state.write_run(reduced, run, self.runs.local.journal.read_bytes)
            elif lock is not None:
                lock.release(run.id)
        except StateMoved as error:
            self.runs.archive(run.id)
            raise self._lost_lease(run) from error
        self.runs.archive(run.id)
        return state

    def _is_ours(self, run: Run) -> bool:
        """Whether a run of this folder is still to be settled here."""
        lock = self.state.backend.lock
        return lock is None or lock.is_held_by(run.id)

    def _check(self, state: State) -> None:
        local = self.runs.local
        check_state(state, self.state.catalog, local.shown(local.journal))

    def _lost_lease(self, run: Run) -> StateError:
        failed = StateError(
            f"Run {run.id} lost its lease on {self.state.backend.where}.",
            "Another machine has taken over the run, or replaced the branch.\n"
            "The changes that were sent are on the server. The next plan shows the rest.",
            [
                ("stemctl plan", "shows what is left"),
                (f"stemctl runs show {run.id}", "shows what this run did"),
            ],
        )
        failed.exit_code = 3
        return failed


def _reduced(state: State, run: Run) -> State | None:
    """The state with a run in it; None if it does not have to be written.

    A run that sent anything moves the serial, so that its plan is not applied again.
    """
    fresh = reduce(state, run)
    if fresh is state:
        return None
    changed = not same_entries(fresh.records, state.records) or fresh.names != state.names
    return fresh if run.intents or changed else None
