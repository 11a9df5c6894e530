"""What is remembered of a server: its state, the journal of a run that is on, the records of those
that were.

Lock, journal and records belong to this folder on this machine and lie in .stemctl/. The state
itself is kept in a place: a file beside stemctl.yaml (`state_file.py`), or a branch of a git remote
that many machines share (`branch/`).
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stemctl.config.config import Server
from stemctl.core.lease import Lease
from stemctl.core.plan import Plan
from stemctl.core.records import Address
from stemctl.core.run import Brief, Run, end_line, first_lines, in_brief, read_brief, read_run
from stemctl.core.state import State, same_entries
from stemctl.errors import ConfigError, JournalError, StateError
from stemctl.manifests.work_tree import prefix
from stemctl.planning.reducer import check_state, fold
from stemctl.schema.catalog import Catalog
from stemctl.state import local_folder
from stemctl.state.backend import Lines, StateBackend, StateMoved
from stemctl.state.file_backend import FileBackend
from stemctl.state.run_log import RunRecords, last_line
from stemctl.util.atomic_file import replace_file
from stemctl.util.timestamps import stamp, utc_now

if TYPE_CHECKING:
    from stemctl.state.journal import Journal

Declared = Callable[[], Collection[Address]]
"""Reads the manifests, for what they declare."""

_PATIENCE = 1.0
"""Seconds to wait for the lock: a command that only looks whether somebody has it holds it for a
moment.
"""


def file_place(root: Path, server: Server) -> FileBackend:
    """The file that holds the state of a server; below .stemctl/ for a sandbox."""
    name = f"{server.name}.state.json"
    where = f"{local_folder.FOLDER}/{name}" if server.is_sandbox else name
    return FileBackend(root / where, where)


def git_place(root: Path, server: Server, environ: Mapping[str, str]) -> StateBackend:
    """The branch that holds it."""
    from stemctl.state.git_backend import GitBackend  # most states are files

    return GitBackend(root, server, environ)


def open_store(
    root: Path, server: Server, catalog: Catalog, environ: Mapping[str, str], declared: Declared
) -> Store:
    """What is remembered of a server, in the place that stemctl.yaml names."""
    backend: StateBackend = (
        git_place(root, server, environ) if server.backend == "git" else file_place(root, server)
    )
    return Store(root, server, catalog, backend, environ, declared)


class Store:
    """The memory of one server."""

    def __init__(
        self,
        root: Path,
        server: Server,
        catalog: Catalog,
        backend: StateBackend,
        environ: Mapping[str, str],
        declared: Declared = frozenset,
    ) -> None:
        self.root = root
        self.server = server
        self.catalog = catalog
        self.backend = backend
        self._environ = environ
        self._declared = declared

    @cached_property
    def _folder(self) -> Path:
        """Where all of this machine lies, looked at before anything of it is believed."""
        return local_folder.check(self.root, self._environ)

    def make_folder(self) -> Path:
        """The same, made if it is not there."""
        return local_folder.make(self._folder.parent)

    @property
    def journal(self) -> Path:
        """The journal of a run that is on, or broke off."""
        return self._folder / f"{self.server.name}.journal"

    @property
    def records(self) -> RunRecords:
        """The records of the runs that were made from this folder."""
        name = self.server.name
        return RunRecords(self._folder / "runs" / name, f"{local_folder.FOLDER}/runs/{name}")

    @property
    def _lock(self) -> Path:
        return self._folder / f"{self.server.name}.lock"

    @property
    def _owner(self) -> Path:
        return self._folder / f"{self.server.name}.owner.json"

    @property
    def where(self) -> str:
        """Where the state is, as people see it."""
        return self.backend.where

    @cached_property
    def folder(self) -> str | None:
        """Where the manifests are in their repository, for a state that does not lie beside them."""
        return prefix(self.root) if self.server.backend == "git" else None

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def files(self) -> list[Path]:
        """All that is remembered of this server on this machine: its state, a journal, the records
        of its runs.
        """
        state = file_place(self.root, self.server).path
        return [
            path for path in (state, self.journal, *reversed(self.records.files())) if path.exists()
        ]

    # reading

    def read(self) -> State:
        """The state, with what a run that did not end has done so far; an empty one where nothing is kept.

        Raises:
            StateError: state or journal is damaged, newer than this program, or belongs to another
            server, or to
                other manifests.
        """
        state = self._present()
        self._refuse_others(state)
        return state

    def _present(self) -> State:
        run = (
            self.unfinished()
        )  # before the state: a run that ends in between is folded into that then
        state = self._kept()
        folded = _folded(state, run) if run is not None else None
        if folded is None:
            return state
        check_state(folded, self.catalog, self._shown(self.journal))
        if self.elsewhere() is not None or self.is_locked():
            # The run is on: nobody knows the state after it, so no plan made from this one is to
            # fit that.
            return replace(folded, lineage=state.lineage)
        return _next(folded)

    def last_known(self) -> State:
        """The same without asking anybody: where the state is shared, as it was when we last
        looked; empty where there is no remote to look at yet.
        """
        try:
            self.backend.look_without_asking()
        except ConfigError:
            return State(self.server.url, self.server.portal, self.server.edition)
        return self._present()

    def unfinished(self) -> Run | None:
        """The run that is on, or broke off: by its journal, or by its claim where it is one of
        another machine.

        Also while that one is on, each of its requests may have been sent: what is shown takes all
        of them so.

        Raises:
            StateError: the journal is damaged, of a newer stemctl, or of another server.
        """
        run = self._journaled()
        if run is not None and self.backend.still_claimed(run.id):
            return run
        return self.backend.claimed_run() if self.backend.claimed() else None

    def elsewhere(self) -> Lease | None:
        """The claim of a run of another machine that is on."""
        claim = self.backend.claimed()
        run = self._journaled() if claim is not None else None
        return (
            None if claim is None or self.backend.dead() or (run and run.id == claim.run) else claim
        )

    def _journaled(self) -> Run | None:
        try:
            content = self.journal.read_bytes()
        except FileNotFoundError:
            return None
        run = read_run(content, self._shown(self.journal))
        if run.plan.server.url != self.server.url:
            raise self._other_server(self._shown(self.journal), run.plan.server.url)
        return run

    def _kept(self) -> State:
        server = self.server
        state = self.backend.load()
        if state is None:
            self._check_not_elsewhere()
            return State(server.url, server.portal, server.edition)
        if state.url != server.url:
            raise self._other_server(self.where, state.url)
        return check_state(state, self.catalog, self.where)

    def _refuse_others(self, state: State) -> None:
        """A state file lies beside its manifests; one on a branch may be of others."""
        if self.folder is None or not (state.lineage or state.run):
            return
        from stemctl.state.belonging import Here

        here = Here(
            self.root,
            self.folder,
            self.server,
            self.where,
            self._environ,
            self._declared,
            self._was_run_here,
        )
        here.refuse_others(state)

    def _was_run_here(self, run: str) -> bool:
        known = self._journaled()
        return self.records.path(run).exists() or (known is not None and known.id == run)

    def _check_not_elsewhere(self) -> None:
        """A state in the place that stemctl.yaml does not name any more was not moved: do not begin
        without it.
        """
        server, to = self.server, self.server.backend
        if server.is_sandbox:
            return
        file = file_place(self.root, server)
        old: StateBackend | None = file if to == "git" and file.path.exists() else None
        if to == "file":
            old = self._last_seen_on_a_branch()
        if old is not None:
            raise StateError(
                f"The state of {server.name} is still in {old.where}.",
                f"stemctl.yaml keeps it in {self.where}, where there is none yet. Nothing was sent.",
                [(f"stemctl state migrate --to {to}", "moves it there")],
            )

    def _last_seen_on_a_branch(self) -> StateBackend | None:
        from stemctl.git.mirror_cache import (
            has_states,
        )  # only where there is no state in a file yet

        if not has_states(self.root):
            return None
        backend = git_place(self.root, self.server, self._environ)
        try:
            backend.look_without_asking()
        except ConfigError:  # the remote that it was on is not here any more
            return None
        return backend if backend.load() is not None else None

    def _other_server(self, where: str, url: str) -> StateError:
        return StateError(
            f"{where} belongs to another server.",
            f"It was written for {url}, and {self.server.name} is {self.server.url}. Nothing was sent.\n"
            "If the server only moved, change the url in the state; else give the server another name.",
        )

    # writing

    def write(self, state: State, who: str, what: str) -> State:
        """Replace the state by this one, with its serial counted up; on disk, or pushed, before
        this returns.

        Raises:
            StateError: it cannot be written, or somebody else was quicker.
        """
        return self._write(state, None, bytes, who, what)

    def _write(self, state: State, run: Run | None, lines: Lines, who: str, what: str) -> State:
        server = self.server
        fresh = replace(_next(state), url=server.url, portal=server.portal, edition=server.edition)
        fresh = replace(fresh, folder=self.folder)
        try:
            self.make_folder()
            self.backend.save(fresh, run, lines, who, what)
        except OSError as error:
            raise self._not_written(
                f"{self.where} cannot be written: {error.strerror or error}."
            ) from error
        except StateMoved:
            raise
        except StateError as error:
            raise self._not_written(
                error.what, error.why.replace("\nNothing was sent.", "")
            ) from error
        return fresh

    def _not_written(self, what: str, why: str = "") -> StateError:
        kept = self.journal.exists()
        sent = f"What was sent stands in {self._shown(self.journal)}, and the next apply takes it from there."
        again = "once that is mended" if why else "once the file can be written"
        reasons = [text for text in (why, sent if kept else "Nothing was changed.") if text]
        failed = StateError(what, "\n".join(reasons), [("stemctl plan", again)])
        failed.exit_code = 3 if kept else 1
        return failed

    @contextlib.contextmanager
    def writing(self, who: str) -> Iterator[Run | None]:
        """Keep other writers of this machine out, and take over from a run that broke off; gives that.

        Whoever writes the state goes through here, so that no journal is passed over.

        Raises:
            StateError: another process holds the lock, or what the other run left cannot be read.
        """
        with self.locked(who):
            self.backend.refresh()
            yield self.take_over(who)

    @contextlib.contextmanager
    def locked(self, who: str) -> Iterator[None]:
        """Keep other writers of this repository and server out; the lock dies with its process.

        Raises:
            StateError: another process holds the lock.
        """
        import filelock  # whoever only reads has no need of it, as a rule

        lock = filelock.FileLock(self.make_folder() / self._lock.name, timeout=_PATIENCE)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise StateError(
                f"Another stemctl is writing to {self.server.name} from this folder{self._holder()}.",
                "Nothing was sent. Wait until it has finished.",
            ) from error
        try:
            with contextlib.suppress(OSError):  # it only makes the message for others better
                replace_file(
                    self._owner,
                    json.dumps({"who": who, "pid": os.getpid(), "since": stamp(utc_now())}),
                )
            yield
        finally:
            with contextlib.suppress(OSError):
                self._owner.unlink(missing_ok=True)
            lock.release()

    def _holder(self) -> str:
        """Who has the lock, as far as it is written down."""
        try:
            owner = json.loads(self._owner.read_text(encoding="utf-8"))
            return f": {owner['who']}, process {owner['pid']}, since {owner['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def is_locked(self) -> bool:
        """Whether some process of this machine writes at this moment."""
        if not self._lock.exists():
            return False
        import filelock

        lock = filelock.FileLock(self._lock, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            return True
        lock.release()
        return False

    def take_over(self, who: str) -> Run | None:
        """Fold in a run that broke off: one of this folder by its journal, one of another machine
        by its claim.

        The caller holds the lock.
        """
        run = self._journaled()
        if run is not None:
            if self.backend.still_claimed(run.id):
                self._fold(self._kept(), run, who)
                return run
            self._keep_record(run)  # somebody else has settled it meanwhile
        if not self.backend.dead():
            return None
        run = self.backend.claimed_run()
        folded = check_state(fold(self._kept(), run), self.catalog, self.where)
        self._refuse_others(folded)
        known = replace(run, intents={}, ended=stamp(utc_now()), settled=who)
        lines = "".join([*first_lines(known), end_line(known)]).encode(errors="surrogatepass")
        try:
            self._write(folded, run, lambda: lines, who, "")
        except (
            StateMoved
        ):  # another machine has settled it at the same moment, or its owner is alive after all
            return None
        return run

    def begin(self, plan: Plan, who: str) -> Journal:
        """Begin a run: from here on it is known that this plan is being carried out.

        Raises:
            Busy: a run of another machine is on.
            StateMoved: the state is not the one that the plan was made from.
            StateError: state or journal cannot be written.
        """
        from stemctl.state.journal import Journal  # asyncio with it

        run = Run(self._new_id(), who, plan, plan.lineage or str(uuid.uuid4()), folder=self.folder)
        lease = self.backend.claim(run)
        try:
            return Journal(self.make_folder() / self.journal.name, run, lease)
        except OSError as error:
            with contextlib.suppress(StateError):  # else it ends by itself
                if lease is not None:
                    lease.release()
            raise StateError(
                f"{self._shown(self.journal)} cannot be written: {error.strerror or error}.",
                "Nothing was sent: what is sent is written down first.",
            ) from error

    def finish(self, journal: Journal, state: State) -> State:
        """End a run: fold it into the state, and keep its journal as the record of the run.

        Raises:
            StateError: the state cannot be written; the journal stays, and the next command that
            writes folds it.
        """
        with contextlib.suppress(JournalError):  # a full disk: the state has all of it
            journal.end()
        journal.close()
        return self._fold(state, journal.run, journal.run.who)

    def _fold(self, state: State, run: Run, who: str) -> State:
        folded = _folded(state, run)
        if folded is not None:
            check_state(folded, self.catalog, self._shown(self.journal))
        try:
            if folded is not None:
                state = self._write(folded, run, self.journal.read_bytes, who, "")
            else:
                self.backend.release(run.id)
        except StateMoved as error:
            self._keep_record(run)
            taken = StateError(
                f"Run {run.id} lost its claim on {self.where}.",
                "Somebody else has settled it, or has replaced the branch.\n"
                "What it has done is on the server; what it could not do is in the next plan.",
                [
                    ("stemctl plan", "shows what is left"),
                    (f"stemctl runs show {run.id}", "what this run did"),
                ],
            )
            taken.exit_code = 3
            raise taken from error
        self._keep_record(run)
        return state

    def _keep_record(self, run: Run) -> None:
        self.make_folder()
        self.records.take(self.journal, run.id)

    # runs

    def _new_id(self) -> str:
        """The second in which the run began; a second one in it is told apart by a number."""
        state = self.backend.load()
        last = state.run if state else None
        began = utc_now().astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        number = 1
        while (run := began if number == 1 else f"{began}-{number}") == last or self.records.path(
            run
        ).exists():
            number += 1
        return run

    def list_runs(self) -> Iterator[Brief]:
        """The runs that are remembered, the latest first; one that is not over is among them.

        Raises:
            StateError: a record is damaged.
        """
        unfinished = self.unfinished()
        found = {brief.id: brief for brief in map(self._brief, self.backend.past_runs().values())}
        found |= {brief.id: brief for brief in self.records.briefs()}
        if unfinished is not None:
            is_on = self.elsewhere() is not None or self.is_locked()
            found[unfinished.id] = replace(in_brief(unfinished), is_on=is_on)
        yield from sorted(found.values(), key=lambda brief: _by_time(brief.id), reverse=True)

    def _brief(self, content: bytes) -> Brief:
        brief = read_brief(content.partition(b"\n")[0], last_line(content))
        return brief if brief is not None else in_brief(read_run(content, self.where))

    def load_run(self, run: str) -> Run | None:
        """One of them; None if there is none.

        Raises:
            StateError: its record is damaged.
        """
        unfinished = self.unfinished()
        if unfinished is not None and unfinished.id == run:
            return unfinished
        found = self.records.load(run)
        if found is not None:
            return found
        return next(
            (
                r
                for r in (read_run(c, self.where) for c in self.backend.past_runs().values())
                if r.id == run
            ),
            None,
        )


def _by_time(run: str) -> tuple[str, int]:
    began, _, number = run.partition("Z-")
    return began.removesuffix("Z"), int(number) if number.isascii() and number.isdigit() else 1


def _folded(state: State, run: Run) -> State | None:
    """The state with a run in it; None if it does not have to be written. A run that sent anything
    moves the serial, so that its plan is not applied again.
    """
    fresh = fold(state, run)
    changed = not same_entries(fresh.records, state.records) or fresh.names != state.names
    return fresh if fresh is not state and (run.intents or changed) else None


def _next(state: State) -> State:
    """The state as it is written after this one."""
    return replace(state, lineage=state.lineage or str(uuid.uuid4()), serial=state.serial + 1)
