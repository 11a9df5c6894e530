"""New values as text: in one line where they fit, else over several."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from stemctl.manifests.written import flow_text, scalar_text
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import has_unseen

WIDTH = 100
"""Columns of a line, as in the files that `fmt` writes."""

STEP = 2
"""Spaces of one level, and columns of a dash and the space behind it."""

_LITERAL = late_pattern(
    r"(?:[^\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*|)"
)
"""A line that a literal text can hold as it is: it neither begins nor ends with a space."""


class Style(Struct, frozen=True):
    """How a file is written: the spaces by which mappings and lists are indented below their key,
    the quotes around texts that need none, and whether lists are in brackets (None: if they fit).
    """

    mapping: int = STEP
    items: int = STEP
    quote: str = ""
    flow: bool | None = None


FORMATTED = Style()
"""The style of `fmt`."""


def in_line(value: Value, style: Style = FORMATTED) -> str:
    """A value as it is written in brackets."""
    if isinstance(value, list):
        return f"[{', '.join(in_line(part, style) for part in value)}]"
    if isinstance(value, dict):
        pairs = (f"{flow_text(key)}: {in_line(part, style)}" for key, part in value.items())
        return f"{{{', '.join(pairs)}}}"
    return _quoted(value, style.quote) or flow_text(value)


def after_key(column: int, value: Value, style: Style = FORMATTED, room: int = 0) -> str:
    """What follows the colon of a key at `column`; `room` is what the key and its colon take."""
    if _is_text_of_lines(value):
        return _literal(column + style.mapping, value)
    if not _is_collection(value):
        return f" {_quoted(value, style.quote) or scalar_text(value)}"
    if not value:
        return f" {in_line(value, style)}"
    if style.flow is not False and _in_one_line(value):
        text = in_line(value, style)
        if column + room + 1 + len(text) <= WIDTH:
            return f" {text}"
    inner = column + (style.mapping if isinstance(value, dict) else style.items)
    margin = f"\n{' ' * inner}"
    if isinstance(value, dict):
        return "".join(f"{margin}{member(inner, *pair, style)}" for pair in value.items())
    return "".join(f"{margin}{item(inner, part, style=style)}" for part in value)


def member(column: int, key: str, value: Value, style: Style = FORMATTED) -> str:
    """A key and its value, of a mapping at `column`."""
    name = flow_text(key)
    return f"{name}:{after_key(column, value, style, len(name) + 1)}"


def item(column: int, value: Value, flow: bool | None = None, style: Style = FORMATTED) -> str:
    """An item of a list whose dashes are at `column`; a mapping in brackets if `flow`, or if it is
    short and `flow` is not known.
    """
    if isinstance(value, dict) and value:
        if not _has_text_of_lines(value) and (_in_one_line(value) if flow is None else flow):
            text = in_line(value, style)
            if column + STEP + len(text) <= WIDTH:
                return f"- {text}"
        inner = column + STEP
        lines = (member(inner, *pair, style) for pair in value.items())
        return "- " + f"\n{' ' * inner}".join(lines)
    if _is_text_of_lines(value):
        return f"-{_literal(column + STEP, value)}"
    if _is_collection(value):
        return f"- {in_line(value, style)}"
    return f"- {_quoted(value, style.quote) or scalar_text(value)}"


def _quoted(value: Value, quote: str) -> str:
    """A simple text in quotes; nothing if it is none, or if no quotes are asked for."""
    if not quote or not isinstance(value, str) or has_unseen(value):
        return ""
    return "" if set(value) & {"'", '"', "\\", "\n", "\t"} else f"{quote}{value}{quote}"


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
