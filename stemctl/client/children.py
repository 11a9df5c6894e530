"""The records inside others, read for a manifest: `get subject --include procedures -o yaml`."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from stemctl.client import query
from stemctl.client.client import Query, ReadClient
from stemctl.client.listing import read_all
from stemctl.client.query import QueryResult
from stemctl.core.snapshot import Completeness
from stemctl.planning.declared import as_declared
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


class Wanted(Struct):
    """The models whose records are wanted inside those of another one, by list key."""

    inside: dict[str, tuple[Model, Wanted]] = field(default_factory=dict)


class Children(Struct, frozen=True):
    """The records of a model by the id of their parent, and those inside them."""

    model: Model
    by_parent: Mapping[str, Sequence[Fields]]
    names: Mapping[str, Mapping[str, str]]
    inside: Sequence[Children]
    complete: bool = True


def split(catalog: Catalog, model: Model, include: Iterable[str]) -> tuple[tuple[str, ...], Wanted]:
    """The relations of `--include`, and the lists of records inside a record, `a.b` for deeper
    ones. A relation that the server calls otherwise than manifests do has both names.
    """
    relations, wanted = [], Wanted()
    for words in include:
        at, holder, is_child = wanted, model, False
        for word in words.split("."):
            child = _child(catalog, holder, word)
            if child is None:
                is_child = False
                break
            at = at.inside.setdefault(child.section, (child, Wanted()))[1]
            holder, is_child = child, True
        if not is_child:
            relations.append(words)
    return tuple(relations), wanted


def relation(catalog: Catalog, model: Model, word: str) -> str:
    """The name by which the server includes a list of records."""
    child = catalog.child(model, word)
    names = [row.name for row in model.fields.values() if child and row.to == child.name]
    return names[0] if names else word


def _child(catalog: Catalog, model: Model, word: str) -> Model | None:
    row = model.fields.get(word)
    for child in catalog.children(model):
        if child.section == word or (row and row.read_only and row.to == child.name):
            return child
    return None


async def read(client: ReadClient, found: QueryResult, wanted: Wanted) -> tuple[Children, ...]:
    """The wanted records inside those that were found."""
    children = [
        await _read(client, found.records, child, inside)
        for child, inside in wanted.inside.values()
    ]
    return tuple(children)


async def _read(
    client: ReadClient, parents: Sequence[Fields], model: Model, wanted: Wanted
) -> Children:
    by_parent: dict[str, list[Fields]] = {str(parent["id"]): [] for parent in parents}
    complete = True
    if model.embedded:
        for parent in parents:
            entries = parent.get(model.embedded.within) or []
            by_parent[str(parent["id"])] += [one for one in entries if isinstance(one, dict)]
    else:
        # One list of all takes fewer requests than one list for each of many parents.
        only = ((str(model.parent), next(iter(by_parent))),) if len(by_parent) == 1 else ()
        page = functools.partial(_page, client, model, Query(only))
        reading = await read_all(model.name, page)
        complete = reading.completeness is Completeness.COMPLETE
        for fields in reading.records.values():
            by_parent.get(_parent_of(model, fields), []).append(fields)
    records = tuple(fields for rows in by_parent.values() for fields in rows)
    named = await query.with_names(client, QueryResult(model, records, complete))
    inside = await read(client, named, wanted)
    return Children(model, by_parent, named.names or {}, inside, complete)


async def _page(client: ReadClient, model: Model, asked: Query, offset: int) -> Value:
    return await client.page(model, offset, asked)


def _parent_of(model: Model, fields: Fields) -> str:
    parent = fields.get(model.parent or "")
    return str(parent.get("id") if isinstance(parent, dict) else parent)


def all_complete(children: Iterable[Children]) -> bool:
    """Whether nothing is missing from the lists."""
    return all(one.complete and all_complete(one.inside) for one in children)


def nested(parent: Fields, children: Iterable[Children]) -> dict[str, Value]:
    """The lists inside one record, as a manifest has them. An empty list is left out."""
    found: dict[str, Value] = {}
    for one in children:
        siblings = one.by_parent.get(str(parent.get("id")), ())
        names = Counter(query.name_of(one.model, fields) for fields in siblings)
        rows = [
            {
                **query.handles(one.model, fields, names, inside=True),
                **_written(one, fields, parent),
                **nested(fields, one.inside),
            }
            for fields in siblings
        ]
        if rows:
            found[one.model.section] = rows
    return found


def _written(children: Children, fields: Fields, parent: Fields) -> dict[str, Value]:
    """The fields of a record, but the reference to its parent: its place says that."""
    types = {
        row.details.selector: parent.get(row.details.selector.rpartition(".")[2])
        for row in children.model.detailed
        if row.details and row.details.of_parent
    }
    written = as_declared(children.model, {**fields, **types}, children.names)
    return {name: value for name, value in written.items() if name != children.model.parent}
