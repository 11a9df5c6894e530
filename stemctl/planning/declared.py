"""What a record declares, and a live record as a manifest would declare it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from stemctl.core.records import Record
from stemctl.planning.values import assemble, elements, is_empty
from stemctl.schema.catalog import Field, Model
from stemctl.util.json_types import Fields, Value


def written_rows(model: Model, record: Record) -> list[Field]:
    """The fields that a record writes, in the order of the table."""
    return [row for row in model.managed if row.name in record.fields]


def base_of(model: Model, record: Record) -> Fields:
    """What becomes the base of a record: all that it writes but what only a proposal holds."""
    return {
        row.name: record.fields[row.name] for row in written_rows(model, record) if not row.proposal
    }


def as_declared(
    model: Model, fields: Fields, names: Mapping[str, Mapping[str, str]], keep: Collection[str] = ()
) -> dict[str, Value]:
    """The writable fields that are not empty, or that are in `keep`; references as names where
    these are known.

    `names` maps model to id to name.
    """
    record: dict[str, Value] = {}
    for row in model.managed:
        value = fields.get(row.name)
        if row.proposal or (is_empty(row, value) and row.name not in keep):
            continue
        if is_empty(row, value):
            value = row.empty
        elif row.to:
            known = names.get(row.to, {})
            ids = [known.get(str(id_), id_) for id_ in elements(row, as_list(value))]
            value = ids if row.kind == "references" else ids[0]
        elif row.merges:
            value = assemble(row, elements(row, value))
        record[row.name] = value
    return record


def as_list(value: Value) -> Value:
    """One reference or several, as several."""
    return value if isinstance(value, list) else [] if value is None else [value]
