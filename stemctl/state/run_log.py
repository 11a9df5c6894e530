"""The records of the runs of one server that were made from this folder: journals that are over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stemctl.core.run import Brief, Run, in_brief, read_brief, read_run
from stemctl.util.atomic_file import sync_folder

_LAST = 4096
"""Bytes within which the last line of a journal begins, if it is the one that ends it."""


@dataclass(frozen=True, slots=True)
class RunRecords:
    """A folder of journals, each named by its run. `where` is its path for people."""

    folder: Path
    where: str

    def path(self, run: str) -> Path:
        """The file of a run."""
        return self.folder / f"{run.replace(':', '')}.jsonl"

    def take(self, journal: Path, run: str) -> None:
        """Make the journal of a run that is over its record."""
        self.folder.mkdir(parents=True, exist_ok=True)
        os.replace(journal, self.path(run))
        sync_folder(self.folder)
        sync_folder(journal.parent)

    def files(self) -> list[Path]:
        """All of them, the latest first."""
        return sorted(self.folder.glob("*.jsonl"), key=_by_time, reverse=True)

    def briefs(self) -> Iterator[Brief]:
        """What a list says of them, the latest first.

        Raises:
            StateError: a record is damaged.
        """
        for path in self.files():
            brief = read_brief(*_ends(path))
            yield (
                brief
                if brief is not None
                else in_brief(read_run(path.read_bytes(), f"{self.where}/{path.name}"))
            )

    def load(self, run: str) -> Run | None:
        """One of them; None if there is none.

        Raises:
            StateError: its record is damaged.
        """
        path = self.path(run)
        return read_run(path.read_bytes(), f"{self.where}/{path.name}") if path.exists() else None


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The first and the last line of a file, which may be long."""
    with open(path, "rb") as file:
        first = file.readline()
        file.seek(max(0, path.stat().st_size - _LAST))
        return first, last_line(file.read())


def last_line(content: bytes) -> bytes:
    """The last line of a text."""
    return content.rstrip(b"\n").rpartition(b"\n")[2]


def _by_time(path: Path) -> tuple[str, int]:
    began, _, number = path.stem.partition("Z-")
    return began.removesuffix("Z"), int(number) if number.isascii() and number.isdigit() else 1
