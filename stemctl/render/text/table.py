"""Records and proposals as a table, one of them as a list of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stemctl.render.terminal import TerminalStyle
from stemctl.render.values import is_empty, shown
from stemctl.render.width import broken, columns_of, padded, shortened
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined

WIDEST = 40
"""Columns of a cell before it is cut."""

_NARROWEST = 10
"""Columns to which a cell is cut before columns are left out."""

_GAP = 2


def table_text(columns: Sequence[str], records: Sequence[Fields], style: TerminalStyle) -> str:
    """One record a line, as wide as the terminal. Columns that are empty in all records are left
    out, and so are the last ones if there is no room; a line below names these.
    """
    used = []
    for name in columns:
        if not all(is_empty(fields.get(name)) for fields in records):
            used.append(name)
    if not used:
        return ""
    cells = [[_cell(fields.get(name)) for name in used] for fields in records]
    widths = [max(map(columns_of, column)) for column in zip(used, *cells, strict=True)]
    widths = _fitting(widths, [columns_of(name) for name in used], style.width)
    lines = [style.paint("bold", _line(used, widths)), *(_line(row, widths) for row in cells)]
    left_out = used[len(widths) :]
    if left_out:
        lines += ["", *broken(f"Too wide to show: {joined(left_out)}. See -o json.", style.width)]
    return style.finish(line.rstrip() for line in lines)


def _fitting(widths: Sequence[int], titles: Sequence[int], room: int) -> list[int]:
    """The widths with which the table fits: the widest columns shrink first, the first one least,
    and the last ones are left out if that is not enough.
    """
    least = [
        max(title, min(width, _NARROWEST)) for width, title in zip(widths, titles, strict=True)
    ]
    least[0] = max(least[0], min(widths[0], room // 3))
    fitted = [max(lowest, min(width, WIDEST)) for width, lowest in zip(widths, least, strict=True)]
    while sum(fitted) + _GAP * (len(fitted) - 1) > room:
        slack = [width - lowest for width, lowest in zip(fitted, least, strict=False)]
        if max(slack) > 0:
            widest = max(range(len(fitted)), key=lambda i: fitted[i] if slack[i] else 0)
            fitted[widest] -= 1
        elif len(fitted) > 1:
            fitted.pop()
            fitted = [
                max(lowest, min(width, WIDEST))
                for width, lowest, _ in zip(widths, least, fitted, strict=False)
            ]
        else:
            break
    return fitted


def record_text(fields: Fields, names: Mapping[str, str], style: TerminalStyle) -> str:
    """Every field of a record on a line of its own; `names` has the names of the ids in it."""
    rows = [(name, shown(_named(value, names))) for name, value in fields.items()]
    return style.finish(style.wrapped(rows, indent=0))


def _cell(value: Value) -> str:
    return "" if is_empty(value) else shown(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown_cells = [
        padded(shortened(cell, width), width) for cell, width in zip(cells, widths, strict=False)
    ]
    return (" " * _GAP).join(shown_cells)


def _named(value: Value, names: Mapping[str, str]) -> Value:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
