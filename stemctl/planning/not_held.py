"""Values that were applied, and that the server holds otherwise: neither sent again nor passed over
in silence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import NOT_HELD
from stemctl.core.records import Address, Location
from stemctl.schema.catalog import Field
from stemctl.util.json_types import Value

_LONGEST = 60
"""Characters of a value in a message."""


def not_held(
    address: Address, row: Field, written: Value, *, live: Value, location: Location | None
) -> Diagnostic:
    """The finding of one field; references are names, `live` is what the server holds in its place."""
    sent, there = _pair(written, live)
    found = f"{row.name} was applied as {sent}, but the server holds {there}"
    return _finding(
        address,
        row,
        written,
        location,
        found,
        "write the server's value here, or list the field under lifecycle: ignore_changes",
    )


def not_shown(
    address: Address, row: Field, written: Value, *, location: Location | None
) -> Diagnostic:
    """The finding of a field that should be in the answers of the server, and is not."""
    sent, _ = _pair(written, None)
    found = f"{row.name} was applied as {sent}, but the server's records have no {row.name}"
    return _finding(
        address, row, written, location, found, "take the line out, or ask who runs the server"
    )


def _finding(
    address: Address, row: Field, written: Value, location: Location | None, found: str, remedy: str
) -> Diagnostic:
    again = "it is not sent again"
    return Diagnostic(
        Severity.WARNING,
        NOT_HELD,
        found,
        location,
        f"{remedy}; {again}",
        str(address),
        row.name,
        written,
    )


def _pair(left: Value, right: Value) -> tuple[str, str]:
    """Two values for a message. Of long texts, the part where they begin to differ."""
    one, two = _text(left), _text(right)
    same = next(
        (i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b),
        min(len(one), len(two)),
    )
    start = max(0, same - _LONGEST // 2) if max(len(one), len(two)) > _LONGEST else 0
    return _part(one, start), _part(two, start)


def _part(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def _text(value: Value) -> str:
    if isinstance(value, Mapping):
        value = dict(value)
    return json.dumps(value, ensure_ascii=False)
