"""Copies of records, with those inside them: as they are written, and moved to another day."""

from __future__ import annotations

import copy
from collections.abc import Set

from stemctl.commands.set import written_value
from stemctl.core.records import Address
from stemctl.manifests.moved_dates import shifted
from stemctl.manifests.record_keys import record_key
from stemctl.manifests.sources import Sources
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Value

_ID = "id"


def copied(files: Sources, address: Address) -> dict[str, Value]:
    """A record as it is written, without ids and without what its embedded lists hold."""
    model = files.catalog.models[address.model]
    return _without_ids(copy.deepcopy(dict(files.written(address))), model, files.catalog)


def _without_ids(record: dict[str, Value], model: Model, catalog: Catalog) -> dict[str, Value]:
    record.pop(_ID, None)
    for child in catalog.children(model):
        inner = record.get(child.section)
        if child.embedded is not None:
            record.pop(child.section, None)
        elif isinstance(inner, list):
            record[child.section] = [_without_ids(one, child, catalog) for one in inner]
    return record


def fill(files: Sources, values: dict[str, Value], address: Address, given: Set[str]) -> None:
    """Write what a record has from defaults, which are others in another file."""
    model = files.catalog.models[address.model]
    declared = files.repository.records[address].fields
    for row in model.managed:
        if row.name in declared and row.name not in given and row.name != model.parent:
            values[row.name] = written_value(files, address, model, row.name)
    for child in files.catalog.children(model):
        copies, old = values.get(child.section), files.written(address).get(child.section)
        if isinstance(copies, list) and isinstance(old, list):
            for one, written in zip(copies, old, strict=True):
                key = record_key(written, child, address.key) or ""
                fill(files, one, Address(child.name, key), frozenset())


def shift(
    values: dict[str, Value], model: Model, catalog: Catalog, change: tuple[str, str]
) -> None:
    """Move the dates of children that lie on the old day of the record along with it."""
    for child in catalog.children(model):
        inner = values.get(child.section)
        for one in inner if isinstance(inner, list) else ():
            for row in child.moments:
                if isinstance(one.get(row.name), str):
                    one[row.name] = shifted(one[row.name], *change)
            shift(one, child, catalog, change)
