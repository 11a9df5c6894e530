"""The cells of a table of live records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from stemctl.planning.declared import as_declared, as_list, shown_rows, written_value
from stemctl.planning.values import elements, is_empty, same
from stemctl.schema.detail_values import type_of
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.sheets.cells import SCALAR, cell_text, plain_number
from stemctl.sheets.columns import KEY, kind_member, part_field, parts_of
from stemctl.sheets.table_columns import Step, TableColumn
from stemctl.util.json_types import Fields, Value

Row = Sequence[str | int | float]
"""The cells of a record: texts, and plain numbers where a field holds numbers."""

LIST = Field("", "list", "Several values.", "")


class LiveRecords(Struct):
    """The records that columns lead to: of each model by id, with what they are called, and the
    keys that records have in the files.

    `unseen` are references to records that are not among those that were read.
    """

    records: Mapping[str, Mapping[str, Fields]]
    names: Mapping[str, Mapping[str, str]]
    keys: Mapping[str, str] = field(default_factory=dict)
    unseen: set[tuple[str, str]] = field(default_factory=set)
    _inside: dict[str, dict[str, list[Fields]]] = field(default_factory=dict)

    def follow(self, step: Step, record: Fields) -> Iterator[Fields]:
        """The records that a step leads to from one record."""
        model, row = step.model, step.field
        if row is None:
            yield from self._children(model, record)
            return
        for id_ in elements(row, as_list(record.get(row.name))):
            found = self.records[model.name].get(str(id_))
            if found is None:
                self.unseen.add((model.name, str(id_)))
            else:
                yield found

    def _children(self, model: Model, parent: Fields) -> Iterable[Fields]:
        """The records inside one, by date and name, with the type that their parent has."""
        if model.embedded:
            entries = parent.get(model.embedded.within) or ()
            children = in_order(model, (each for each in entries if isinstance(each, dict)))
        else:
            if model.name not in self._inside:
                self._inside[model.name] = self._by_parent(model)
            children = self._inside[model.name].get(str(parent.get("id")), [])
        types = {
            row.details.selector: parent.get(row.details.selector.rpartition(".")[2])
            for row in model.detailed
            if row.details and row.details.of_parent
        }
        return [{**child, **types} for child in children] if types else children

    def _by_parent(self, model: Model) -> dict[str, list[Fields]]:
        found: dict[str, list[Fields]] = {}
        for child in in_order(model, self.records[model.name].values()):
            parent = child.get(model.parent or "")
            id_ = parent.get("id") if isinstance(parent, dict) else parent
            found.setdefault(str(id_), []).append(child)
        return found

    def called(self, model: Model, record: Fields) -> str:
        """What a record is called: its name, the key that it has in the files, or its id."""
        id_ = str(record.get("id", ""))
        return self.names.get(model.name, {}).get(id_) or self.keys.get(id_) or id_


def in_order(model: Model, records: Iterable[Fields]) -> list[Fields]:
    """Records by date, then by what they are called, then by their order and type, so that a table
    does not depend on ids.
    """
    rows = [*model.moments, *([model.fields[model.called]] if model.called else [])]
    rows += [row for row in model.managed if row.kind == "integer"]
    rows += [row for row in model.managed if row.enum]
    return sorted(records, key=lambda record: [_sortable(record.get(row.name)) for row in rows])


def _sortable(value: Value) -> tuple[float, str]:
    is_number = isinstance(value, int | float)
    return (float(value), "") if is_number else (0.0, str(value or ""))


def default_columns(
    model: Model, records: Sequence[Fields], live: LiveRecords
) -> list[TableColumn]:
    """The fields that a manifest would have of any of these records, in the order of the table.

    Members are left out: files name those that they care about, and the server all of them.
    """
    declared = [as_declared(model, record, live.names) for record in records]
    columns = []
    if model.nameless and any(str(record.get("id")) in live.keys for record in records):
        columns.append(TableColumn(KEY, model))
    for row in shown_rows(model):
        values = [record[row.name] for record in declared if row.name in record]
        if values and row.kind != "members":
            columns += [
                TableColumn(
                    f"{row.name}.{part}" if part else row.name, model, row, part, as_written=True
                )
                for part in _flat_parts(row, values, records)
            ]
    return columns


def used_columns(
    columns: Sequence[TableColumn], rows: Sequence[Row]
) -> tuple[list[TableColumn], list[Row]]:
    """The columns that have a value in any row, and the rows without the others."""
    used = [at for at in range(len(columns)) if any(row[at] != "" for row in rows)]
    return [columns[at] for at in used], [[row[at] for at in used] for row in rows]


def _flat_parts(row: Field, values: Sequence[Value], records: Sequence[Fields]) -> Iterable[str]:
    """The parts of a field that have a column each; the empty part alone if it is one column.

    A field has one column, of JSON, if that of a part could not say all that there is.
    """
    if row.kind == "map":
        if all(isinstance(value, dict) and all(map(_is_plain, value.items())) for value in values):
            return sorted({name for value in values for name in value})
    elif row.details and not row.details.rows:
        known = parts_of(row)
        if all(_has_known_parts(row, record) for record in records):
            used = {name for value in values for name in value}
            return [name for name in known if name in used]
    elif kind := kind_member(row):
        pairs = [item for value in values for item in value]
        if all(isinstance(each, dict) and each.keys() == {kind, row.by} for each in pairs):
            kinds = [str(each) for each in row.members[kind].enum]
            used = {str(each[kind]) for each in pairs}
            if used <= set(kinds):
                return [each for each in kinds if each in used]
    return [""]


def _is_plain(item: tuple[str, Value]) -> bool:
    name, value = item
    has_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return has_text and name.isidentifier()


def _has_known_parts(row: Field, record: Fields) -> bool:
    value = record.get(row.name)
    if is_empty(row, value):
        return True
    type_ = type_of(row, record.get(row.details.selector)) if row.details else None
    return type_ is not None and isinstance(value, dict) and value.keys() <= type_.fields.keys()


def table_rows(
    columns: Sequence[TableColumn], records: Sequence[Fields], live: LiveRecords
) -> Iterator[Row]:
    """The cells of each record."""
    for record in records:
        yield [_cell(column, record, live) for column in columns]


def _cell(column: TableColumn, record: Fields, live: LiveRecords) -> str | int | float:
    if column.is_key:
        return cell_text(LIST, live.keys.get(str(record.get("id")), ""))
    found = [record]
    for step in column.steps:
        found = [other for each in found for other in live.follow(step, each)]
    if column.field is None:
        return _joined([live.called(column.model, each) for each in found])
    values = [_value(column, column.field, each, live) for each in found]
    if any(step.may_be_many for step in column.steps):
        return _joined([value for _, value in values])
    row, value = values[0] if values else (SCALAR, None)
    if column.as_written and _is_default(row, value):
        return ""
    if row.kind in {"number", "integer"} and isinstance(value, int | float):
        return _number(value)
    return cell_text(row, value)


def _is_default(row: Field, value: Value) -> bool:
    return row.default is not None and not row.required and same(row, value, row.default)


def _number(value: float) -> str | int | float:
    number = plain_number(value)
    return str(number) if isinstance(number, bool) else number


def _joined(values: Iterable[Value]) -> str:
    """Values of several records as one list, each of them once."""
    texts: dict[str, None] = {}
    for value in values:
        for each in value if isinstance(value, list) else [value]:
            if each not in (None, "", {}):
                is_text = isinstance(each, str)
                text = each if is_text else json.dumps(plain_number(each), ensure_ascii=False)
                texts[text] = None
    return cell_text(LIST, list(texts))


def _value(
    column: TableColumn, row: Field, record: Fields, live: LiveRecords
) -> tuple[Field, Value]:
    """The value of a field, or of a part of it, and the field that says what its cells are."""
    raw = record.get(row.name)
    if is_empty(row, raw):
        return row, None
    value = written_value(row, raw, live.names, record)
    if row.to and not live.names.get(row.to):
        value = _keys(value, live)
    if not column.part:
        return row, value
    return _part(row, column.part, value, record)


def _keys(value: Value, live: LiveRecords) -> Value:
    if isinstance(value, list):
        return [live.keys.get(str(each), each) for each in value]
    return live.keys.get(str(value), value)


def _part(row: Field, part: str, value: Value, record: Fields) -> tuple[Field, Value]:
    if row.kind == "members" and isinstance(value, dict) and part in row.members:
        has = [
            who for who, rights in value.items() if isinstance(rights, dict) and rights.get(part)
        ]
        return LIST, has
    if isinstance(value, list):
        items = [item for item in value if isinstance(item, dict)]
        kind = kind_member(row)
        if kind and part not in row.members:
            return LIST, [item.get(row.by or "") for item in items if item.get(kind) == part]
        return LIST, [item[part] for item in items if item.get(part) not in (None, "")]
    if row.details:
        inner = part_field(row, part, record.get(row.details.selector))
        return inner or SCALAR, _dig(value, part)
    return SCALAR, _dig(value, part)


def _dig(value: Value, part: str) -> Value:
    """A member of an object; dots lead into objects inside it."""
    if isinstance(value, dict) and part in value:
        return value[part]
    first, dot, rest = part.partition(".")
    return _dig(value.get(first), rest) if dot and isinstance(value, dict) else None
