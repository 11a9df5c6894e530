"""Writes tables: CSV and TSV as RFC 4180 quotes them, in UTF-8 with LF, and XLSX."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from stemctl.errors import ConfigError, StemctlError, Untouched
from stemctl.util.late_pattern import late_pattern

SEPARATORS = {"csv": ",", "tsv": "\t"}
XLSX = "xlsx"
FORMATS = (*SEPARATORS, XLSX)

_LONGEST_CELL = 32_767
_MOST_ROWS = 1_048_576
"""The limits of Excel. A longer text would be cut, and more rows would not open."""

_NO_XML = late_pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
Row = Sequence[str | int | float]


def write_sheet(output_format: str, titles: Sequence[str], rows: Iterable[Row]) -> bytes:
    """A table in one of the formats.

    Raises:
        StemctlError: Excel cannot hold it.
        ConfigError: the package that writes files of Excel is not installed.
    """
    if output_format == XLSX:
        return _xlsx(titles, rows)
    separator = SEPARATORS[output_format]
    lines = [_line(row, separator) for row in (titles, *rows)]
    return "".join(lines).encode("utf-8", "replace")


def _line(row: Row, separator: str) -> str:
    cells = [_quoted(str(cell), separator) for cell in row]
    text = separator.join(cells)
    return f"{text or EMPTY_LINE}\n"


EMPTY_LINE = '""'
"""An empty line would be no row."""


def _quoted(text: str, separator: str) -> str:
    if any(character in text for character in ('"', separator, "\n", "\r")):
        return '"{}"'.format(text.replace('"', '""'))
    return text


def _xlsx(titles: Sequence[str], rows: Iterable[Row]) -> bytes:
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ImportError:
        raise ConfigError(
            "-o xlsx needs the package openpyxl, which is not installed.",
            "Install it, or write -o csv, which Excel opens too.",
            [("pip install 'stemctl[xlsx]'", "installs it")],
            untouched=Untouched.NOTHING_READ,
        ) from None
    lines = [titles, *rows]
    _check(titles, lines)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("stemctl")
    sheet.freeze_panes = "A2"
    for line in lines:
        cells: list[Any] = []
        for value in line:
            cell = WriteOnlyCell(sheet, value)
            if isinstance(value, str):
                cell.data_type = "s"  # whatever it begins with, it is no formula
            cells.append(cell)
        sheet.append(cells)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _check(titles: Sequence[str], lines: Sequence[Row]) -> None:
    """Refuse what Excel would cut, or could not open, before anything is written."""
    if len(lines) > _MOST_ROWS:
        raise _not_in_excel(f"The table has more than {_MOST_ROWS:,} rows.")
    for number, line in enumerate(lines, 1):
        for title, value in zip(titles, line, strict=True):
            if not isinstance(value, str):
                continue
            where = f"row {number}, column {title}"
            if found := _NO_XML.search(value):
                code = f"U+{ord(found[0]):04X}"
                raise _not_in_excel(f"A file of Excel cannot hold the character {code}: {where}.")
            if len(value) > _LONGEST_CELL:
                raise _not_in_excel(
                    f"A cell of Excel holds {_LONGEST_CELL:,} characters. The text in {where} has "
                    f"{len(value):,}."
                )


def _not_in_excel(what: str) -> StemctlError:
    return StemctlError(what, "Write -o csv, which has no such limit, or choose other --columns.")
