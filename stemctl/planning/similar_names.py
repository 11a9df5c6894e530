"""New names that are nearly those of live records, likely by mistake."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import Action, Change
from stemctl.core.snapshot import Snapshot
from stemctl.planning.identity import Key, identity_fields, keys_of
from stemctl.planning.values import same
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


def similar_names(
    changes: Iterable[Change], snapshot: Snapshot, catalog: Catalog
) -> Iterator[Diagnostic]:
    """A warning for each new name that differs from a live one only in case or Unicode form."""
    creates = [
        (change, change.request.body or {})
        for change in changes
        if change.action is Action.CREATE and change.request is not None
    ]
    live = _live_by_folded_key(snapshot, catalog) if creates else {}
    for change, body in creates:
        model = catalog.models[change.address.model]
        for key in keys_of(model, body):
            other = live.get((model.name, _folded(key)))
            if other is not None and other[0] != key:
                yield _name_case(change, model, body, other[1])
                break


def _live_by_folded_key(
    snapshot: Snapshot, catalog: Catalog
) -> dict[tuple[str, Key], tuple[Key, Fields]]:
    found = {}
    for name, reading in snapshot.readings.items():
        model = catalog.models[name]
        for fields in reading.records.values():
            for key in keys_of(model, fields):
                found[name, _folded(key)] = key, fields
    return found


def _folded(key: Key) -> Key:
    """A key in which case and spelling do not count."""
    if isinstance(key, str):
        return unicodedata.normalize("NFKC", key).casefold()
    return tuple(_folded(part) if isinstance(part, str) else part for part in key)


def _name_case(change: Change, model: Model, body: Fields, other: Fields) -> Diagnostic:
    name = next(
        name
        for name in sorted(identity_fields(model))
        if not same(model.fields[name], body.get(name), other.get(name))
    )
    return Diagnostic(
        Severity.WARNING,
        "name-case",
        f'the server has "{other.get(name)}", which differs from this {name} '
        "only in case or spelling",
        location=change.location,
        remedy=f"if it is the same record, write {other.get(name)}",
        address=str(change.address),
        field=name,
        value=body.get(name),
    )
