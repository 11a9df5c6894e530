"""What stemctl remembers of a server: its state, the run that is on, and the runs that were.

Lock, journal and run records belong to this folder on this machine, and are in .stemctl. The state
is in a backend: a file beside stemctl.yaml, or a branch that machines share.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from stemctl.config.config import Server
from stemctl.core.plan import Plan
from stemctl.core.run import Brief, Run, in_brief
from stemctl.core.state import State
from stemctl.errors import ConfigError, JournalError, StateError, Untouched
from stemctl.schema.catalog import Catalog
from stemctl.state.backend import StateBackend
from stemctl.state.file_backend import FileBackend
from stemctl.state.local_folder import LocalFolder
from stemctl.state.lock import FolderLock
from stemctl.state.recovery import Recovery
from stemctl.state.run_log import RunLog, order, remote_briefs, remote_run
from stemctl.state.server_state import Declared, ServerState, open_backend

if TYPE_CHECKING:
    from stemctl.state.journal import Journal


def open_store(
    root: Path, server: Server, catalog: Catalog, environ: Mapping[str, str], declared: Declared
) -> Store:
    """The store of a server, with the backend that stemctl.yaml names."""
    backend = open_backend(root, server, environ)
    local = LocalFolder(root, server.name, environ)
    runs = RunLog(local, server)
    state = ServerState(root, server, catalog, backend, runs, environ, declared)
    return Store(local, state)


class Store:
    """All that is remembered of one server."""

    def __init__(self, local: LocalFolder, state: ServerState) -> None:
        self.local = local
        self.state = state
        self.runs = state.runs
        self.lock = FolderLock(local)
        self.recovery = Recovery(state, state.runs, self.lock)

    @property
    def backend(self) -> StateBackend:
        """Where the state is."""
        return self.state.backend

    @property
    def where(self) -> str:
        """Where the state is, as shown to people."""
        return self.backend.where

    def files(self) -> list[Path]:
        """All files of this server on this machine: state, journal, and records of runs."""
        state = FileBackend.of(self.state.root, self.state.server).path
        paths = (state, self.local.journal, *reversed(self.runs.files()))
        return [path for path in paths if path.exists()]

    # reading

    def read(self) -> State:
        """The state, with what an unfinished run has done so far; empty if nothing is kept.

        Raises:
            StateError: state or journal is damaged, newer than this program, or belongs to another
                server or to other manifests.
        """
        state = self.recovery.present()
        self.state.refuse_foreign(state)
        return state

    def last_known(self) -> State:
        """The state without the network: a shared one as it was when it was last fetched.

        It is empty if there is no remote yet.
        """
        server, lock = self.state.server, self.backend.lock
        try:
            if lock is not None:
                lock.use_last_seen()
        except ConfigError:
            return State(server.url, server.portal, server.edition)
        return self.recovery.present()

    def refresh(self) -> None:
        """Look at a shared state again; a command otherwise sees it as it was at its first look."""
        if self.backend.lock is not None:
            self.backend.lock.refresh()

    # writing

    def write(self, state: State, who: str, what: str) -> State:
        """Replace the state; it is on the disk, or pushed, before this returns.

        Raises:
            StateError: it cannot be written, or someone else was faster.
        """
        return self.state.write(state, who, what)

    @contextlib.contextmanager
    def writing(self, who: str) -> Iterator[Run | None]:
        """Keep other writers of this machine out, and settle a run that broke off, which is given.

        Every command that writes the state goes through here, so that no journal is skipped.

        Raises:
            StateError: another process holds the lock, or what that run left cannot be read.
        """
        with self.lock.hold(who):
            self.refresh()
            yield self.recovery.take_over(who)

    def begin(self, plan: Plan, who: str) -> Journal:
        """Begin the run of a plan; from now on, other commands know what it may have sent.

        Raises:
            Busy: a run of another machine is on.
            StateMoved: the state is not the one that the plan was made from.
            StateError: state or journal cannot be written.
        """
        from stemctl.state.journal import Journal  # asyncio with it

        last = self.backend.load()
        run_id = self.runs.new_id(last.run if last is not None else None)
        lineage = plan.lineage or str(uuid.uuid4())
        run = Run(run_id, who, plan, lineage, folder=self.state.folder)
        lock = self.backend.lock
        lease = lock.acquire(run) if lock is not None else None
        try:
            self.local.make()
            return Journal(self.local.journal, run, lease)
        except OSError as error:
            if lease is not None:
                with contextlib.suppress(StateError):  # the lease ends by itself
                    lease.release()
            raise StateError(
                f"{self.local.shown(self.local.journal)} cannot be written: "
                f"{error.strerror or error}.",
                "stemctl records each request in this file before sending it.",
                untouched=Untouched.NOTHING_SENT,
            ) from error

    def finish(self, journal: Journal, state: State) -> State:
        """End a run: reduce it into the state, and keep its journal as its record.

        Raises:
            StateError: the state cannot be written. The journal stays, and the next command that
                writes settles it.
        """
        with contextlib.suppress(JournalError):  # a full disk: the state has all of it
            journal.end()
        journal.close()
        return self.recovery.settle(state, journal.run)

    # runs

    def list_runs(self) -> Iterator[Brief]:
        """The known runs, the latest first, with the one that did not end.

        Raises:
            StateError: a record is damaged.
        """
        unfinished = self.recovery.unfinished()
        found = {brief.id: brief for brief in self.runs.briefs()}
        others = self._past_runs(lambda run: run not in found)
        found = {brief.id: brief for brief in remote_briefs(others, self.where)} | found
        if unfinished is not None:
            brief = in_brief(unfinished)
            found[unfinished.id] = replace(brief, is_on=self.recovery.is_on())
        yield from sorted(found.values(), key=lambda brief: order(brief.id), reverse=True)

    def load_run(self, run: str) -> Run | None:
        """One of the known runs; None if there is none.

        Raises:
            StateError: its record is damaged.
        """
        unfinished = self.recovery.unfinished()
        if unfinished is not None and unfinished.id == run:
            return unfinished
        known = self.runs.load(run)
        if known is not None:
            return known
        return remote_run(self._past_runs(lambda other: other == run), run, self.where)

    def _past_runs(self, is_wanted: Callable[[str], bool]) -> Mapping[str, bytes]:
        lock = self.backend.lock
        return lock.past_runs(is_wanted) if lock is not None else {}
