"""Parses a list request: `filter{}`, `sort[]`, `include[]` and page, to conditions on rows.

Pure.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from stemctl.sandbox.body_checks import is_links
from stemctl.sandbox.field_values import Invalid, instant
from stemctl.sandbox.replies import invalid
from stemctl.sandbox.storage import Sql, by_lookup, lookups
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

Parameters = Sequence[tuple[str, str]]

_STRUCTURES = {"map", "items", "json", "details", "members", "quantity", "rows", "numbers"}

_FILTER = late_pattern(r"filter\{([^}]*)\}")
_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100

# Not LIKE: it folds only ASCII, and reads % and _ as patterns.
_TEXT_OPERATORS: Mapping[str, Callable[[str, str], str]] = {
    "contains": lambda x, y: f"instr({x}, {y}) > 0",
    "exact": lambda x, y: f"{x} = {y}",
    "startswith": lambda x, y: f"substr({x}, 1, length({y})) = {y}",
    "endswith": lambda x, y: (
        f"length({x}) >= length({y}) AND substr({x}, length({x}) - length({y}) + 1) = {y}"
    ),
}
_ORDER_OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
OPERATORS = {*_TEXT_OPERATORS, *(f"i{name}" for name in _TEXT_OPERATORS), *_ORDER_OPERATORS, "in"}


class PageRange(Struct, frozen=True):
    """A part of a list."""

    limit: int
    offset: int


def page(parameters: Parameters) -> PageRange:
    """The requested part. A value that is not a number is ignored, and one out of bounds moved."""
    given = dict(parameters)
    return PageRange(
        limit=min(max(_integer(given.get("limit"), _DEFAULT_LIMIT), 1), _MAX_LIMIT),
        offset=max(_integer(given.get("offset"), 0), 0),
    )


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"[+-]?[0-9]{1,15}", text) else default


def includes(model: Model, parameters: Parameters) -> list[Field]:
    """The relations whose records are included in the reply.

    Unknown names are ignored: the official client requests relations that an edition may not have.
    """
    names = dict.fromkeys(
        value.removesuffix(".*")
        for key, value in parameters
        if key == "include[]" and value.endswith(".*")
    )
    return [field for name in names if (field := model.fields.get(name)) and field.to]


def order(model: Model, parameters: Parameters) -> str:
    """The ORDER BY clause. Records that are equal keep the order in which they were added.

    Raises:
        Refusal: 400, if a field does not exist or has no order.
    """
    terms = []
    for key, value in parameters:
        if key == "sort[]":
            name = value.removeprefix("-")
            field = _fields(model).get(name)
            if field is None or field.to or field.kind in {"list", *_STRUCTURES}:
                raise invalid([f"Invalid sort field: {name}"])
            terms.append(f"{_ordered(model, field, 0)}{' DESC' if value.startswith('-') else ''}")
    return ", ".join([*terms, "r0.position"])


def condition(catalog: Catalog, model: Model, parameters: Parameters) -> Sql:
    """All filters together.

    Raises:
        Refusal: 400 with a list of messages, if a filter names what the model does not have.
    """
    asked: dict[str, list[str]] = {}
    for key, value in parameters:
        if match := _FILTER.fullmatch(key):
            asked.setdefault(match[1], []).append(value)
    return Sql.every(_filter(catalog, model, name, found) for name, found in asked.items())


def _filter(catalog: Catalog, model: Model, name: str, values: list[str]) -> Sql:
    path = name.split(".")
    operator = path.pop() if len(path) > 1 and path[-1] in OPERATORS else "exact"
    found = _condition(catalog, model, path, operator, values, 0)
    if found is None:
        raise invalid([f"Invalid filter field: {name}"])
    return found


def _condition(
    catalog: Catalog, model: Model, path: list[str], operator: str, values: list[str], depth: int
) -> Sql | None:
    """The condition on row `r{depth}`; None if the path does not exist."""
    name = path[0]
    field = _fields(model).get(name)
    if field is None:
        return None
    if field.to:
        return _related(catalog, model, field, path[1:] or ["id"], operator, values, depth)
    if len(path) > 1 or field.kind in _STRUCTURES:
        return None
    if field.kind == "list":
        inner = _compare("e.value", field, operator, values)
        items = f"json_each(r{depth}.body, '$.\"{field.name}\"') AS e"
        return Sql(f"EXISTS (SELECT 1 FROM {items} WHERE {inner.text})", inner.values)
    if operator == "exact" and field.kind == "text" and all(values) and (name,) in lookups(model):
        found = (by_lookup(model, {name: value}, depth) for value in values)
        return Sql.every(found)
    column = _ordered if operator in _ORDER_OPERATORS else _column
    return _compare(column(model, field, depth), field, operator, values)


def _related(
    catalog: Catalog,
    model: Model,
    field: Field,
    path: list[str],
    operator: str,
    values: list[str],
    depth: int,
) -> Sql | None:
    """Records with a related record that satisfies the rest of the path."""
    target = catalog.models.get(field.to or "")
    row = f"r{depth + 1}"
    if field.reverse:
        relation = f"{field.to}.{field.reverse}"
        ours, found_by, theirs = f"r{depth}.id", "l.target", f"l.source = {row}.position"
    else:
        relation = f"{model.name}.{field.name}"
        ours, found_by, theirs = f"r{depth}.position", "l.source", f"l.target = {row}.id"
    # Not correlated, so that the references to one record are found without reading all rows.
    if path == ["id"] and not field.reverse:
        # The links are enough, also for models that the edition does not have.
        inner = _compare("l.target", field, operator, values)
        links = f"SELECT {found_by} FROM links AS l WHERE l.relation = ? AND {inner.text}"
        return Sql(f"{ours} IN ({links})", (relation, *inner.values))
    if target is None:
        return None
    found = _condition(catalog, target, path, operator, values, depth + 1)
    if found is None:
        return None
    links = f"SELECT {found_by} FROM links AS l JOIN records AS {row} ON {row}.model = ?"
    links += f" AND {theirs} WHERE l.relation = ? AND {found.text}"
    return Sql(f"{ours} IN ({links})", (target.name, relation, *found.values))


def _compare(column: str, field: Field, operator: str, values: list[str]) -> Sql:
    if operator == "in":
        return Sql(
            f"{column} IN (SELECT value FROM json_each(?))",
            (json.dumps([_typed(field, v) for v in values]),),
        )
    if operator in _ORDER_OPERATORS:
        return _each(f"{column} {_ORDER_OPERATORS[operator]} ?", field, values)
    if operator == "exact":
        return _each(f"{column} = ?", field, values)
    text = f"CAST({column} AS TEXT)"
    if operator in _TEXT_OPERATORS:
        sql = _TEXT_OPERATORS[operator](text, "?1")
    else:
        sql = _TEXT_OPERATORS[operator[1:]](f"fold({text})", "fold(?1)")
    return Sql.every(Sql(sql.replace("?1", "?"), (value,) * sql.count("?1")) for value in values)


def _each(text: str, field: Field, values: list[str]) -> Sql:
    return Sql.every(Sql(text, (_typed(field, value),)) for value in values)


def _typed(field: Field, value: str) -> Value:
    """The value of a parameter as the column stores it. Text that does not fit matches nothing."""
    try:
        if field.kind in {"number", "integer"}:
            number = float(value)
            return number if math.isfinite(number) else value
        if field.kind == "instant":
            return instant(value)
    except (ValueError, Invalid):
        return value
    if field.kind == "boolean":
        return {"true": 1, "1": 1, "false": 0, "0": 0}.get(value.lower(), value)
    return value.lower() if field.to or field.kind == "id" else value


def _ordered(model: Model, field: Field, depth: int) -> str:
    """A column with an order: ids are stored as text, also where they are numbers."""
    column = _column(model, field, depth)
    is_number = field.kind == "id" and model.integer_ids
    return f"CAST({column} AS INTEGER)" if is_number else column


def _column(model: Model, field: Field, depth: int) -> str:
    if field.kind == "id":
        return f"r{depth}.id"
    if field.name == model.identity:
        return f"r{depth}.identity"
    column = f"json_extract(r{depth}.body, '$.\"{field.name}\"')"
    if field.kind == "instant":  # a day alone is its midnight
        return f"(CASE WHEN length({column}) = 10 THEN {column} || 'T00:00:00Z' ELSE {column} END)"
    return column


def _fields(model: Model) -> dict[str, Field]:
    """The fields that a request may use: those that replies show."""
    return {
        name: f
        for name, f in model.fields.items()
        if f.shown and not f.proposal and not is_links(f)
    }
