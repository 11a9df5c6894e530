"""Findings about the user's files: each has a severity, a stable code, a place and a remedy."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

from msgspec import Struct

from stemctl.core.records import Location
from stemctl.errors import Hint, StemctlError
from stemctl.util.json_types import Value


class Severity(enum.StrEnum):
    """How bad a finding is; only errors stop a command."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Diagnostic(Struct, frozen=True):
    """One finding.

    `message` says what is wrong, `remedy` what to type instead. `line` is the text of the line at
    `location`, and `length` how many characters of it are meant, both for the caret under it.
    `rule` is the rule that was broken, as in the JSON Schema (`maxLength: 500`), `value` what was
    found.
    """

    severity: Severity
    code: str
    message: str
    location: Location | None = None
    remedy: str = ""
    address: str | None = None
    field: str | None = None
    value: Value = None
    rule: str = ""
    line: str = ""
    length: int = 1


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted by place, those without a place last; equal ones once."""
    nowhere = Location("\uffff", 0, 0)
    unique = {(d.location, d.code, d.message): d for d in diagnostics}
    return tuple(sorted(unique.values(), key=lambda d: (d.location or nowhere, d.code, d.message)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """True if one of them is an error."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


class InvalidFiles(StemctlError):
    """The manifests have errors; nothing was sent."""

    def __init__(
        self, diagnostics: Sequence[Diagnostic], summary: str, hints: Sequence[Hint] = ()
    ) -> None:
        super().__init__(summary, hints=hints)
        self.diagnostics = tuple(diagnostics)
