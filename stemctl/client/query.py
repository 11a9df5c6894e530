"""Records as the server has them: to look at, and as a manifest to begin from."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stemctl.client.client import Query, ReadClient
from stemctl.client.listing import read_all
from stemctl.client.responses import NotFound
from stemctl.core.snapshot import Completeness, Reading
from stemctl.errors import ConfigError
from stemctl.planning.declared import as_declared, as_list
from stemctl.planning.values import elements
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.json_types import Fields, Value, is_uuid
from stemctl.util.suggest import nearest

_TEXT_OPERATORS = ("contains", "startswith", "endswith")
OPERATORS = frozenset(
    [
        *_TEXT_OPERATORS,
        *(f"i{o}" for o in _TEXT_OPERATORS),
        "iexact",
        "gt",
        "gte",
        "lt",
        "lte",
        "in",
    ]
)


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What was asked for: records, whether all that match, and the names of what they refer to."""

    model: Model
    records: tuple[Fields, ...]
    complete: bool
    reason: str = ""
    single: bool = False
    names: Mapping[str, Mapping[str, str]] | None = None
    """Model to id to name."""


def find_model(catalog: Catalog, word: str) -> Model:
    """The model that a word means.

    Raises:
        ConfigError: none, with the nearest.
    """
    model = catalog.find(word)
    if model is not None:
        return model
    near = nearest(word, [m.name for m in catalog.models.values()])
    raise ConfigError(
        f"Edition {catalog.edition} has no model {word!r}.",
        f"It has {', '.join(catalog.models)}." + (f" Nearest: {', '.join(near)}." if near else ""),
    )


def make_query(
    model: Model, filters: Sequence[str], sort: Sequence[str], include: Sequence[str]
) -> Query:
    """The query that options mean: `FIELD[.OP]=VALUE`, `[-]FIELD`, relations.

    Raises:
        ConfigError: a field, operator or relation that the model does not have.
    """
    pairs = []
    for text in filters:
        left, equals, value = text.partition("=")
        name, _, operator = left.partition(".")
        if not equals:
            raise ConfigError(
                f"--filter {text} has no value.", "Write it as FIELD=VALUE or FIELD.OPERATOR=VALUE."
            )
        row = _field(model, name, "--filter")
        if operator and operator not in OPERATORS and not row.to:
            raise ConfigError(
                f"--filter {text}: there is no operator {operator!r}.",
                f"There are {', '.join(sorted(OPERATORS))}.",
            )
        pairs.append((left, value))
    for key in sort:
        _field(model, key.removeprefix("-"), "--sort")
    for name in include:
        if not _field(model, name, "--include").to:
            raise ConfigError(f"--include {name}: it is no relation of {model.name}.")
    return Query(tuple(pairs), tuple(sort), tuple(include))


def _field(model: Model, name: str, option: str) -> Field:
    if name in model.fields:
        return model.fields[name]
    near = nearest(name, model.fields)
    why = f"Nearest: {', '.join(near)}." if near else f"It has {', '.join(model.fields)}."
    raise ConfigError(f"{option}: {model.name} has no field {name!r}.", why)


async def find(client: ReadClient, model: Model, word: str | None, query: Query) -> QueryResult:
    """All records that match, or the one of a name or id.

    Raises:
        NotFound: there is no record of that name or id to see.
    """
    if word is None:
        reading = await read_all(model.name, lambda offset: client.page(model, offset, query))
        complete = reading.completeness is Completeness.COMPLETE
        return QueryResult(model, tuple(reading.records.values()), complete, reading.reason)
    if is_uuid(word):
        return QueryResult(
            model, (await client.detail(model, word, query.include),), True, single=True
        )
    assert model.identity is not None
    by_name = Query(((model.identity, word), *query.filters), include=query.include)
    page = await client.page(model, 0, by_name)
    records = tuple(fields for fields in page.records if fields.get(model.identity) == word)
    if not records:
        raise NotFound(
            f"There is no {model.words} {word!r}, or it is hidden from you.",
            hints=[(f"stemctl get {model.name}", "lists those you can see")],
        )
    return QueryResult(model, records, True, single=True)


async def with_names(client: ReadClient, found: QueryResult) -> QueryResult:
    """The same with the names of everything that its writable fields refer to."""
    names: dict[str, dict[str, str]] = {}
    for row in found.model.references:
        target = client.catalog.models.get(row.to or "")
        wanted = {
            id_ for fields in found.records for id_ in elements(row, as_list(fields.get(row.name)))
        }
        if target is None or not target.identity or not wanted:
            continue
        reading = await read_all(target.name, functools.partial(client.page, target))
        names[target.name] = _unambiguous(reading, target)
    return QueryResult(
        found.model, found.records, found.complete, found.reason, found.single, names
    )


def _unambiguous(reading: Reading, model: Model) -> dict[str, str]:
    """Id to name, without names that several records have."""
    names = {id_: str(fields.get(model.identity or "")) for id_, fields in reading.records.items()}
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    return {id_: name for id_, name in names.items() if counts[name] == 1}


def declared(found: QueryResult) -> list[dict[str, Value]]:
    """The records as a manifest declares them: writable fields that are not empty, references as
    names, the id only where a name does not tell records apart.
    """
    model = found.model
    identities = [fields.get(model.identity) for fields in found.records] if model.identity else []
    return [
        _declare(
            found,
            fields,
            model.identity is None or identities.count(fields.get(model.identity)) > 1,
        )
        for fields in found.records
    ]


def _declare(found: QueryResult, fields: Fields, with_id: bool) -> dict[str, Value]:
    identity: dict[str, Value] = {"key": fields["id"], "id": fields["id"]} if with_id else {}
    return identity | as_declared(found.model, fields, found.names or {})
