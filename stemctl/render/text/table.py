"""Records and proposals as a table, one of them as a list of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from stemctl.render.terminal import LONGEST_CELL, TerminalStyle
from stemctl.render.values import is_empty, shown
from stemctl.render.width import broken, columns_of, padded, shortened
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined
from stemctl.util.safe_text import cut

WIDEST = 40
"""Columns of a cell before it is cut, or sticks out."""

_NARROWEST = 10
"""Columns to which a cell is cut before columns are left out."""

_GAP = 2


def table_text(
    columns: Sequence[str], records: Sequence[Fields], style: TerminalStyle, whole: Set[str]
) -> str:
    """One record a line, as wide as the terminal. Columns that are empty in all records are left
    out, and so are those for which there is no room; a line below names these.

    The cells of the `whole` columns are never cut, since they are copied: addresses, names, times.
    """
    used = []
    for name in columns:
        if not all(is_empty(fields.get(name)) for fields in records):
            used.append(name)
    if not used:
        return ""
    cells = [[_cell(fields.get(name)) for name in used] for fields in records]
    table = [
        _Column(title, list(column), title in whole)
        for title, column in zip(used, zip(*cells, strict=True), strict=True)
    ]
    fitting = _fit(table, style.width)
    lines = [style.paint("bold", _line([(column.title, column) for column in fitting]))]
    for row in zip(*(column.cells for column in fitting), strict=True):
        lines.append(_line(list(zip(row, fitting, strict=True))))
    left_out = [column.title for column in table if column not in fitting]
    if left_out:
        lines += ["", *broken(f"Too wide to show: {joined(left_out)}. See -o json.", style.width)]
    return style.finish(line.rstrip() for line in lines)


class _Column:
    """The cells of a column, and how wide it is and may become."""

    def __init__(self, title: str, cells: Sequence[str], whole: bool) -> None:
        self.title = title
        self.cells = cells
        self.whole = whole
        title_width = columns_of(title)
        widths = [columns_of(cell) for cell in cells]
        if whole:  # few long cells stick out, rather than push all others
            widths = [width for width in widths if width <= WIDEST]
        self.widest = max(title_width, min(WIDEST, max(widths, default=0)))
        self.least = self.widest if whole else max(title_width, min(self.widest, _NARROWEST))
        self.width = self.widest


def _fit(columns: Sequence[_Column], room: int) -> list[_Column]:
    """The first column, and the others as far as there is room; the widest of them shrink."""
    fitting = list(columns[:1])
    for column in columns[1:]:
        if sum(each.least + _GAP for each in fitting) + column.least <= room:
            fitting.append(column)
    _shrink(fitting, room - _GAP * (len(fitting) - 1))
    return fitting


def _shrink(columns: Sequence[_Column], room: int) -> None:
    elastic = [column for column in columns if not column.whole]
    while elastic and sum(column.width for column in columns) > room:
        widest = max(elastic, key=lambda column: column.width - column.least and column.width)
        if widest.width == widest.least:
            break
        widest.width -= 1


def record_text(fields: Fields, names: Mapping[str, str], style: TerminalStyle) -> str:
    """Every field of a record on a line of its own; `names` has the names of the ids in it."""
    rows = [(name, shown(_named(value, names))) for name, value in fields.items()]
    return style.finish(style.wrapped(rows, indent=0))


def _cell(value: Value) -> str:
    return "" if is_empty(value) else shown(value)


def _line(row: Sequence[tuple[str, _Column]]) -> str:
    texts = []
    for cell, column in row:
        text = cut(cell, LONGEST_CELL) if column.whole else shortened(cell, column.width)
        texts.append(padded(text, column.width))
    return (" " * _GAP).join(texts)


def _named(value: Value, names: Mapping[str, str]) -> Value:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
