"""New values as text: in one line where they fit, else over several."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stemctl.manifests.written import flow_text, scalar_text
from stemctl.util.json_types import Value

WIDTH = 100
"""Columns of a line, as in the files that `fmt` writes."""

STEP = 2
"""Spaces of one level."""

_LITERAL = re.compile(
    r"(?:[^\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*|)"
)
"""A line that a literal text can hold as it is: it neither begins nor ends with a space."""


def after_key(column: int, value: Value, room: int | None = None) -> str:
    """What follows the colon of a key at `column`; `room` is what the key and its colon take."""
    used = column + (room or 0) + 1
    if _is_text_of_lines(value):
        return _literal(column + STEP, value)
    if not _is_collection(value):
        return f" {scalar_text(value)}"
    if _in_one_line(value) and used + len(flow_text(value)) <= WIDTH:
        return f" {flow_text(value)}"
    if isinstance(value, dict):
        lines = (
            f"\n{' ' * (column + STEP)}{member(column + STEP, *pair)}" for pair in value.items()
        )
    else:
        lines = (f"\n{' ' * (column + STEP)}{item(column + STEP, part)}" for part in value)
    return "".join(lines)


def member(column: int, key: str, value: Value) -> str:
    """A key and its value, of a mapping at `column`."""
    name = flow_text(key)
    return f"{name}:{after_key(column, value, len(name) + 1)}"


def item(column: int, value: Value, flow: bool | None = None) -> str:
    """An item of a list whose dashes are at `column`; a mapping in brackets if `flow`, or if it is
    short and `flow` is not known.
    """
    if isinstance(value, dict) and value:
        text = flow_text(value)
        short = column + STEP + len(text) <= WIDTH and not _has_text_of_lines(value)
        if short and (_in_one_line(value) if flow is None else flow):
            return f"- {text}"
        further = f"\n{' ' * (column + STEP)}"
        return "- " + further.join(member(column + STEP, *pair) for pair in value.items())
    if _is_text_of_lines(value):
        return f"-{_literal(column + STEP, value)}"
    return f"- {flow_text(value) if _is_collection(value) else scalar_text(value)}"


def _is_collection(value: Value) -> bool:
    return isinstance(value, (dict, list))


def _in_one_line(value: Value) -> bool:
    """Whether a collection reads well in brackets: lists of plain values, and mappings that hold at
    most such lists, or one mapping of plain values more.
    """
    parts: Iterable[Value] = value.values() if isinstance(value, dict) else value
    if isinstance(value, list):
        return not any(map(_is_collection, parts)) and not any(map(_is_text_of_lines, parts))
    return all(
        not _has_text_of_lines(part) and (not _is_collection(part) or _is_flat(part))
        for part in parts
    )


def _is_flat(value: Value) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    return not any(map(_is_collection, parts))


def _has_text_of_lines(value: Value) -> bool:
    if isinstance(value, dict):
        return any(map(_has_text_of_lines, value.values()))
    if isinstance(value, list):
        return any(map(_has_text_of_lines, value))
    return _is_text_of_lines(value)


def _is_text_of_lines(value: Value) -> bool:
    """Whether a text is best written as several lines, as it is."""
    if not isinstance(value, str) or "\n" not in value.strip("\n"):
        return False
    lines = value.removesuffix("\n").split("\n")
    return (
        bool(lines[0])
        and bool(lines[-1])
        and all(_LITERAL.fullmatch(line) and line == line.rstrip() for line in lines)
    )


def _literal(column: int, text: str) -> str:
    """A literal text, whose lines are at `column`."""
    ending = "" if text.endswith("\n") else "-"
    lines = text.removesuffix("\n").split("\n")
    return f" |{ending}" + "".join(f"\n{' ' * column if line else ''}{line}" for line in lines)
