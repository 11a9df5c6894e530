"""Findings about values that were applied, and that the server holds differently."""

from __future__ import annotations

import json
from collections.abc import Mapping

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import NOT_HELD
from stemctl.core.records import Address, Location
from stemctl.schema.fields import Field
from stemctl.util.json_types import Value

_LONGEST = 60
"""Characters of a value in a message."""


def not_held(
    address: Address, row: Field, written: Value, *, live: Value, location: Location | None
) -> Diagnostic:
    """The finding about one field, with references as names; the server holds `live` instead."""
    sent, there = shortened(written, live)
    return _finding(
        address,
        row,
        written,
        location=location,
        message=f"{row.name} was applied as {sent}, but the server holds {there}",
        remedy="write the server's value here, or list the field under lifecycle: ignore_changes",
    )


def not_shown(
    address: Address, row: Field, written: Value, *, location: Location | None
) -> Diagnostic:
    """The finding about a field that the server should show, and does not."""
    sent, _ = shortened(written, None)
    return _finding(
        address,
        row,
        written,
        location=location,
        message=f"{row.name} was applied as {sent}, but the server's records have no {row.name}",
        remedy="remove the line, or ask the administrator of the server",
    )


def _finding(
    address: Address,
    row: Field,
    written: Value,
    *,
    location: Location | None,
    message: str,
    remedy: str,
) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        NOT_HELD,
        message,
        location=location,
        remedy=f"{remedy}; it is not sent again",
        address=str(address),
        field=row.name,
        value=written,
    )


def shortened(left: Value, right: Value) -> tuple[str, str]:
    """Two values for a message. Long texts are cut to the part where they begin to differ."""
    one, two = _text(left), _text(right)
    pairs = zip(one, two, strict=False)
    shorter, longer = sorted((len(one), len(two)))
    same = next((index for index, (a, b) in enumerate(pairs) if a != b), shorter)
    start = max(0, same - _LONGEST // 2) if longer > _LONGEST else 0
    return _part(one, start), _part(two, start)


def _part(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def _text(value: Value) -> str:
    if isinstance(value, Mapping):
        value = dict(value)
    return json.dumps(value, ensure_ascii=False)
