"""A table as it is in its file: the names of its columns, and its rows as texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from stemctl.core.diagnostics import Diagnostic
from stemctl.sheets.problems import UnreadableSheet, sheet_problem
from stemctl.util.plural import counted

MOST_BYTES = 64 << 20
MOST_ROWS = 200_000
MOST_COLUMNS = 1_000
LONGEST_CELL = 100_000
_MOST_PROBLEMS = 100
"""A file of another kind has a problem in each row."""


class SheetRow(NamedTuple):
    """A row with its number in the spreadsheet: 1 is that of the column names."""

    number: int
    cells: tuple[str, ...]


class Sheet(Struct, frozen=True):
    """A table without its empty rows. `positions` are the columns in the file, counted from 1."""

    file: str
    columns: tuple[str, ...]
    positions: tuple[int, ...]
    rows: tuple[SheetRow, ...]


class UnevenRows(UnreadableSheet):
    """Rows that do not fit the columns. `rest` are the others, to tell what else is wrong."""

    def __init__(self, problems: Sequence[Diagnostic], rest: Sheet) -> None:
        super().__init__(problems)
        self.rest = rest


def sheet_of(file: str, lines: Iterable[SheetRow], padded: bool) -> Sheet:
    """The sheet with these rows, the first of which names the columns. In a format where cells at
    the end of a row are left out if they are empty, rows are `padded`.

    Raises:
        UnreadableSheet: it has no columns, columns without a name or with the same one, or rows
            that do not fit the columns.
    """
    rows = iter(lines)
    header = next(rows, SheetRow(1, ()))
    if not any(cell.strip() for cell in header.cells):
        remedy = "write the names of the columns in row 1"
        raise UnreadableSheet([sheet_problem(file, "row 1 has no names of columns", remedy)])
    uneven: list[Diagnostic] = []
    kept = tuple(_within(file, rows, len(header.cells), padded, uneven))
    named = [at for at, name in enumerate(header.cells) if name.strip()]
    problems = [*_same_names(file, header.cells), *_nameless(file, header.cells, kept)]
    if problems:
        raise UnreadableSheet([*uneven, *problems][:_MOST_PROBLEMS])
    sheet = Sheet(
        file,
        tuple(header.cells[at].strip() for at in named),
        tuple(at + 1 for at in named),
        tuple(SheetRow(number, tuple(cells[at] for at in named)) for number, cells in kept),
    )
    if uneven:
        raise UnevenRows(uneven, sheet)
    return sheet


def _within(
    file: str, rows: Iterator[SheetRow], width: int, padded: bool, problems: list[Diagnostic]
) -> Iterator[SheetRow]:
    """The rows that are not empty, each as wide as the header; the others go to `problems`.

    Raises:
        UnreadableSheet: there are too many rows, or too many that do not fit.
    """
    number_of_rows = 0
    for number, cells in rows:
        if not any(cell and not cell.isspace() for cell in cells):
            continue
        number_of_rows += 1
        if number_of_rows > MOST_ROWS or len(problems) == _MOST_PROBLEMS:
            break
        extra = len(cells) > width and (not padded or any(cells[width:]))
        if extra or (len(cells) < width and not padded):
            message = f"row {number} has {counted(len(cells), 'cell')}, and row 1 has {width}"
            remedy = "a cell that contains the separator or a line end must be in double quotes"
            if padded:
                remedy = "the names of all columns must be in row 1, with no title above them"
            problems.append(sheet_problem(file, message, remedy, number))
        else:
            yield SheetRow(number, (*cells, *[""] * (width - len(cells)))[:width])
    if number_of_rows > MOST_ROWS:
        message, remedy = f"there are more than {MOST_ROWS:,} rows", "split the file"
        problems.append(sheet_problem(file, message, remedy, MOST_ROWS + 1))
    if number_of_rows > MOST_ROWS or len(problems) == _MOST_PROBLEMS:
        raise UnreadableSheet(problems)


def _same_names(file: str, names: Sequence[str]) -> Iterator[Diagnostic]:
    first: dict[str, int] = {}
    for column, name in enumerate(map(str.strip, names), 1):
        before = first.setdefault(name, column)
        if name and before != column:
            message = f"columns {before} and {column} are both called `{name}`"
            yield sheet_problem(file, message, "rename or remove one of them", 1, column)


def _nameless(file: str, names: Sequence[str], rows: Sequence[SheetRow]) -> Iterator[Diagnostic]:
    for at, name in enumerate(names):
        filled = None if name.strip() else next((r for r in rows if r.cells[at].strip()), None)
        if filled:
            message = f"column {at + 1} has no name, and row {filled.number} has a value in it"
            yield sheet_problem(file, message, "write its name in row 1, or empty it", 1, at + 1)
