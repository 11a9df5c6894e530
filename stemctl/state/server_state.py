"""The state of one server: checked when it is read, and written with its serial counted up."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from stemctl.config.config import Server
from stemctl.core.records import Address
from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.errors import ConfigError, StateError, Untouched
from stemctl.manifests.work_tree import prefix
from stemctl.planning.reducer import check_state
from stemctl.schema.catalog import Catalog
from stemctl.state.backend import Lines, StateBackend, StateMoved, wrong_server
from stemctl.state.file_backend import FileBackend
from stemctl.state.run_log import RunLog

Declared = Callable[[], Collection[Address]]
"""Reads the manifests, for the addresses that they declare."""


def open_backend(root: Path, server: Server, environ: Mapping[str, str]) -> StateBackend:
    """The backend that stemctl.yaml names."""
    if server.backend != "git":
        return FileBackend.of(root, server)
    from stemctl.state.git_backend import GitBackend  # most states are files

    return GitBackend(root, server, environ)


class ServerState(Struct, frozen=True, dict=True):
    """The state in its backend, and whose it is."""

    root: Path
    server: Server
    catalog: Catalog
    backend: StateBackend
    runs: RunLog
    environ: Mapping[str, str]
    declared: Declared

    def __repr__(self) -> str:
        # Without the environment: a token may be in it.
        return f"ServerState(server={self.server!r})"

    @cached_property
    def folder(self) -> str | None:
        """Where the manifests are in their repository, if the state does not lie beside them."""
        return prefix(self.root) if self.server.backend == "git" else None

    def load(self) -> State:
        """The state as it was written; an empty one if there is none.

        Raises:
            StateError: it is damaged, newer than this program, of another server, or still in the
                other backend.
        """
        server = self.server
        state = self.backend.load()
        if state is None:
            self._refuse_unmoved()
            return State(server.url, server.portal, server.edition)
        if state.url != server.url:
            raise wrong_server(self.backend.where, state.url, server)
        return check_state(state, self.catalog, self.backend.where)

    def refuse_foreign(self, state: State) -> None:
        """Refuse a state of other manifests. A file lies beside its manifests, a branch does not.

        Raises:
            StateError: it is of others.
        """
        if self.folder is None or not (state.lineage or state.run):
            return
        from stemctl.state.ownership import LocalManifests

        manifests = LocalManifests(
            self.root,
            folder=self.folder,
            server=self.server,
            where=self.backend.where,
            environ=self.environ,
            declared=self.declared,
            has_run=self.runs.has,
        )
        manifests.refuse_foreign(state)

    def write(self, state: State, who: str, what: str) -> State:
        """Replace the state; it is on the disk, or pushed, before this returns.

        Raises:
            StateError: it cannot be written, or someone else was faster.
        """
        return self._write(state, lambda fresh: self.backend.save(fresh, who, what))

    def write_run(self, state: State, run: Run, lines: Lines) -> State:
        """Replace the state after a run, and give back the lease of that run if it has one.

        Raises:
            StateError: it cannot be written, or the lease was lost.
        """
        lock = self.backend.lock
        if lock is None:
            return self.write(state, run.who, "")
        return self._write(state, lambda fresh: lock.finish(run, fresh, lines))

    def _write(self, state: State, save: Callable[[State], None]) -> State:
        server = self.server
        fresh = replace(
            next_state(state),
            url=server.url,
            portal=server.portal,
            edition=server.edition,
            folder=self.folder,
        )
        try:
            self.runs.local.make()
            save(fresh)
        except OSError as error:
            what = f"{self.backend.where} cannot be written: {error.strerror or error}."
            raise self._not_written(what) from error
        except StateMoved:
            raise
        except StateError as error:
            raise self._not_written(error.what, error.why) from error
        return fresh

    def _not_written(self, what: str, why: str = "") -> StateError:
        journal = self.runs.local.journal
        again = "once that is fixed" if why else "once the file can be written"
        hints = [("stemctl plan", again)]
        if not journal.exists():
            return StateError(what, why, hints, Untouched.NOTHING_CHANGED)
        sent = f"What was sent is recorded in {self.runs.local.shown(journal)}."
        reasons = [why] if why else []
        failed = StateError(
            what, "\n".join([*reasons, f"{sent} The next apply continues from there."]), hints
        )
        failed.exit_code = 3
        return failed

    def _refuse_unmoved(self) -> None:
        """Do not start without a state that is still in the backend that stemctl.yaml named before.

        Raises:
            StateError: it is there.
        """
        server = self.server
        if server.is_sandbox:
            return
        old: StateBackend | None
        if server.backend == "git":
            file = FileBackend.of(self.root, server)
            old = file if file.path.exists() else None
        else:
            old = self._last_seen_on_a_branch()
        if old is not None:
            raise StateError(
                f"The state of {server.name} is still in {old.where}.",
                f"stemctl.yaml now names {self.backend.where}, where there is no state yet.",
                [(f"stemctl state migrate --to {server.backend}", "moves it there")],
                Untouched.NOTHING_SENT,
            )

    def _last_seen_on_a_branch(self) -> StateBackend | None:
        from stemctl.git.mirror_cache import has_states  # only if there is no state file yet

        if not has_states(self.root):
            return None
        from stemctl.state.git_backend import GitBackend

        backend = GitBackend(self.root, self.server, self.environ)
        try:
            backend.lock.use_last_seen()
        except ConfigError:  # the remote that it was on was removed
            return None
        return backend if backend.load() is not None else None


def next_state(state: State) -> State:
    """The state as it is written after this one."""
    return replace(state, lineage=state.lineage or str(uuid.uuid4()), serial=state.serial + 1)
