"""Failures that end a command; findings about the user's files are diagnostics instead.

StemctlError (exit code 1)
  TableError        a field table or a generated schema is wrong
  ConfigError       stemctl.yaml, an option or a token is wrong
  InvalidFiles      the manifests have errors; carries the diagnostics
  StateError        the state file cannot be used
    JournalError    what is about to be sent cannot be written down, so it is not sent
      LeaseEnded    others may take our run for dead, so nothing more is sent
  ServerError       a request did not succeed; see client.py for its children
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stemctl.core.diagnostics import Diagnostic

Hint = tuple[str, str]
"""A command that can be typed as it is, and what it does."""


class Untouched(enum.StrEnum):
    """What an error says about the server and the files, as its last sentence."""

    NOTHING_SENT = "Nothing was sent."
    NOTHING_READ = "Nothing was read or sent."
    NOTHING_CHANGED = "Nothing was changed."
    NOTHING_WRITTEN = "Nothing was written."
    NOTHING_MOVED = "Nothing was moved."


class StemctlError(Exception):
    """What happened (one sentence), why, what to type next, and what was left untouched."""

    exit_code = 1

    def __init__(
        self,
        what: str,
        why: str = "",
        hints: Sequence[Hint] = (),
        untouched: Untouched | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hints = tuple(hints)
        self.untouched = untouched

    @property
    def explanation(self) -> str:
        """Why it happened and what was left untouched, one line each."""
        return "\n".join(text for text in (self.why, self.untouched) if text)


class TableError(StemctlError):
    """A field table does not match `schemas/table.schema.json`, or a schema is outdated."""


class ConfigError(StemctlError):
    """The configuration, an option or a token cannot be used."""


class StateError(StemctlError):
    """The state file is locked, damaged, newer than this program or of another server."""


class JournalError(StateError):
    """The journal does not take another line."""


class LeaseEnded(JournalError):
    """The claim of this run does not hold any more, or not long enough for another request."""


class InvalidFiles(StemctlError):
    """The manifests have errors; nothing was sent."""

    def __init__(self, diagnostics: Sequence[Diagnostic], summary: str) -> None:
        super().__init__(summary)
        self.diagnostics = tuple(diagnostics)
