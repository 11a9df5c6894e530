"""Records and proposals as a table, one of them as a list of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stemctl.render.terminal import TerminalStyle
from stemctl.render.values import is_empty, shown
from stemctl.render.width import columns_of, padded
from stemctl.util.json_types import Fields, Value

WIDEST = 40
"""Characters of a cell before it is cut."""


def table_text(columns: Sequence[str], records: Sequence[Fields], style: TerminalStyle) -> str:
    """One record a line; columns that are empty in all of them are left out."""
    used = []
    for name in columns:
        if not all(is_empty(fields.get(name)) for fields in records):
            used.append(name)
    if not used:
        return ""
    cells = [[_cell(fields.get(name)) for name in used] for fields in records]
    widths = [max(map(columns_of, column)) for column in zip(used, *cells, strict=True)]
    lines = [style.paint("bold", _line(used, widths)), *(_line(row, widths) for row in cells)]
    return style.finish(line.rstrip() for line in lines)


def record_text(fields: Fields, names: Mapping[str, str], style: TerminalStyle) -> str:
    """Every field of a record on a line of its own; `names` has the names of the ids in it."""
    rows = [(name, shown(_named(value, names))) for name, value in fields.items()]
    return style.finish(style.wrapped(rows, indent=0))


def _cell(value: Value) -> str:
    text = "" if is_empty(value) else shown(value)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(padded(cell, width) for cell, width in zip(cells, widths, strict=True))


def _named(value: Value, names: Mapping[str, str]) -> Value:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
