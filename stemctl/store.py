"""What is remembered of a server: its state file, the journal of a run that is on, the records of those that were."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import filelock

from stemctl.catalog import Catalog
from stemctl.config import Server
from stemctl.errors import JournalError, StateError
from stemctl.journal import Journal, replace_file, stamp, sync_folder, utc_now
from stemctl.plan import Plan
from stemctl.planning.fold import check_state, fold
from stemctl.runs import Brief, Run, in_brief, read_brief, read_run
from stemctl.state import State, from_json, to_json, ways_out

FOLDER = ".stemctl"
"""Sandbox database and its state, journals, run records, locks; holds its own .gitignore."""

_PATIENCE = 1.0
"""Seconds to wait for the lock: a command that only looks whether somebody has it holds it for a moment."""


_LAST = 4096
"""Bytes within which the last line of a journal begins, if it is the one that ends it."""


def own_folder(root: Path) -> Path:
    """The folder for what is not committed, made with a .gitignore of its own."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    if link := next((path for path in (folder, *folder.iterdir()) if path.is_symlink()), None):
        where = link.relative_to(root).as_posix()
        raise StateError(
            f"{where} is a link.", "What is written there would land elsewhere. Nothing was.", [(f"rm {where}", "")]
        )
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


class FileStore:
    """The state of one server in one file: `<server>.state.json`, or below .stemctl/ for a sandbox.

    Journal, lock and run records lie in .stemctl/ beside it.
    """

    def __init__(self, root: Path, server: Server, catalog: Catalog) -> None:
        self.root = root
        self.server = server
        self.catalog = catalog
        name = f"{server.name}.state.json"
        self.path = root / FOLDER / name if server.is_sandbox else root / name
        self.journal = root / FOLDER / f"{server.name}.journal"
        self.runs = root / FOLDER / "runs" / server.name
        self._lock = root / FOLDER / f"{server.name}.lock"
        self._owner = root / FOLDER / f"{server.name}.owner.json"

    @property
    def where(self) -> str:
        """The path as people see it, relative to the repository."""
        return self._shown(self.path)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def files(self) -> list[Path]:
        """All that is remembered of this server: its state, a journal, the records of its runs."""
        return [path for path in (self.path, self.journal, *sorted(self.runs.glob("*"))) if path.exists()]

    # reading

    def read(self) -> State:
        """The state, with what a run that did not end has done so far; an empty one where there is no file.

        Raises:
            StateError: state or journal is damaged, newer than this program, or belongs to another server.
        """
        run = self.unfinished()  # before the state: a run that ends in between is folded into that then
        state = self._read_file()
        folded = _folded(state, run) if run is not None else None
        return state if folded is None else _next(check_state(folded, self.catalog, self._shown(self.journal)))

    def unfinished(self) -> Run | None:
        """The run whose journal is still there: it is on, or it broke off.

        Raises:
            StateError: the journal is damaged, of a newer stemctl, or of another server.
        """
        run = self._read_run(self.journal)
        if run is not None and run.plan.server.url != self.server.url:
            raise self._other_server(self._shown(self.journal), run.plan.server.url)
        return run

    def _read_run(self, path: Path) -> Run | None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        return read_run(content, self._shown(path))

    def _read_file(self) -> State:
        server = self.server
        try:
            text = self.path.read_bytes().decode(errors="surrogatepass")
        except FileNotFoundError:
            return State(server.url, server.portal, server.edition)
        except UnicodeDecodeError as error:
            raise StateError(
                f"{self.where} is not a state file.", f"It is not UTF-8: {error}.", ways_out(self.where)
            ) from error
        state = from_json(text, self.where)
        if state.url != server.url:
            raise self._other_server(self.where, state.url)
        return check_state(state, self.catalog, self.where)

    def _other_server(self, where: str, url: str) -> StateError:
        return StateError(
            f"{where} belongs to another server.",
            f"It was written for {url}, and {self.server.name} is {self.server.url}. Nothing was sent.\n"
            "If the server only moved, change the url in the state; else give the server another name.",
        )

    # writing

    def write(self, state: State) -> State:
        """Replace the file by this state, with its serial counted up; on disk before this returns.

        Raises:
            StateError: the disk is full, or the folder may not be written.
        """
        server = self.server
        fresh = replace(_next(state), url=server.url, portal=server.portal, edition=server.edition)
        try:
            own_folder(self.root)
            replace_file(self.path, to_json(fresh))
        except OSError as error:
            raise self._not_written(error) from error
        return fresh

    def _not_written(self, error: OSError) -> StateError:
        kept = self.journal.exists()
        sent = f"What was sent stands in {self._shown(self.journal)}, and the next apply takes it from there."
        failed = StateError(
            f"{self.where} cannot be written: {error.strerror or error}.",
            sent if kept else "Nothing was changed.",
            [("stemctl plan", "once the file can be written")],
        )
        failed.exit_code = 3 if kept else 1
        return failed

    @contextlib.contextmanager
    def writing(self, who: str) -> Iterator[Run | None]:
        """Keep other writers out, and take over from a run that broke off; gives that.

        Whoever writes the state goes through here, so that no journal is passed over.

        Raises:
            StateError: another process holds the lock, or what the other run left cannot be read.
        """
        with self.locked(who):
            yield self._take_over()

    @contextlib.contextmanager
    def locked(self, who: str) -> Iterator[None]:
        """Keep other writers of this repository and server out; the lock dies with its process.

        Raises:
            StateError: another process holds the lock.
        """
        lock = filelock.FileLock(own_folder(self.root) / self._lock.name, timeout=_PATIENCE)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise StateError(
                f"Another stemctl is writing to {self.server.name} from this folder{self._holder()}.",
                "Nothing was sent. Wait until it has finished.",
            ) from error
        try:
            with contextlib.suppress(OSError):  # it only makes the message for others better
                replace_file(self._owner, json.dumps({"who": who, "pid": os.getpid(), "since": stamp(utc_now())}))
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
        """Whether some process writes at this moment."""
        if not self._lock.exists():
            return False
        lock = filelock.FileLock(self._lock, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            return True
        lock.release()
        return False

    def _take_over(self) -> Run | None:
        run = self.unfinished()
        if run is not None:
            self._fold(self._read_file(), run)
        return run

    def begin(self, plan: Plan, state: State, who: str) -> Journal:
        """Begin a run: from here on it is known that this plan is being carried out.

        Raises:
            StateError: the journal cannot be written.
        """
        run = Run(self._new_id(state), who, plan, state.lineage or str(uuid.uuid4()))
        try:
            return Journal(own_folder(self.root) / self.journal.name, run)
        except OSError as error:
            raise StateError(
                f"{self._shown(self.journal)} cannot be written: {error.strerror or error}.",
                "Nothing was sent: what is sent is written down first.",
            ) from error

    def finish(self, journal: Journal, state: State) -> State:
        """End a run: fold it into the state, and keep its journal as the record of the run.

        Raises:
            StateError: the state cannot be written; the journal stays, and the next command that writes folds it.
        """
        with contextlib.suppress(JournalError):  # a full disk: the state has all of it
            journal.end()
        journal.close()
        return self._fold(state, journal.run)

    def _fold(self, state: State, run: Run) -> State:
        folded = _folded(state, run)
        if folded is not None:
            check_state(folded, self.catalog, self._shown(self.journal))
        fresh = state if folded is None else self.write(folded)
        self.runs.mkdir(parents=True, exist_ok=True)
        os.replace(self.journal, self._record(run.id))
        sync_folder(self.runs)
        sync_folder(self.journal.parent)
        return fresh

    # runs

    def _new_id(self, state: State) -> str:
        """The second in which the run began; a second one in it is told apart by a number."""
        began = utc_now().astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        number = 1
        while (run := began if number == 1 else f"{began}-{number}") == state.run or self._record(run).exists():
            number += 1
        return run

    def _record(self, run: str) -> Path:
        return self.runs / f"{run.replace(':', '')}.jsonl"

    def list_runs(self) -> Iterator[Brief]:
        """The runs that are remembered here, the latest first; one that is not over is among them.

        Raises:
            StateError: a record is damaged.
        """
        unfinished = self.unfinished()
        if unfinished is not None:
            yield in_brief(unfinished)
        for path in sorted(self.runs.glob("*.jsonl"), key=_by_time, reverse=True):
            brief = read_brief(*_ends(path))
            if brief is None:
                run = self._read_run(path)
                brief = in_brief(run) if run is not None else None
            if brief is not None:
                yield brief

    def load_run(self, run: str) -> Run | None:
        """One of them; None if there is none.

        Raises:
            StateError: its record is damaged.
        """
        unfinished = self.unfinished()
        return unfinished if unfinished is not None and unfinished.id == run else self._read_run(self._record(run))


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The first and the last line of a file, which may be long."""
    with open(path, "rb") as file:
        first = file.readline()
        file.seek(max(0, path.stat().st_size - _LAST))
        return first, file.read().rstrip(b"\n").rpartition(b"\n")[2]


def _folded(state: State, run: Run) -> State | None:
    """The state with a run in it; None if it does not have to be written. A run that sent anything moves the serial,
    so that its plan is not applied again."""
    fresh = fold(state, run)
    changed = fresh.records != state.records or fresh.names != state.names
    return fresh if fresh is not state and (run.intents or changed) else None


def _by_time(path: Path) -> tuple[str, int]:
    began, _, number = path.stem.partition("Z-")
    return began.removesuffix("Z"), int(number) if number.isdigit() else 1


def _next(state: State) -> State:
    """The state as it is written after this one."""
    return replace(state, lineage=state.lineage or str(uuid.uuid4()), serial=state.serial + 1)
