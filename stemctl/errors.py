"""Errors that end a command. Findings about the user's files are diagnostics instead.

StemctlError (exit code 1)
  TableError        a field table or a generated schema is wrong
  ConfigError       stemctl.yaml, an option or a token is wrong
  InvalidFiles      the manifests have errors (core/diagnostics.py)
  StateError        the state cannot be used
    JournalError    a request cannot be written down first, so it is not sent
      LeaseEnded    other machines may assume that this run died, so it sends nothing more
  ServerError       a request did not succeed (client/responses.py lists its kinds)
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

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
    """The state is locked, damaged, from a newer version, or of another server."""


class JournalError(StateError):
    """The journal cannot be written."""


class LeaseEnded(JournalError):
    """The lease of this run has ended, or ends too soon for another request."""
