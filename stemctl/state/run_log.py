"""The runs of one server that were made from this folder: the journal of the one that did not end,
and the records of those that did, which are their journals.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stemctl.config.config import Server
from stemctl.core.run import Brief, Run, in_brief, read_brief, read_run
from stemctl.state.backend import wrong_server
from stemctl.state.local_folder import FOLDER, LocalFolder
from stemctl.util.atomic_file import sync_folder
from stemctl.util.timestamps import utc_now

_TAIL = 4096
"""Bytes from the end of a record within which its last line begins, if that line ends the run."""


@dataclass(frozen=True, slots=True)
class RunLog:
    """Journals, each named by its run."""

    local: LocalFolder
    server: Server

    def current(self) -> Run | None:
        """The run of the journal: one that is on, or broke off.

        Raises:
            StateError: the journal is damaged, of a newer stemctl, or of another server.
        """
        where = self.local.shown(self.local.journal)
        try:
            content = self.local.journal.read_bytes()
        except FileNotFoundError:
            return None
        run = read_run(content, where)
        if run.plan.server.url != self.server.url:
            raise wrong_server(where, run.plan.server.url, self.server)
        return run

    def archive(self, run: str) -> None:
        """Turn the journal of a run that has ended into its record."""
        self.local.make()
        folder = self.local.runs
        folder.mkdir(parents=True, exist_ok=True)
        os.replace(self.local.journal, self._path(run))
        sync_folder(folder)
        sync_folder(self.local.journal.parent)

    def has(self, run: str) -> bool:
        """Whether a run was made from this folder."""
        if self._path(run).exists():
            return True
        current = self.current()
        return current is not None and current.id == run

    def new_id(self, last: str | None) -> str:
        """The second in which a run begins; a second run in it gets a number. `last` is taken."""
        began = utc_now().astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        run, number = began, 1
        while run == last or self._path(run).exists():
            number += 1
            run = f"{began}-{number}"
        return run

    def files(self) -> list[Path]:
        """The records, the latest first."""
        paths = self.local.runs.glob("*.jsonl")
        return sorted(paths, key=lambda path: order(path.stem), reverse=True)

    def briefs(self) -> Iterator[Brief]:
        """What a list says of each record, the latest first.

        Raises:
            StateError: a record is damaged.
        """
        for path in self.files():
            brief = read_brief(*_ends(path))
            if brief is None:
                brief = in_brief(read_run(path.read_bytes(), self._shown(path)))
            yield brief

    def load(self, run: str) -> Run | None:
        """The run of one record; None if there is none.

        Raises:
            StateError: its record is damaged.
        """
        path = self._path(run)
        return read_run(path.read_bytes(), self._shown(path)) if path.exists() else None

    def _path(self, run: str) -> Path:
        return self.local.runs / f"{run.replace(':', '')}.jsonl"

    def _shown(self, path: Path) -> str:
        return f"{FOLDER}/runs/{self.server.name}/{path.name}"


def remote_briefs(records: Mapping[str, bytes], where: str) -> Iterator[Brief]:
    """What a list says of the records that a shared backend keeps.

    Raises:
        StateError: a record is damaged.
    """
    for content in records.values():
        brief = read_brief(content.partition(b"\n")[0], _last_line(content))
        yield brief if brief is not None else in_brief(read_run(content, where))


def remote_run(records: Mapping[str, bytes], run: str, where: str) -> Run | None:
    """One of the runs that a shared backend keeps; None if it is not among them.

    Raises:
        StateError: a record that was looked at is damaged.
    """
    for content in records.values():
        found = read_run(content, where)
        if found.id == run:
            return found
    return None


def order(run: str) -> tuple[str, int]:
    """Sorts ids of runs, also without their colons, by time: the second, and the number in it."""
    began, _, number = run.partition("Z-")
    return began.removesuffix("Z"), int(number) if number.isascii() and number.isdigit() else 1


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The first and the last line of a file, which may be long."""
    with open(path, "rb") as file:
        first = file.readline()
        file.seek(max(0, path.stat().st_size - _TAIL))
        return first, _last_line(file.read())


def _last_line(content: bytes) -> bytes:
    return content.rstrip(b"\n").rpartition(b"\n")[2]
