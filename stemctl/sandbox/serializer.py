"""Serialises rows: records with computed fields, envelopes, included records and page data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from stemctl.sandbox.body_checks import is_links
from stemctl.sandbox.calls import Call
from stemctl.sandbox.list_query import PageRange
from stemctl.sandbox.storage import Row, Storage, targets
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

_PAGING = late_pattern(r"limit|offset")
_UNSET: Any = object()


def records(storage: Storage, model: Model, rows: Sequence[Row]) -> list[dict[str, Value]]:
    """The records with fields in table order, and the lists that other records fill."""
    shown = [f for f in model.fields.values() if f.shown and not f.proposal]
    ids = [row.id for row in rows]
    fed = {f.name: storage.referring(f"{f.to}.{f.reverse}", ids) for f in shown if f.reverse}
    numbers = _with_numbers(storage, model, shown)
    links = [f.name for f in shown if is_links(f)]
    done = []
    for row in rows:
        record = {
            f.name: fed[f.name].get(row.id, []) if f.reverse else _value(f, row) for f in shown
        }
        for name in numbers:
            record[name] = _number(record[name])
        for name in links:
            record[name] = {f.name: f"{f.name}/" for f in shown if f.to and record[f.name]}
        done.append(record)
    return done


def _value(field: Field, row: Row) -> Value:
    if field.kind == "id":
        return row.id
    value = row.body.get(field.name, _UNSET)
    if value is _UNSET:
        value = field.empty  # found out each time, which takes longer than all of the rest
    if field.kind == "items" and value:
        return [_spelled(field, item) for item in value]
    # The service returns an empty list for an empty map.
    return [] if field.kind == "map" and not value else value


def _spelled(field: Field, item: dict[str, Value]) -> dict[str, Value]:
    """An object with the keys of this edition: one of another may have stored it."""
    if item.keys() <= field.members.keys():
        return item
    known = {name.lower(): name for name in field.members}
    return {known.get(key.lower(), key): value for key, value in item.items()}


def _with_numbers(storage: Storage, model: Model, shown: Sequence[Field]) -> list[str]:
    """The fields with ids that are integers."""

    def has_numbers(field: Field) -> bool:
        if field.kind == "id":
            return model.integer_ids
        target = storage.catalog.models.get(field.to or "")
        return target is not None and target.integer_ids

    return [field.name for field in shown if has_numbers(field)]


def _number(value: Value) -> Value:
    if isinstance(value, list):
        return list(map(int, value))
    return None if value is None else int(value)


def one(call: Call, model: Model, row: Row, included: Iterable[Field] = ()) -> dict[str, Value]:
    """The envelope of a single record."""
    found = records(call.storage, model, [row])
    return {model.one: found[0], **_beside(call, model, found, included)}


def many(
    call: Call,
    model: Model,
    rows: Sequence[Row],
    included: Iterable[Field],
    page: PageRange,
    total: int,
) -> dict[str, Value]:
    """The envelope of a list. The records come first: a client may read the first array."""
    found = records(call.storage, model, rows)
    return {
        model.many: found,
        **_beside(call, model, found, included),
        **_totals(call, page, total),
    }


def _beside(
    call: Call, model: Model, found: list[dict[str, Value]], included: Iterable[Field]
) -> dict[str, Value]:
    """Included records by list key, each once. Those of the same model are under `+KEY`."""
    beside: dict[str, dict[str, Value]] = {}
    for field in included:
        target = call.storage.catalog.models.get(field.to or "")
        if target is None:
            continue
        ids = {id_ for record in found for id_ in targets(field, record)}
        if target.name == model.name:
            ids -= {str(record["id"]) for record in found}
        rows = call.storage.rows_by_id(target, ids, call.viewer.sees(target))
        key = target.many if target.many != model.many else f"+{target.many}"
        beside.setdefault(key, {}).update({r["id"]: r for r in records(call.storage, target, rows)})
    return {key: list(by_id.values()) for key, by_id in beside.items()}


def _totals(call: Call, page: PageRange, total: int) -> dict[str, Value]:
    number, pages = page.offset // page.limit + 1, max(1, -(-total // page.limit))
    links: dict[str, Value] = {"count": total, "next": None, "previous": None}
    if page.offset + page.limit < total:
        links["next"] = _page_url(call, page, page.offset + page.limit)
    if page.offset:
        links["previous"] = _page_url(call, page, max(0, page.offset - page.limit))
    meta: dict[str, Value] = {
        "meta": {
            "total_results": total,
            "total_pages": pages,
            "page": number,
            "per_page": page.limit,
        }
    }
    return {"both": {**links, **meta}, "meta": meta, "count": links, "none": {}}[call.totals]


def _page_url(call: Call, page: PageRange, offset: int) -> str:
    kept = [(key, value) for key, value in call.parameters if not _PAGING.fullmatch(key)]
    return f"{call.url}?{urlencode([*kept, ('limit', page.limit), ('offset', offset)])}"
