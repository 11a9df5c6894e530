"""Tables of Excel. Cells are read as the values that they show: of formulas, what Excel stored."""

from __future__ import annotations

import datetime
import io
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from stemctl.core.diagnostics import Diagnostic
from stemctl.errors import ConfigError, Untouched
from stemctl.sheets.problems import UnreadableSheet, sheet_problem
from stemctl.sheets.sheet import LONGEST_CELL, MOST_COLUMNS, Sheet, SheetRow, sheet_of
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

_MOST_UNPACKED = 512 << 20
_MOST_PARTS = 10_000
_MOST_CELLS = 20_000_000
_MOST_LINES = 1_048_576
"""Rows that Excel can have, also empty ones."""

_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_DURATION = late_pattern(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_HAS_CLOCK = late_pattern(r"[hs]", re.IGNORECASE)


def read_xlsx(data: bytes, file: str, tab: str = "") -> Sheet:
    """The table in a workbook: that of the sheet called `tab`, or of the first one.

    Raises:
        UnreadableSheet: it is no workbook, has no such sheet, or is not a table.
        ConfigError: the package that reads workbooks is not installed.
    """
    try:
        import openpyxl
    except ImportError:
        raise ConfigError(
            f"{file} is a file of Excel, and openpyxl is not installed, which reads it.",
            "Save the table as `CSV UTF-8`, or install openpyxl.",
            [("pip install 'stemctl[xlsx]'", "installs it")],
            Untouched.NOTHING_WRITTEN,
        ) from None
    has_formulas = _checked(data, file)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        other = openpyxl.load_workbook(io.BytesIO(data), read_only=True) if has_formulas else None
        name = _tab(book, file, tab)
        place = file if name == book.worksheets[0].title else f"{file}#{name}"
        lines = _lines(book, name, place)
        if other:
            lines = _with_formulas(lines, _lines(other, name, place))
        return sheet_of(place, _rows(lines, place), padded=True)
    except (UnreadableSheet, MemoryError):
        raise
    except Exception as error:  # openpyxl checks little of what it reads
        raise _no_workbook(file, f"{type(error).__name__}: {error}") from None


def _no_workbook(file: str, why: str) -> UnreadableSheet:
    remedy = "open it in Excel and save it as .xlsx, or as `CSV UTF-8`"
    return UnreadableSheet([sheet_problem(file, f"this is not a file of Excel ({why})", remedy)])


def _checked(data: bytes, file: str) -> bool:
    """Refuse archives that would fill the memory; whether there are formulas.

    Raises:
        UnreadableSheet: it is no archive, or is too large when unpacked.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
            raise _no_workbook(file, "it is too large when it is unpacked")
        sheets = [part for part in parts if "worksheets/" in part.filename]
        return any(_FORMULA.search(archive.read(part)) for part in sheets)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        why = "an old .xls?" if data.startswith(b"\xd0\xcf\x11\xe0") else str(error)
        raise _no_workbook(file, why) from None


def _tab(book: Workbook, file: str, tab: str) -> str:
    names = [sheet.title for sheet in book.worksheets]
    if not names:
        raise _no_workbook(file, "it has no sheet")
    if not tab or tab in names:
        return tab or names[0]
    near = nearest(tab, names, 1)
    remedy = f"write `{file}#{near[0]}`" if near else f"its sheets are {joined(names)}"
    raise UnreadableSheet([sheet_problem(file, f"there is no sheet `{tab}`", remedy)])


def _lines(book: Workbook, name: str, file: str) -> Iterator[tuple[Any, ...]]:
    """The rows as cells. What the file says about its size is not believed."""
    sheet: Any = book[name]
    sheet.reset_dimensions()
    cells = 0
    for number, line in enumerate(sheet.rows, 1):
        cells += len(line)
        if number > _MOST_LINES or cells > _MOST_CELLS:
            message, remedy = "the sheet is too large", "delete what is below and beside the table"
            raise UnreadableSheet([sheet_problem(file, message, remedy, number)])
        yield line


def _with_formulas(
    lines: Iterable[tuple[Any, ...]], formulas: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    """The rows, in which a formula that has no stored value is shown as it is."""
    for line, others in itertools.zip_longest(lines, formulas, fillvalue=()):
        pairs = itertools.zip_longest(line, others)
        yield tuple(
            other if other is not None and other.data_type == "f" and cell.value is None else cell
            for cell, other in pairs
            if cell is not None
        )


def _rows(lines: Iterable[tuple[Any, ...]], file: str) -> Iterator[SheetRow]:
    """The rows as texts.

    Raises:
        UnreadableSheet: with all cells that have no value.
    """
    problems: list[Diagnostic] = []
    for number, line in enumerate(lines, 1):
        texts = []
        for column, cell in enumerate(line, 1):
            value = cell.value
            if value is None:
                texts.append("")
                continue
            problem = _problem(cell, column)
            if problem:
                message, remedy = problem
                message = f"row {number}, column {column}: {message}"
                problems.append(sheet_problem(file, message, remedy, number, column))
            texts.append("" if problem else _text(value, cell.number_format))
        if len(problems) >= 100:
            break
        yield SheetRow(number, tuple(texts))
    if problems:
        raise UnreadableSheet(problems)


def _problem(cell: Any, column: int) -> tuple[str, str] | None:
    """What is wrong with a cell that has something in it, and what to do."""
    if cell.data_type == "f":
        return "a formula without a stored value", "open the file in Excel and save it"
    if cell.data_type == "e":
        return f"the error {cell.value}", "correct the formula, or empty the cell"
    if isinstance(cell.value, datetime.timedelta) or _is_duration(cell):
        return "a duration", "write it as text or as a number"
    if isinstance(cell.value, str) and len(cell.value) > LONGEST_CELL:
        return f"more than {LONGEST_CELL:,} characters", "write less"
    if isinstance(cell.value, str) and "\0" in cell.value:
        return "a NULL character", "remove it"
    if column > MOST_COLUMNS:
        return f"more than {MOST_COLUMNS:,} columns", "delete what is beside the table"
    return None


def _is_duration(cell: Any) -> bool:
    """Whether it counts hours from zero: older versions of openpyxl read this as a date of 1900."""
    is_moment = isinstance(cell.value, datetime.datetime | datetime.time)
    return is_moment and _DURATION.search(cell.number_format) is not None


def _text(value: Any, number_format: str) -> str:
    """The text of a value. Numbers have the 15 digits that Excel shows."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.15g}"
        case datetime.datetime():
            moment = _to_the_second(value)
            is_day = moment.time() == datetime.time() and not _HAS_CLOCK.search(number_format)
            return moment.date().isoformat() if is_day else moment.isoformat(" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case _:
            return str(value)


def _to_the_second(moment: datetime.datetime) -> datetime.datetime:
    """The moment without what is left of a second, if that is an error of rounding."""
    near = moment + datetime.timedelta(milliseconds=1)
    if near.microsecond <= 2_000:
        return near.replace(microsecond=0)
    return moment
