"""The journal of a running apply: each intent is on the disk before its request is sent."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from msgspec.structs import replace

from stemctl.core.apply_report import Outcome
from stemctl.core.plan import Change
from stemctl.core.records import Address
from stemctl.core.run import (
    Intent,
    Part,
    Run,
    end_line,
    first_lines,
    intent_line,
    outcome_line,
    part_line,
)
from stemctl.errors import JournalError
from stemctl.state.lease_holder import LeaseHolder
from stemctl.util.atomic_file import replace_file
from stemctl.util.json_types import Fields
from stemctl.util.timestamps import stamp, utc_now


class Journal:
    """A file that only grows. A shared state has a `lease`, checked before each request."""

    def __init__(self, path: Path, run: Run, lease: LeaseHolder | None = None) -> None:
        """Begin the journal with the whole plan of the run.

        Raises:
            OSError: it cannot be written.
        """
        self.path = path
        self.lease = lease
        self._run = run
        self._intents: dict[Address, Intent] = {}
        self._outcomes: dict[Address, Outcome] = {}
        self._parts: dict[Address, Part] = {}
        replace_file(path, first_lines(run))
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
        self._written = self._synced = 0
        self._sync = asyncio.Lock()
        self._failed: JournalError | None = None

    @property
    def run(self) -> Run:
        """The run as far as it is known now."""
        return replace(self._run, intents=self._intents, outcomes=self._outcomes, parts=self._parts)

    def intended(self, address: Address) -> bool:
        """Whether a write for this address was sent, or about to be."""
        return address in self._intents

    def is_open(self, address: Address) -> bool:
        """Whether the last write for this address was sent, or about to be, without an answer."""
        return self.run.open_intent(address) is not None

    async def intend(
        self, change: Change, method: str, body: Fields, before: Fields | None
    ) -> None:
        """Write an intent to the disk. A request that is sent again gets a new one, with its time.

        Raises:
            JournalError: the disk does not accept it, or the lease ends; nothing may be sent.
        """
        intent = Intent(stamp(utc_now()), method, body, before)
        self._append(intent_line(change.address, intent))
        self._intents[change.address] = intent
        needed = self._written
        async with self._sync:  # one sync covers all lines that were written before it began
            if self._synced < needed:
                written = self._written
                try:
                    await asyncio.to_thread(os.fsync, self._file)
                except OSError as error:
                    raise self._fail(error) from error
                self._synced = written
        if self.lease is not None:
            self.lease.check()

    def note(self, outcome: Outcome) -> None:
        """Write an outcome. It reaches the disk with the next intent. If it is lost, stemctl looks
        up what became of the request.

        Raises:
            JournalError: the disk does not accept it.
        """
        self._outcomes[outcome.change.address] = outcome
        self._append(outcome_line(outcome))

    def note_part(self, outcome: Outcome, requests: int) -> None:
        """Write what the first `requests` of a change did, before the next one is sent.

        Raises:
            JournalError: the disk does not accept it.
        """
        address = outcome.change.address
        part = Part(requests, outcome, self._intents.get(address))
        self._parts[address] = part
        self._append(part_line(part))

    def end(self) -> None:
        """Note that the run has ended: all that it did is known.

        Raises:
            JournalError: the disk does not accept it.
        """
        self._run = replace(self._run, ended=stamp(utc_now()))
        self._append(end_line(self.run))

    def close(self) -> None:
        """Close the file, which stays."""
        os.close(self._file)

    def _append(self, line: str) -> None:
        if self._failed is not None:
            raise self._failed
        data = line.encode(errors="surrogatepass")
        try:
            while data:  # a disk that is nearly full accepts a part
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise self._fail(error) from error
        self._written += 1

    def _fail(self, error: OSError) -> JournalError:
        """Write nothing more: the file may end within a line, and no line may follow that."""
        self._failed = JournalError(
            f"{self.path.name} cannot be written: {error.strerror or error}."
        )
        return self._failed
