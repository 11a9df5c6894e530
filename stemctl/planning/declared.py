"""What a record declares, and a live record as a manifest would declare it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from stemctl.core.records import Record
from stemctl.planning.values import assemble, elements, is_empty
from stemctl.schema.detail_values import as_written, type_of
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


def written_rows(model: Model, record: Record) -> list[Field]:
    """The fields that a record writes, in the order of the table."""
    return [row for row in model.managed if row.name in record.fields]


def base_of(model: Model, record: Record) -> Fields:
    """What becomes the base of a record: all that it writes, except what only a proposal holds."""
    return {
        row.name: record.fields[row.name] for row in written_rows(model, record) if not row.proposal
    }


def shown_rows(model: Model) -> tuple[Field, ...]:
    """The fields of a record to show: the writable ones, or if there are none, all with values."""
    if model.managed:
        return model.managed
    rows = model.fields.values()
    return tuple(row for row in rows if row.shown and not row.is_links and row.kind != "id")


def as_declared(
    model: Model, fields: Fields, names: Mapping[str, Mapping[str, str]], keep: Collection[str] = ()
) -> dict[str, Value]:
    """The writable fields that are not empty or are in `keep`, with references as names if known.

    Of a model without writable fields, those that can be read. `names` maps model to id to name.
    """
    record: dict[str, Value] = {}
    for row in shown_rows(model):
        value = fields.get(row.name)
        if row.proposal:
            continue
        if not is_empty(row, value):
            record[row.name] = written_value(row, value, names, fields)
        elif row.name in keep:
            record[row.name] = row.empty
    return record


def written_value(
    row: Field, value: Value, names: Mapping[str, Mapping[str, str]], fields: Fields
) -> Value:
    """A value of a live record as a manifest writes it; it is not empty."""
    if row.details:
        return as_written(type_of(row, fields.get(row.details.selector)), value)
    if row.to:
        known = names.get(row.to, {})
        written = [known.get(str(id_), id_) for id_ in elements(row, as_list(value))]
        return written if row.kind == "references" else written[0]
    return assemble(row, elements(row, value)) if row.merges else value


def as_list(value: Value) -> list[Value]:
    """One reference, or several, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
