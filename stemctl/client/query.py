"""Queries of live records, for display and as the beginning of a manifest."""

from __future__ import annotations

import functools
import itertools
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stemctl.client.client import Query, ReadClient
from stemctl.client.listing import read_all
from stemctl.client.responses import NotFound
from stemctl.core.address_patterns import is_pattern
from stemctl.core.snapshot import Completeness, Reading
from stemctl.errors import ConfigError, Untouched
from stemctl.planning.declared import as_declared, as_list, shown_rows
from stemctl.planning.identity import is_plain
from stemctl.planning.values import elements
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value, is_uuid
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest

_TEXT_OPERATORS = frozenset({"contains", "startswith", "endswith"})
_ANY_CASE = frozenset(f"i{name}" for name in _TEXT_OPERATORS)
OPERATORS = _TEXT_OPERATORS | _ANY_CASE | {"iexact", "gt", "gte", "lt", "lte", "in"}


class QueryResult(Struct, frozen=True):
    """The result of a query: records, and whether these are all that match."""

    model: Model
    records: tuple[Fields, ...]
    complete: bool
    reason: str = ""
    single: bool = False
    names: Mapping[str, Mapping[str, str]] | None = None
    """The names of referenced records: model to id to name."""


def check_id(model: Model, word: str) -> None:
    """Refuse what is no id of a model, before it becomes a part of a URL.

    Raises:
        ConfigError: it is none.
    """
    if _is_id(model, word):
        return
    form = "a number" if model.integer_ids else "a UUID, like 5f7f1d0e-8a80-4d8e-9d3c-3f1b6c0f1a11"
    raise ConfigError(
        f"`{word}` is not an id.",
        f"The id of {model.one_of_them} is {form}.",
        [(f"stemctl get {model.name} -o json", "prints the ids of the records on the server")],
        untouched=Untouched.NOTHING_SENT,
    )


def _is_id(model: Model, word: str) -> bool:
    return bool(_NUMBER.fullmatch(word)) if model.integer_ids else is_uuid(word)


_NUMBER = late_pattern("[0-9]{1,18}", re.ASCII)
_LOOKUP = late_pattern(r"[a-z]\w*(\.[a-z]\w*)*", re.ASCII)
"""A field, with an operator or with fields of the record that it refers to."""


def make_query(
    model: Model, filters: Sequence[str], sort: Sequence[str], include: Sequence[str]
) -> Query:
    """The query of command options: `FIELD[.OP]=VALUE`, `[-]FIELD`, relations.

    Raises:
        ConfigError: an unknown field, operator or relation.
    """
    pairs = []
    for text in filters:
        left, equals, value = text.partition("=")
        name, _, operator = left.partition(".")
        if not equals:
            raise ConfigError(
                f"--filter {text} has no value.", "Write FIELD=VALUE or FIELD.OPERATOR=VALUE."
            )
        row = _field(model, name, "--filter")
        is_known = _LOOKUP.fullmatch(operator) if row.to else operator in OPERATORS
        if operator and not is_known:
            raise ConfigError(
                f"--filter {text}: unknown operator {operator!r}.",
                f"Known operators: {', '.join(sorted(OPERATORS))}.",
            )
        pairs.append((left, value))
    for key in sort:
        _field(model, key.removeprefix("-"), "--sort")
    for name in include:
        if not _field(model, name, "--include").to:
            raise ConfigError(f"--include {name}: this field of {model.name} is not a relation.")
    return Query(tuple(pairs), tuple(sort), tuple(include))


def _field(model: Model, name: str, option: str) -> Field:
    if name in model.fields:
        return model.fields[name]
    near = nearest(name, model.fields)
    why = f"Known fields: {', '.join(model.fields)}."
    if near:
        why = f"Did you mean {joined(near, 'or')}?"
    raise ConfigError(f"{option}: {model.name} has no field {name!r}.", why)


async def find(client: ReadClient, model: Model, word: str | None, query: Query) -> QueryResult:
    """All records that match, or the one with a name or id.

    Raises:
        NotFound: no such record exists, or this account may not see it.
    """
    if word is None:
        reading = await read_all(model.name, lambda offset: client.page(model, offset, query))
        complete = reading.completeness is Completeness.COMPLETE
        records = list(reading.records.values())
        if not query.sort and model.called is not None:
            records.sort(key=functools.partial(_by_name, model.called))
        return QueryResult(model, tuple(records), complete, reading.reason)
    if _is_id(model, word):
        record = await client.detail(model, word, query.include)
        return QueryResult(model, (record,), True, single=True)
    called = _called(model)
    if not called:
        check_id(model, word)
    last = [word.rpartition("/")[2]] if model.together_unique and "/" in word else []
    for field, name in itertools.product(called, [word, *last]):
        by_name = Query(((field, name), *query.filters), include=query.include)
        page = await client.page(model, 0, by_name)
        named = tuple(fields for fields in page.records if _has_name(model, fields, word))
        if named:
            return QueryResult(model, named, True, single=True)
    raise await _no_such_name(client, model, word)


def _called(model: Model) -> list[str]:
    """The fields that may hold the name of a record, or the last part of it."""
    last = [group[-1] for group in model.together_unique if not model.fields[group[-1]].to]
    return list(dict.fromkeys([*([model.called] if model.called else []), *last]))


def _has_name(model: Model, fields: Fields, word: str) -> bool:
    """Whether this is what a record is called. Values that are unique together may be joined; what
    a reference among them means is not looked up.
    """
    names = [fields.get(name) for name in _called(model)]
    last = word.rpartition("/")[2]
    for group in model.together_unique:
        values = [fields.get(name) for name in group if not model.fields[name].to]
        if len(values) < len(group) and values and values[-1] == last:
            return True
        names.append("/".join(map(str, values)))
    return word in names


async def _no_such_name(client: ReadClient, model: Model, word: str) -> NotFound:
    """The error about a name that no record has; it names those that look like it."""
    called = model.called or ""
    reading = await read_all(model.name, functools.partial(client.page, model))
    names = [str(fields.get(called)) for fields in reading.records.values()]
    text = max(re.split(r"[*?]", word), key=len)
    beginning = sorted(name for name in names if text and name.startswith(text))
    near = beginning[:3] or nearest(word, names)
    guess = joined([f"`{name}`" for name in near], "or")
    hints = [(f"stemctl get {model.name}", "lists those that you can see")]
    if text and (is_pattern(word) or beginning):
        operator = "startswith" if word.startswith(text) else "contains"
        option = shlex.quote(f"{called}.{operator}={text}")
        hints.insert(0, (f"stemctl get {model.name} --filter {option}", "lists what matches"))
    return NotFound(
        f"No {model.words} has the name {word!r}, or your account cannot see it.",
        f"Did you mean {guess}?" if near else "",
        hints,
    )


def _by_name(called: str, fields: Fields) -> tuple[str, str, str]:
    """The order in which people look for records: by name, whatever the case."""
    name = str(fields.get(called) or "")
    return name.casefold(), name, str(fields["id"])


async def with_names(client: ReadClient, found: QueryResult) -> QueryResult:
    """The result, with the names of the records that its fields refer to: those that are unique on
    the server. What files call a record is known to `takeover/reference_texts` alone.
    """
    names: dict[str, dict[str, str]] = {}
    for row in shown_rows(found.model):
        if row.to is None:
            continue
        target = client.catalog.models.get(row.to)
        wanted: set[str] = set()
        for fields in found.records:
            wanted.update(elements(row, as_list(fields.get(row.name))))
        if target is None or not wanted or not name_rows(target):
            continue
        reading = await read_all(target.name, functools.partial(client.page, target))
        names[target.name] = unambiguous_names(reading, target)
    return replace(found, names=names)


def unambiguous_names(
    reading: Reading, model: Model, rows: Sequence[str] | None = None
) -> dict[str, str]:
    """Id to name, without names that are not unique, or that a manifest would read otherwise."""
    rows = name_rows(model) if rows is None else rows
    names = {
        id_: "/".join(str(fields.get(name) or "") for name in rows)
        for id_, fields in reading.records.items()
    }
    counts = Counter(names.values())
    return {id_: name for id_, name in names.items() if counts[name] == 1 and is_plain(model, name)}


def name_rows(model: Model) -> tuple[str, ...]:
    """The fields whose values, joined, a reference may write; none if only an id will do."""
    if model.identity:
        return (model.identity,)
    groups = (g for g in model.together_unique if not any(model.fields[n].to for n in g))
    return next(groups, (model.label,) if model.label else ())


def declared(found: QueryResult) -> list[dict[str, Value]]:
    """The records as in a manifest: writable fields that are not empty, and references as names.

    Ids are only written where nothing that is unique on the server tells records apart, and keys
    where these records have no names that do.
    """
    names = Counter(name_of(found.model, fields) for fields in found.records)
    return [
        handles(found.model, fields, names) | as_declared(found.model, fields, found.names or {})
        for fields in found.records
    ]


def name_of(model: Model, fields: Fields) -> str:
    """What people call a record; empty if they do not."""
    name = fields.get(model.called or "")
    return name.strip() if isinstance(name, str) else ""


def handles(
    model: Model, fields: Fields, names: Mapping[str, int], *, inside: bool = False
) -> dict[str, Value]:
    """The key and id that a record needs beside others, whose `names` are counted. One `inside` its
    parent may have the key of that.
    """
    if model.embedded:
        return {}
    name = name_of(model, fields)
    has_key = names[name] == 1 and (bool(name) or inside)
    found: dict[str, Value] = {} if has_key else {"key": str(fields["id"])}
    if found or model.nameless:
        found["id"] = fields["id"]
    return found
