"""Tables as text: CSV with commas or semicolons, and TSV.

The text must be Unicode. What Excel saves as "CSV UTF-8" or "Unicode text" is; its plain "CSV" is
in an encoding that depends on the computer, so that it cannot be read without guessing.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from stemctl.sheets.problems import UnreadableSheet, sheet_problem
from stemctl.sheets.sheet import LONGEST_CELL, MOST_COLUMNS, Sheet, SheetRow, sheet_of
from stemctl.util.late_pattern import late_pattern

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_EXCEL_SAYS = late_pattern(r"sep=(.)\r?\n")


def read_csv(data: bytes, file: str, tabs: bool = False) -> Sheet:
    """The table of a CSV file, or of a TSV file if `tabs` separate its cells.

    Raises:
        UnreadableSheet: it is not a table, or not in Unicode.
    """
    text = _decoded(data, file)
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        remedy = "save it again as CSV UTF-8; a file of Excel must be called FILE.xlsx"
        raise UnreadableSheet([sheet_problem(file, "this is not text", remedy, row)])
    before = 0
    said = _EXCEL_SAYS.match(text)
    if said:
        text, before = text[said.end() :], 1
    separator = said[1] if said else "\t" if tabs else _separator(text, file)
    return sheet_of(file, _rows(text, file, separator, before), padded=False)


def _decoded(data: bytes, file: str) -> str:
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        remedy = "save it in Excel as `CSV UTF-8`, or as .xlsx"
        message = "this is not in UTF-8, so its letters are not certain"
        raise UnreadableSheet([sheet_problem(file, message, remedy, row)]) from None


def _separator(text: str, file: str) -> str:
    """What separates the names of the columns.

    Raises:
        UnreadableSheet: it could be several characters.
    """
    widths = {one: len(_first_row(text, one)) for one in _SEPARATORS}
    widest = max(widths.values())
    found = [one for one, width in widths.items() if width == widest]
    if widest > 1 and len(found) > 1:
        names = " or ".join(_SEPARATORS[one] for one in found)
        message = f"the columns may be separated by {names}"
        remedy = "put names that contain one of them in double quotes"
        raise UnreadableSheet([sheet_problem(file, message, remedy)])
    return found[0]


def _first_row(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        return []


def _rows(text: str, file: str, separator: str, before: int) -> Iterator[SheetRow]:
    """The rows; `before` are lines above them that are no rows of the table."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = before + 1
    try:
        for cells in reader:
            if len(cells) > MOST_COLUMNS:
                raise _too_large(file, number, f"more than {MOST_COLUMNS:,} columns")
            if any(len(cell) > LONGEST_CELL for cell in cells):
                raise _too_large(file, number, f"a cell of more than {LONGEST_CELL:,} characters")
            yield SheetRow(number, tuple(cells))
            number += 1
    except csv.Error as error:
        message = f"row {number} cannot be read: {error}"
        remedy = 'a cell with double quotes in it is written "in ""quotes"" like this"'
        raise UnreadableSheet([sheet_problem(file, message, remedy, number)]) from None


def _too_large(file: str, number: int, what: str) -> UnreadableSheet:
    remedy = "is a double quote missing, or is this another kind of file?"
    return UnreadableSheet([sheet_problem(file, f"row {number} has {what}", remedy, number)])
