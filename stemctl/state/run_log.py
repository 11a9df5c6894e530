"""The runs of one server that were made from this folder: the journal of the one that did not end,
and the records of those that did, which are their journals, compressed.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from stemctl.config.config import Server
from stemctl.core.run import Brief, Run, in_brief, read_brief, read_run
from stemctl.state.backend import wrong_server
from stemctl.state.local_folder import FOLDER, LocalFolder
from stemctl.state.packed_run import SUFFIX, ends_of_lines, ends_of_packed, pack, unpacked
from stemctl.util.atomic_file import sync_folder
from stemctl.util.timestamps import utc_now

_PLAIN = ".jsonl"


class RunLog(Struct, frozen=True):
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
        os.replace(self.local.journal, self._name(run, _PLAIN))
        sync_folder(folder)
        sync_folder(self.local.journal.parent)
        self._pack()

    def _pack(self) -> None:
        """Compress the records that are not compressed yet: thousands of runs are kept."""
        for path in self.local.runs.glob(f"*{_PLAIN}"):
            with contextlib.suppress(OSError):  # it can still be read as it is
                pack(path, path.with_name(path.stem + SUFFIX))

    def has(self, run: str) -> bool:
        """Whether a run was made from this folder."""
        if self._path(run) is not None:
            return True
        current = self.current()
        return current is not None and current.id == run

    def new_id(self, last: str | None) -> str:
        """The second in which a run begins; a second run in it gets a number. `last` is taken."""
        began = utc_now().astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        run, number = began, 1
        while run == last or self._path(run) is not None:
            number += 1
            run = f"{began}-{number}"
        return run

    def files(self) -> list[Path]:
        """The records, the latest first."""
        paths = [*self.local.runs.glob(f"*{SUFFIX}"), *self.local.runs.glob(f"*{_PLAIN}")]
        found = {_stem(path): path for path in paths if path.is_file()}
        return [found[stem] for stem in sorted(found, key=order, reverse=True)]

    def briefs(self) -> Iterator[Brief]:
        """What a list says of each record, the latest first.

        Raises:
            StateError: a record is damaged.
        """
        for path in self.files():
            yield self.brief(path)

    def brief(self, path: Path) -> Brief:
        """What a list says of one record.

        Raises:
            StateError: it is damaged.
        """
        brief = read_brief(*_ends(path))
        return brief if brief is not None else in_brief(self._read(path))

    def remove(self, keep: int, before: datetime.datetime | None) -> tuple[int, int]:
        """Remove the records of old runs; how many there were, and the bytes that they took.

        The latest `keep` records stay, and those of runs that began after `before`. The last one
        always stays, since it tells whether the state is of this folder.
        """
        old = self.files()[max(1, keep) :]
        if before is not None:
            limit = f"{before.astimezone(datetime.UTC):%Y-%m-%dT%H%M%SZ}"
            old = [path for path in old if order(_stem(path)) < order(limit)]
        size = sum(path.stat().st_size for path in old)
        for path in old:
            path.unlink(missing_ok=True)
        return len(old), size

    def load(self, run: str) -> Run | None:
        """The run of one record; None if there is none.

        Raises:
            StateError: its record is damaged.
        """
        path = self._path(run)
        return self._read(path) if path is not None else None

    def _read(self, path: Path) -> Run:
        content, where = path.read_bytes(), self._shown(path)
        if path.name.endswith(SUFFIX):
            content = unpacked(content, where)
        return read_run(content, where)

    def _path(self, run: str) -> Path | None:
        """The record of a run."""
        paths = (self._name(run, suffix) for suffix in (_PLAIN, SUFFIX))
        return next((path for path in paths if path.exists()), None)

    def _name(self, run: str, suffix: str) -> Path:
        return self.local.runs / f"{run.replace(':', '')}{suffix}"

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
    """The first and the last line of a record, which may be long."""
    if path.name.endswith(SUFFIX):
        return ends_of_packed(path)
    with open(path, "rb") as file:
        return ends_of_lines(file)


def _stem(path: Path) -> str:
    return path.name.removesuffix(SUFFIX).removesuffix(_PLAIN)


def _last_line(content: bytes) -> bytes:
    return content.rstrip(b"\n").rpartition(b"\n")[2]
