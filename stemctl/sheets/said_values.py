"""What a record is to have, from what a sheet says of it and from what it has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from stemctl.manifests.declared_names import DeclaredNames
from stemctl.planning.values import is_empty, same
from stemctl.schema.detail_values import as_stored, as_written, type_of
from stemctl.schema.fields import Field
from stemctl.sheets.cell_checks import check_value
from stemctl.sheets.cells import Cell
from stemctl.sheets.columns import kind_member, part_field
from stemctl.sheets.problems import CellError
from stemctl.sheets.read_cells import PLAIN, read_cell
from stemctl.sheets.sheet_records import RawCell, RowReader, SheetRecord
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined


class SaidValues(Struct):
    """Values of fields, by what a sheet says of them. Problems go to the `reader`."""

    reader: RowReader
    names: DeclaredNames

    def of(
        self, record: SheetRecord, base: Fields, around: Fields
    ) -> Iterator[tuple[Field, Value | Cell]]:
        """The fields that the sheet says something of, in the order of the table. `base` is what
        the record has, `around` what the one has that it is inside of.
        """
        for row in record.model.managed:
            if row.name not in record.whole and row.name not in record.parts:
                continue
            whole = record.whole.get(row.name, Cell.EMPTY)
            type_name = self._type(row, record, base, around)
            value: Value | Cell = whole
            if row.name in record.parts:
                before = base.get(row.name) if isinstance(whole, Cell) else whole
                type_ = type_of(row, type_name)
                before = None if whole is Cell.CLEAR else as_written(type_, before)
                value = self._with_parts(row, before, record.parts[row.name], type_name)
            else:
                self._check(record, row, whole)
            yield row, value

    def check(self, record: SheetRecord, around: Fields) -> None:
        """Name what is wrong with the values of a record that is not kept, whose other problems
        are known. Parts of a type that is not known are left.
        """
        known = {
            name: cells
            for name, cells in record.parts.items()
            if record.model.fields[name].details is None
            or self._type(record.model.fields[name], record, {}, around) is not None
        }
        for _ in self.of(replace(record, parts=known), {}, around):
            pass

    def is_same(self, row: Field, type_name: Value, old: Value, new: Value) -> bool:
        """Whether a record has this value already, in any spelling."""
        if is_empty(row, old) and is_empty(row, new):
            return True
        type_ = type_of(row, type_name)
        if type_:
            return same(row, as_stored(type_, old), as_stored(type_, new))
        return same(row, self._meant(row, old), self._meant(row, new))

    def _meant(self, row: Field, value: Value) -> Value:
        """A value in which references are the addresses of their records."""
        if not row.to:
            return value
        if isinstance(value, list):
            return [self._meant(row, one) for one in value]
        word = str(value)
        with contextlib.suppress(CellError):  # of a path, whose end is no date
            keys = self.reader.referred.find(row.to, word, PLAIN)
            word = keys[0] if len(keys) == 1 else word
        return str(self.names.meant(row.to, word) or word)

    def type_of(self, row: Field, record: SheetRecord, base: Fields, around: Fields) -> Value:
        """The type that decides about a field with details."""
        return self._type(row, record, base, around)

    def _type(self, row: Field, record: SheetRecord, base: Fields, around: Fields) -> Value:
        if row.details is None:
            return None
        name = row.details.selector.rpartition(".")[2]
        if row.details.of_parent:
            return around.get(name)
        return record.values.get(name, base.get(name))

    def _check(self, record: SheetRecord, row: Field, value: Value | Cell) -> None:
        column = self.reader.column(record.model, row.name)
        if isinstance(value, Cell) or column is None:
            return
        try:
            check_value(row, record.model, value)
        except CellError as error:
            text = value if isinstance(value, str) else ""
            self.reader.problem(column, record.rows.get(row.name, record.row), text, error)

    def _with_parts(
        self, row: Field, before: Value, cells: Mapping[str, RawCell], type_name: Value
    ) -> Value | Cell:
        """A value with those of its parts that the sheet says something of."""
        found: dict[str, Value | Cell] = {}
        for part, cell in cells.items():
            try:
                field = part_field(row, part, type_name)
                if field is None:
                    raise _no_part(row, part, type_name)
                value = read_cell(field, cell.text, cell.column.reading)
                if value is Cell.CLEAR and field.required:
                    raise CellError("would clear a field that is required", "write a value")
                check_value(field, None, value)
                found[part] = value
            except CellError as error:
                self.reader.problem(cell.column, cell.row, cell.text, error)
        if row.to:
            return self._composed(row, before, found)
        if row.kind == "members":
            return _members(before, found)
        if kind_member(row):
            return _items(row, before, found)
        kept = dict(before) if isinstance(before, dict) else {}
        for part, value in found.items():
            if value is Cell.CLEAR:
                kept.pop(part, None)
            else:
                kept[part] = value
        return kept

    def _composed(self, row: Field, before: Value, found: Mapping[str, Value | Cell]) -> Value:
        """A reference by values that are unique together: `AIA/CA1`."""
        target = self.reader.known.catalog.models[row.to or ""]
        parts = {part: str(value) for part, value in found.items() if not isinstance(value, Cell)}
        for group in target.together_unique:
            if all(name in parts for name in group):
                return "/".join(parts[name] for name in group)
        return next(iter(parts.values()), before)


def _no_part(row: Field, part: str, type_name: Value) -> CellError:
    assert row.details is not None
    selector = row.details.selector.rpartition(".")[2]
    type_ = type_of(row, type_name)
    if type_ is None:
        return CellError(
            f"needs a `{selector}`, which says what `{part}` is", f"write `{selector}`"
        )
    names = [f"`{name}`" for name in type_.fields] or ["no fields"]
    return CellError(
        f"is for another `{selector}`: {type_.name} has no `{part}`",
        f"empty it; {type_.name} has {joined(names[:8])}",
    )


def _members(before: Value, found: Mapping[str, Value | Cell]) -> Value:
    """Members with the rights whose columns are there: a cell lists all members with a right."""
    kept = {name: dict(rights) for name, rights in (before or {}).items()}
    for right, value in found.items():
        names = value if isinstance(value, list) else []
        for name, rights in kept.items():
            if name not in names:
                rights.pop(right, None)
        for name in names:
            kept.setdefault(name, {})[right] = True
    return {name: rights for name, rights in kept.items() if rights}


def _items(row: Field, before: Value, found: Mapping[str, Value | Cell]) -> Value:
    """Items with those of the kinds whose columns are there."""
    member, key = kind_member(row), row.by or ""
    kept = [item for item in before or [] if item.get(member) not in found]
    for kind, value in found.items():
        kept += [{member: kind, key: one} for one in (value if isinstance(value, list) else [])]
    return kept
