"""Reads a table by the ending of its name."""

from __future__ import annotations

from stemctl.sheets.problems import UnreadableSheet, sheet_problem
from stemctl.sheets.read_csv import read_csv
from stemctl.sheets.read_xlsx import read_xlsx
from stemctl.sheets.sheet import MOST_BYTES, Sheet

ENDINGS = (".csv", ".tsv", ".xlsx")


def read_sheet(data: bytes, file: str, tab: str = "") -> Sheet:
    """The table of a file with one of the endings; of a workbook, the sheet called `tab`.

    Raises:
        UnreadableSheet: it is not a table.
        ConfigError: it is a workbook, and what reads it is not installed.
    """
    if len(data) > MOST_BYTES:
        message = f"this file is larger than {MOST_BYTES >> 20} MiB"
        raise UnreadableSheet([sheet_problem(file, message, "split it")])
    ending = file.lower().rpartition(".")[2]
    if ending == "xlsx":
        return read_xlsx(data, file, tab)
    return read_csv(data, file, tabs=ending == "tsv")
