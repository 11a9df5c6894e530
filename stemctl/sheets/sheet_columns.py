"""The columns of a sheet with the fields that they mean, and those that are left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic
from stemctl.schema.patterns import portable
from stemctl.sheets.cells import LISTS
from stemctl.sheets.column_map import ColumnMap, ColumnRule
from stemctl.sheets.columns import Columns, Meaning, plain
from stemctl.sheets.dates import ORDERS
from stemctl.sheets.problems import sheet_problem
from stemctl.sheets.read_cells import Reading
from stemctl.sheets.sheet import Sheet
from stemctl.util.plural import joined
from stemctl.util.suggest import containing, edits, nearest

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Column(Struct, frozen=True):
    """A column that is read: its place in the rows, its position in the file, what it means, and
    how its cells are read. `values` are those that a map gives to cells.
    """

    name: str
    at: int
    position: int
    meaning: Meaning
    reading: Reading
    values: Mapping[str, str] = field(default_factory=dict)

    def meant(self, text: str) -> str:
        """What a cell says, after the map."""
        word = text.strip()
        if not self.values or not word:
            return text
        if word in self.values:
            return self.values[word]
        folded = {name.casefold(): value for name, value in self.values.items()}
        return folded.get(word.casefold(), text)


class Resolved(Struct):
    """The columns to read, the reasons why others are left, and what is wrong."""

    columns: list[Column] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)


def resolve_columns(
    sheet: Sheet,
    known: Columns,
    rules: ColumnMap,
    zone: ZoneInfo | None,
    required: Sequence[str] = (),
) -> Resolved:
    """What each column of a sheet means. `required` are columns that the command line names."""
    found = Resolved(problems=list(_not_there(sheet, required)))
    ignored = {_name(name) for name in rules.ignore}
    by_name = {_name(name): rule for name, rule in rules.columns.items()}
    taken: dict[tuple[str, str], Column] = {}
    for at, name in enumerate(sheet.columns):
        if _name(name) in ignored:
            continue
        rule = by_name.get(_name(name))
        meaning = known.meaning(rule.path if rule else name)
        if meaning is None or (rule and meaning.left):
            found.problems.append(_unknown(sheet, at, rule, known, meaning))
        elif meaning.left:
            found.left[name] = meaning.left
        else:
            reading = _reading(meaning, rule or ColumnRule(""), zone)
            values = rule.values if rule else {}
            column = Column(name, at, sheet.positions[at], meaning, reading, values)
            other = taken.setdefault((meaning.model.name, meaning.path), column)
            if other is not column:
                found.problems.append(_same(sheet, other, column))
            if problem := _bad_entry(sheet, column):
                found.problems.append(problem)
            found.columns.append(column)
    return found


def _bad_entry(sheet: Sheet, column: Column) -> Diagnostic | None:
    """What is wrong with the name that a column gives to an entry of a map."""
    meaning = column.meaning
    row = meaning.model.fields.get(meaning.field)
    pattern = portable(row.key_pattern) if row and row.key_pattern and meaning.part else ""
    if not pattern or re.search(pattern, meaning.part):
        return None
    better = re.sub(r"[^A-Za-z0-9_]+", "_", meaning.part).strip("_") or "NAME"
    message = f"column `{column.name}`: `{meaning.part}` cannot be a name in `{meaning.field}`"
    remedy = f'add --map "{column.name}={meaning.field}.{better}"'
    return sheet_problem(sheet.file, message, remedy, 1, column.position)


def _name(name: str) -> str:
    return name.strip().casefold()


def _reading(meaning: Meaning, rule: ColumnRule, zone: ZoneInfo | None) -> Reading:
    field_ = meaning.model.fields.get(meaning.field)
    is_list = field_ is not None and field_.kind in LISTS
    return Reading(
        zone=zone,
        order=ORDERS[re.sub("[-.]", "/", rule.date)] if rule.date else "",
        decimal_comma=rule.decimal == ",",
        unit=rule.unit or meaning.unit,
        commas=meaning.is_template and is_list,
    )


def _not_there(sheet: Sheet, required: Sequence[str]) -> Iterator[Diagnostic]:
    """Columns of the command line that the sheet does not have."""
    names = {_name(name) for name in sheet.columns}
    for name in required:
        if _name(name) not in names:
            near = nearest(name, sheet.columns, 1)
            remedy = f"write `{near[0]}`" if near else f"its columns are {', '.join(sheet.columns)}"
            yield sheet_problem(sheet.file, f"there is no column `{name}`", remedy)


def _unknown(
    sheet: Sheet, at: int, rule: ColumnRule | None, known: Columns, meaning: Meaning | None
) -> Diagnostic:
    """A column, or a field of the map, that is not known."""
    name, names = sheet.columns[at], known.known()
    words = known.model.words
    if rule is None:
        message = f"{words} has no field for the column `{name}`"
    elif meaning is not None:
        message = f"column `{name}`: `{rule.path}` cannot be written, since {meaning.left}"
    else:
        message = f"column `{name}`: {words} has no field `{rule.path}`"
    if rule is None and (inside := known.inside(name)):
        fields = joined([f"its `{one.model.section}` have `{one.field}`" for one in inside])
        options = joined([f"--as {one.model.name}" for one in inside], "or")
        remedy = f'load that from another table with {options}, and add --ignore "{name}" here'
        message = f"{message}, but {fields}"
        return sheet_problem(sheet.file, message, remedy, 1, sheet.positions[at])
    word = rule.path if rule else name
    plains = {plain(one): one for one in names}
    near = [one for one in nearest(plain(word), plains, 1) if _is_near(plain(word), one)]
    near = near or containing(word, plains, 1)
    if near and rule:
        remedy = f"write `{name}={plains[near[0]]}`"
    elif near:
        remedy = f'add --map "{name}={plains[near[0]]}" or --ignore "{name}"'
    else:
        remedy = f'add --ignore "{name}" or --map "{name}=FIELD"'
    return sheet_problem(sheet.file, message, remedy, 1, sheet.positions[at])


def _is_near(word: str, field_: str) -> bool:
    """Whether a field may well be what a column means: `Notes` looks like `genotype`, and is not.

    A wrong field that is proposed is typed, and fills the files with what is not so.
    """
    return field_.removesuffix("s") in word or edits(word, field_) <= max(1, len(word) // 4)


def _same(sheet: Sheet, other: Column, column: Column) -> Diagnostic:
    message = f"the columns `{other.name}` and `{column.name}` are both `{column.meaning.path}`"
    remedy = f'add --ignore "{column.name}" or --ignore "{other.name}"'
    return sheet_problem(sheet.file, message, remedy, 1, column.position)
