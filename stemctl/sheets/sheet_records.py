"""From rows to records: what the rows say of the same record is put together.

A row is a record. Rows of the same record may differ in lists of references, which are joined; what
else differs is an error.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.sheets.cells import Cell
from stemctl.sheets.columns import KEY, Columns, with_type_titles
from stemctl.sheets.problems import CellError, cell_problem, sheet_problem
from stemctl.sheets.read_cells import Reading, elements_of, read_cell
from stemctl.sheets.sheet import Sheet, SheetRow
from stemctl.sheets.sheet_columns import Column
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined


class Identify(Protocol):
    """What tells records of a model apart, by their whole fields."""

    def __call__(self, model: Model, fields: Fields) -> tuple[Value, ...]: ...

    def missing(self, model: Model, fields: Fields) -> str:
        """A field that is needed for it and not there."""


class FindReferred(Protocol):
    """What references in cells mean."""

    def find(self, to: str, word: str, reading: Reading) -> list[str]:
        """What manifests may call the records of the model `to` that a word means."""

    def why_not(self, to: str, word: str) -> CellError | None:
        """Why a word names no record; None if it may be the name of one on the server."""


class RawCell(NamedTuple):
    """A cell that is a part of a field: it is read when the type of its record is known."""

    column: Column
    row: int
    text: str


class SheetRecord(Struct):
    """What a sheet says of one record: whole fields, parts of fields, and records inside it."""

    model: Model
    row: int
    key: str = ""
    whole: dict[str, Value | Cell] = field(default_factory=dict)
    parts: dict[str, dict[str, RawCell]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    """The rows that fields are from."""
    seen: dict[str, set[str]] = field(default_factory=dict)
    """The elements of lists that were joined."""
    inner: list[SheetRecord] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Value]:
        """The whole fields that have a value."""
        return {n: value for n, value in self.whole.items() if not isinstance(value, Cell)}


class RowReader(Struct, dict=True):
    """Reads the rows of a sheet into records. `constants` are fields that every record has."""

    sheet: Sheet
    known: Columns
    columns: Sequence[Column]
    constants: Fields
    identify: Identify
    referred: FindReferred
    problems: list[Diagnostic] = field(default_factory=list)
    refused: list[tuple[SheetRecord, SheetRecord | None]] = field(default_factory=list)
    """What rows with problems say of a record, and of one inside it."""
    _failed: set[str] = field(default_factory=set)
    _by_identity: dict[tuple[Value, ...], SheetRecord] = field(default_factory=dict)
    _inside: dict[int, dict[tuple[Value, ...], SheetRecord]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._positions = {(c.meaning.model.name, c.meaning.path): c for c in self.columns}
        self._fields = {column.at: self._field(column) for column in self.columns}
        self._numbers = {row.number: at for at, row in enumerate(self.sheet.rows)}

    def records(self) -> list[SheetRecord]:
        """The records, in the order of their first rows."""
        for row in self.sheet.rows:
            self._read(row)
        return list(self._by_identity.values())

    def column(self, model: Model, path: str) -> Column | None:
        """The column of a field, or of a part of it."""
        return self._positions.get((model.name, path))

    def problem(self, column: Column, row: int, text: str, error: CellError) -> None:
        """Note what is wrong with a cell."""
        found = cell_problem(
            self.sheet.file,
            row,
            column.position,
            (column.name, column.meaning.path),
            text.strip(),
            error,
        )
        self.problems.append(found)

    def check_cells(self) -> None:
        """Note what is wrong with the cells of a sheet that does not tell its records apart."""
        for row in self.sheet.rows:
            record, inner = self._cells(row)
            self.refused.append((record, inner))

    def unknown(self) -> list[tuple[SheetRecord, SheetRecord | None]]:
        """What refused rows say of records that no other row is about."""
        rows: dict[tuple[Value, ...], list[tuple[SheetRecord, SheetRecord | None]]] = {}
        for record, inner in self.refused:
            if not self._missing(record):
                rows.setdefault(self.identity(record), []).append((record, inner))
        kept = self._by_identity
        return [some[0] for own, some in rows.items() if len(some) == 1 and own not in kept]

    @cached_property
    def refused_fields(self) -> Mapping[tuple[Value, ...], set[str]]:
        """The fields that refused rows say something of, by what tells their records apart."""
        found: dict[tuple[Value, ...], set[str]] = {}
        for record, _ in self.refused:
            if not self._missing(record):
                found.setdefault(self.identity(record), set()).update(record.values)
        return found

    def _cells(self, row: SheetRow) -> tuple[SheetRecord, SheetRecord | None]:
        """What a row says of a record, and of one inside it."""
        self._failed.clear()
        record = SheetRecord(self.known.model, row.number)
        for name, value in self.constants.items():
            record.whole[name] = value
        inner = SheetRecord(self.known.inner, row.number) if self.known.inner else None
        for column in self.columns:
            is_inner = inner is not None and column.meaning.model is inner.model
            self._cell(inner if is_inner and inner else record, column, row)
        return record, inner

    def _read(self, row: SheetRow) -> None:
        number = len(self.problems)
        record, inner = self._cells(row)
        has_inner = inner is not None and bool(
            inner.whole or inner.parts or not self._failed.isdisjoint(inner.rows)
        )
        missing = self._missing(record) or (self._missing(inner) if inner and has_inner else "")
        if missing and missing not in self._failed:
            message = f"row {row.number} has no `{missing}`"
            found = sheet_problem(self.sheet.file, message, "write it", row.number)
            self.problems.append(found)
        if len(self.problems) > number:
            self.refused.append((record, inner if has_inner else None))
            return
        self._keep(record, inner if has_inner else None)

    def _missing(self, record: SheetRecord) -> str:
        """A field without which it is not certain which record this is."""
        return "" if record.key else self.identify.missing(record.model, record.values)

    def _cell(self, record: SheetRecord, column: Column, row: SheetRow) -> None:
        text = column.meant(row.cells[column.at])
        name, part = column.meaning.field, column.meaning.part
        record.rows[name] = row.number
        if part:
            if text.strip():
                cells = record.parts.setdefault(name, {})
                cells[part] = RawCell(column, row.number, text)
            return
        try:
            value = self._value(column, text)
        except CellError as error:
            self.problem(column, row.number, row.cells[column.at], error)
            self._failed.add(name)
            return
        if name == KEY:
            record.key = "" if isinstance(value, Cell) else str(value)
        elif value is not Cell.EMPTY:
            record.whole[name] = value

    def _value(self, column: Column, text: str) -> Value | Cell:
        if column.meaning.field == KEY:
            return text.strip() or Cell.EMPTY
        field_ = self._fields[column.at]
        assert field_ is not None  # only a key has none
        if column.reading.commas and field_.to and "," in text and ";" not in text:
            return self._names(field_, text, column.reading)
        value = read_cell(field_, text, column.reading)
        if value is Cell.CLEAR and field_.required:
            raise CellError("would clear a field that is required", "write a value")
        if isinstance(value, list) and field_.to:
            return self._each(field_, value, column.reading)
        return self._name(field_, value, column.reading) if field_.to else value

    def _each(self, field_: Field, words: list[Value], reading: Reading) -> list[Value | Cell]:
        """What a manifest calls the records of a list."""
        found = []
        for word in words:
            try:
                found.append(self._name(field_, word, reading))
            except CellError as error:
                which = f"has `{word}`, which " if len(words) > 1 else ""
                raise error.about(which) from None
        return found

    def _name(self, field_: Field, word: Value | Cell, reading: Reading) -> Value | Cell:
        """What a manifest calls the record that a word means."""
        if not isinstance(word, str):
            return word
        found = self.referred.find(field_.to or "", word, reading)
        if len(found) > 1:
            keys = [f"`{key}`" for key in found[:4]]
            raise CellError(f"may be {joined(keys, 'or')}", "write one of these keys")
        if not found and (why := self.referred.why_not(field_.to or "", word)):
            raise why
        return found[0] if found else word

    def _names(self, field_: Field, text: str, reading: Reading) -> list[Value | Cell]:
        """Names in a cell of a template, which may be separated by commas."""
        to, whole, pieces = field_.to or "", text.strip(), elements_of(text, commas=True)
        with contextlib.suppress(CellError):  # of a path, whose date is not all that follows it
            if self.referred.find(to, whole, reading):
                return self._each(field_, [whole], reading)
        named = self._each(field_, [*pieces], reading)
        unknown = [piece for piece in pieces if not self.referred.find(to, piece, reading)]
        if not unknown:
            return named
        raise CellError(
            f"may be one name or several: {joined(unknown[:3])} "
            f"{'is' if len(unknown) == 1 else 'are'} not in the files",
            "separate names by `;`, or put a name with a comma in double quotes",
        )

    def _keep(self, record: SheetRecord, inner: SheetRecord | None) -> None:
        """Join a row with the earlier rows of its record."""
        kept = self._by_identity.setdefault(self.identity(record), record)
        if kept is not record:
            self._join(kept, record)
        if inner is None:
            return
        siblings = self._inside.setdefault(id(kept), {})
        moment = self.identify(inner.model, inner.values)
        first = siblings.setdefault(moment, inner)
        if first is inner:
            kept.inner.append(inner)
        else:
            self._join(first, inner)

    def identity(self, record: SheetRecord) -> tuple[Value, ...]:
        """What tells a record from those of other rows."""
        if record.key:
            return (KEY, record.key, str(record.values.get(record.model.parent or "")))
        return self.identify(record.model, record.values)

    def _join(self, kept: SheetRecord, record: SheetRecord) -> None:
        for name, value in record.whole.items():
            before = kept.whole.get(name, Cell.EMPTY)
            if before is Cell.EMPTY:
                kept.whole[name], kept.rows[name] = value, record.row
            elif isinstance(value, list) and isinstance(before, list) and _is_joined(record, name):
                seen = kept.seen.setdefault(name, set(map(str, before)))
                before += [one for one in value if str(one) not in seen]
                seen.update(map(str, value))
            elif not _same(before, value):
                self._differ(kept, record, name, name)
        for name, cells in record.parts.items():
            for part, cell in cells.items():
                first = kept.parts.setdefault(name, {}).setdefault(part, cell)
                if first.text.strip() != cell.text.strip():
                    self._differ(kept, record, name, f"{name}.{part}")

    def _differ(self, kept: SheetRecord, record: SheetRecord, name: str, path: str) -> None:
        column = self.column(record.model, path)
        if column is None:
            return
        texts = {row.number: row.cells[column.at] for row in self._rows(kept, record, name)}
        first = texts.get(kept.rows.get(name, kept.row), "").strip()
        is_certain = record.model.identity or record.model.embedded or record.key
        error = CellError(
            f"is not what row {kept.rows.get(name, kept.row)} says of the same "
            f"{record.model.words}: `{first}`",
            "make them the same" + ("" if is_certain else ", or add a column `key`"),
        )
        self.problem(column, record.row, texts.get(record.row, ""), error)

    def _rows(self, kept: SheetRecord, record: SheetRecord, name: str) -> list[SheetRow]:
        wanted = {kept.rows.get(name, kept.row), record.row}
        return [self.sheet.rows[self._numbers[number]] for number in wanted]

    def _field(self, column: Column) -> Field | None:
        """The field of a column; a key has none."""
        field_ = column.meaning.model.fields.get(column.meaning.field)
        return with_type_titles(field_, self.known.models) if field_ else None


def _is_joined(record: SheetRecord, name: str) -> bool:
    return record.model.fields[name].kind == "references"


def _same(left: Value | Cell, right: Value | Cell) -> bool:
    if isinstance(left, Cell) or isinstance(right, Cell):
        return left is right
    return same_json(left, right)
