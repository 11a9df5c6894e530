"""Values in one line, put together of their parts: an emitter of YAML, which takes a hundred times
as long, is only asked about texts that may need quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stemctl.manifests.scalars import LARGEST_EXACT
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

_WORDS = late_pattern(r"[A-Za-z][A-Za-z0-9 _./()+-]*(?<! )", re.ASCII)
_QUANTITY = late_pattern(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})? [A-Za-zµ°/]+")
_OTHER_THAN_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_LONGEST_KEY = 100
"""Of a key that is written without a question mark before it."""

Emit = Callable[[Value], str]
"""The text of a value between brackets, as an emitter writes it."""


def plain_scalar(value: Value) -> str | None:
    """A value that needs no quotes in any line; None if an emitter has to look at it."""
    kind = type(value)
    if kind is str:
        is_plain = _WORDS.fullmatch(value) or _QUANTITY.fullmatch(value)
        return value if is_plain and value.lower() not in _OTHER_THAN_TEXT else None
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value) if abs(value) <= LARGEST_EXACT else None
    return "null" if value is None else None


def line_of(value: Value, emit: Emit) -> str:
    """A value as a part of a line, between brackets too."""
    kind = type(value)
    if kind is list:
        return f"[{', '.join([line_of(part, emit) for part in value])}]"
    if kind is dict:
        members = []
        for key, part in value.items():
            name = line_of(key, emit)
            if not key or len(name) > _LONGEST_KEY or "\\" in name:
                return emit(value)
            members.append(f"{name}: {line_of(part, emit)}")
        return f"{{{', '.join(members)}}}"
    plain = plain_scalar(value)
    return emit(value) if plain is None else plain
