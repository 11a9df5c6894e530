"""What is wrong with the rows of a sheet beyond their cells: what new records lack, and what the
files would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Address, Location, Record
from stemctl.manifests import typed_details
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.sheets.problems import sheet_problem
from stemctl.sheets.sheet_records import RowReader, SheetRecord
from stemctl.util.json_types import Fields

_LACKING = ("missing-field", "missing-pair")
"""The codes of findings about what a new record lacks."""


class RowChecks(Struct):
    """Collects problems of rows. A cell that cannot be read is one problem, and not another one
    because its record lacks the value.
    """

    reader: RowReader
    catalog: Catalog
    problems: list[Diagnostic] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)
    _unread: set[tuple[int, int]] = field(default_factory=set)
    """The cells that cannot be read, of the first so many problems of the reader."""
    _seen: int = 0

    @property
    def file(self) -> str:
        """The sheet."""
        return self.reader.sheet.file

    def add(
        self, record: SheetRecord, message: str, remedy: str, column: int = 1, row: int = 0
    ) -> None:
        """Note what is wrong with a row."""
        found = sheet_problem(self.file, message, remedy, row or record.row, column)
        self.problems.append(found)

    def required(self, record: SheetRecord, fields: Iterable[str], parent: str, file: str) -> None:
        """Name the fields that a new record needs and that are not in `fields`, nor said by the
        place of the record: inside a record that is its `parent`.
        """
        model, there = record.model, {*fields, parent}
        if others := self.reader.refused_fields:
            there |= others.get(self.reader.identity(record), set())
        for row in model.managed:
            if (
                not row.required
                or row.name in there
                or self._is_unread(record.row, model, row.name)
            ):
                continue
            column = self.reader.column(model, row.name)
            if column is not None:
                message = f"row {record.row}, column `{column.name}`: a new {model.words} needs it"
                self.add(record, message, "write it", column.position)
            elif row.name not in self._told:
                self._told.add(row.name)
                message = f"no column for `{row.name}`, which each new {model.words} needs"
                remedy = (
                    f"add a column `{row.name}`, or write `defaults: {{{model.section}: "
                    f"{{{row.name}: ...}}}}` in {file}"
                )
                self.add(record, message, remedy, row=1)

    def details(self, record: SheetRecord, fields: Fields, around: Record | None) -> None:
        """Name the details that the type of a new record requires and that are written nowhere."""
        new = Record(Address(record.model.name, ""), fields, Location(self.file, record.row, 1))
        for one in typed_details.missing(new, record.model, around):
            name = one.field or ""
            if self._is_unread(record.row, record.model, name):
                continue
            column = self.reader.column(record.model, name)
            remedy = "write it" if column else f"add a column `{name}`"
            message = f"row {record.row}: {one.message}"
            self.add(record, message, remedy, column.position if column else 1)

    def in_files(self, rows: Mapping[str, int], found: Iterable[Diagnostic]) -> None:
        """Note errors that the files would have, at the rows that the records are from. Of a row
        that is wrong anyway, the files do not have all that it says.
        """
        known = [*self.reader.problems, *self.problems]
        wrong = {problem.location.line for problem in known if problem.location}
        for problem in found:
            row = rows.get(problem.address or "")
            is_told = bool(wrong) and problem.code in _LACKING
            if not is_told and row not in wrong:
                self.problems.append(self._in_sheet(problem, row))

    def _in_sheet(self, problem: Diagnostic, row: int | None) -> Diagnostic:
        if row is None:
            return problem
        model = self.catalog.models[(problem.address or "").partition("/")[0]]
        column = self.reader.column(model, problem.field or "")
        where = f"row {row}" + (f", column `{column.name}`" if column else "")
        message = f"{where}: {problem.message}"
        position = column.position if column else 1
        return replace(
            sheet_problem(self.file, message, problem.remedy, row, position),
            code=problem.code,
            address=problem.address,
            field=problem.field,
            value=problem.value,
        )

    def _is_unread(self, row: int, model: Model, path: str) -> bool:
        """Whether a field, or the one that it is a part of, is in a cell that cannot be read."""
        for problem in self.reader.problems[self._seen :]:
            if problem.location:
                self._unread.add((problem.location.line, problem.location.column))
        self._seen = len(self.reader.problems)
        columns = [self.reader.column(model, one) for one in (path, path.partition(".")[0])]
        return any(column and (row, column.position) in self._unread for column in columns)
