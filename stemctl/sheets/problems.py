"""What is wrong with a sheet: each problem with its row, its column and its remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.util.plural import counted, first_few, inflected
from stemctl.util.safe_text import cut

_LONGEST_VALUE = 60
_OR_MAP = ", or add --map "
_UNFOLDED = 5
"""Cells of a column with the same problem that are told one by one."""


class CellError(ValueError):
    """A cell that cannot be read: `is not a number`, and what to write. `options` are those that a
    map may give to its column: `{date: D/M/Y}`.
    """

    def __init__(self, message: str, remedy: str, *options: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.options = options


class UnreadableSheet(Exception):
    """A file whose rows cannot be trusted, so that none of them is read."""

    def __init__(self, problems: Sequence[Diagnostic]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = tuple(problems)


def sheet_problem(
    file: str, message: str, remedy: str, row: int = 1, column: int = 1, value: str = ""
) -> Diagnostic:
    """A finding in a sheet; rows and columns are counted as in a spreadsheet, from 1."""
    location = Location(file, row, column)
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
        Location(file, row, column),
        remedy,
        field=name,
        value=text,
        rule=error.message,
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
        if not problem.rule or len(same) <= _UNFOLDED:
            found.append(problem)
    for (name, rule), same in alike.items():
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
