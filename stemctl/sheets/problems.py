"""What is wrong with a sheet: each problem with its row, its column and its remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import counted, first_few, inflected
from stemctl.util.safe_text import cut

_LONGEST_VALUE = 60
_OR_MAP = ", or add --map "
_UNFOLDED = 5
"""Cells of a column with the same problem that are told one by one."""


UNSURE_DAY = "a day whose order is not certain"
"""The rule of dates that a map has to decide: all of a column are one question."""

_ORDER = late_pattern(r'"[^\n]*?:\{date: [DMY/]+\}"')


class CellError(ValueError):
    """A cell that cannot be read: `is not a number`, and what to write. `options` are those that a
    map may give to its column: `{date: D/M/Y}`. Errors with the same `rule` are the same problem.
    """

    def __init__(self, message: str, remedy: str, *options: str, rule: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.options = options
        self.rule = rule or message

    def about(self, which: str) -> CellError:
        """The same of a part of the cell: `has `b`, which is not a number`."""
        return CellError(which + self.message, self.remedy, *self.options, rule=self.rule)


class UnreadableSheet(Exception):
    """A file whose rows cannot be trusted, so that none of them is read."""

    def __init__(self, problems: Sequence[Diagnostic]) -> None:
        super().__init__(f"{len(problems):,} problems")
        self.problems = tuple(problems)


class WorkbookCell(Location):
    """A place in a workbook, told as its cell is called there: `colony.xlsx:B2`."""

    __slots__ = ()

    def __str__(self) -> str:
        letters, rest = "", self.column
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{self.file}:{letters}{self.line}"


_WORKBOOK = late_pattern(r"\.xlsx(?:#.*)?", re.IGNORECASE | re.DOTALL)
"""How the name of a workbook ends; with the name of a sheet, if it is not the first."""


def _place(file: str, row: int, column: int) -> Location:
    is_workbook = _WORKBOOK.search(file) and not file.lower().endswith((".csv", ".tsv"))
    return (WorkbookCell if is_workbook else Location)(file, row, column)


def sheet_problem(
    file: str, message: str, remedy: str, row: int = 1, column: int = 1, value: str = ""
) -> Diagnostic:
    """A finding in a sheet; rows and columns are counted as in a spreadsheet, from 1."""
    location = _place(file, row, column)
    return Diagnostic(Severity.ERROR, "bad-sheet", message, location, remedy, value=value)


def cell_problem(
    file: str, row: int, column: int, names: tuple[str, str], text: str, error: CellError
) -> Diagnostic:
    """What is wrong with one cell: in which row, in the column with which name and field, and with
    which text.
    """
    name, path = names
    rules = [f'"{name}={path}:{option}"' for option in error.options]
    remedy = f"{error.remedy}{_OR_MAP}{' or '.join(rules)}" if rules else error.remedy
    shown = f"`{cut(text, _LONGEST_VALUE)}` " if text else ""
    message = f"row {row}, column `{name}`: {shown}{error.message}"
    return Diagnostic(
        Severity.ERROR,
        "bad-cell",
        message,
        _place(file, row, column),
        remedy,
        field=name,
        value=text,
        rule=error.rule,
    )


def folded(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The problems, of which those of many cells of a column are told once for all but the first
    rows.
    """
    found: list[Diagnostic] = []
    alike: dict[tuple[str | None, str], list[Diagnostic]] = {}
    for problem in problems:
        same = alike.setdefault((problem.field, problem.rule), [])
        same.append(problem)
        if not problem.rule or (len(same) <= _UNFOLDED and problem.rule != UNSURE_DAY):
            found.append(problem)
    for (name, rule), same in alike.items():
        if rule == UNSURE_DAY:
            found.append(_one_order(name, same))
            continue
        more = same[_UNFOLDED:]
        if rule and more:
            number = counted(len(more), "more cell")
            verb = inflected(len(more), "has", "have")
            rows = _ranges([problem.location.line for problem in more if problem.location])
            message = f"column `{name}`: {number} {verb} the same problem, in {rows}"
            # What to write instead differs from cell to cell; what the map may say does not.
            option = more[0].remedy.partition(_OR_MAP)[2]
            remedy = f"add --map {option}" if option else more[0].remedy
            found.append(replace(more[0], message=message, remedy=remedy, value=None))
    return found


def _one_order(name: str | None, unsure: Sequence[Diagnostic]) -> Diagnostic:
    """One question for all dates of a column whose order is not certain."""
    readings = [(problem, _ORDER.findall(problem.remedy)) for problem in unsure]
    example, options = max(readings, key=lambda one: len(one[1]))
    if len(unsure) == 1:
        return example
    possible = [one for one in options if all(one in others for _, others in readings)]
    telling = next((p for p, others in readings if len(others) < len(options)), example)
    days = example.remedy.partition(_OR_MAP)[0].removeprefix("write ")
    row = example.location.line if example.location else 0
    shown = cut(str(example.value), _LONGEST_VALUE)
    rows = _ranges([problem.location.line for problem in unsure if problem.location])
    message = (
        f"column `{name}`: the order of {counted(len(unsure), 'date')} is not certain, in {rows}; "
        f"`{shown}` in row {row} may be {days}"
    )
    if telling is not example and telling.location and possible:
        days = telling.remedy.partition(_OR_MAP)[0].removeprefix("write ")
        message += f", but `{telling.value}` in row {telling.location.line} can only be {days}"
    remedy = "their orders differ: write them like `2024-03-12`"
    if possible:
        remedy = f"add --map {' or '.join(possible)}"
    return replace(example, message=message, remedy=remedy)


def _ranges(rows: Sequence[int]) -> str:
    """Numbers of rows in words: `rows 7-12, 14 and 16-20`."""
    parts: list[list[int]] = []
    for row in sorted(rows):
        if parts and row == parts[-1][1] + 1:
            parts[-1][1] = row
        else:
            parts.append([row, row])
    words = [f"{a}" if a == b else f"{a}-{b}" for a, b in parts]
    return f"{inflected(len(rows), 'row')} {first_few(words, 20)}"
