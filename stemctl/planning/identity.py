"""What tells the records of a model apart: a unique field, or several fields that are unique
together, with references among them by id. And what to ask a server for to find a record.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

from stemctl.core.snapshot import Lookup, Reading
from stemctl.planning.values import canonical
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value, is_uuid
from stemctl.util.plural import joined
from stemctl.util.safe_text import has_unseen

Key = str | tuple[Value, ...]
"""A unique name, or the values that are unique together behind the number of their group."""

Resolve = Callable[[Field, Value], Value]


def identity_of(model: Model, fields: Fields) -> str | None:
    """The value of the unique field, as the server stores it; None if the record has none."""
    if model.identity is None:
        return None
    name = fields.get(model.identity)
    if not isinstance(name, str):
        return None
    identity: str | None = canonical(model.fields[model.identity], name)
    return identity


def keys_of(
    model: Model, fields: Fields, resolve: Resolve = lambda row, value: value
) -> tuple[Key, ...]:
    """All that tells a record apart from others. `resolve` turns references into ids."""
    if model.identity is not None:
        name = identity_of(model, fields)
        return () if name is None else (name,)
    keys = []
    for number, group in enumerate(model.together_unique):
        rows = [model.fields[name] for name in group]
        parts = [canonical(row, resolve(row, fields.get(row.name))) for row in rows]
        if all(parts):
            keys.append((number, *map(str, parts)))
    return tuple(keys)


def unique_groups(model: Model) -> tuple[tuple[str, ...], ...]:
    """The fields that are unique together; of most models one field alone."""
    return model.together_unique if model.identity is None else ((model.identity,),)


def identity_fields(model: Model) -> frozenset[str]:
    """The fields that are unique, alone or together."""
    return frozenset(name for group in unique_groups(model) for name in group)


def live_keys(model: Model, records: Mapping[str, Fields]) -> dict[Key, list[str]]:
    """The keys of records, each with their ids (a sound server gives one)."""
    found: dict[Key, list[str]] = {}
    for id_, fields in records.items():
        for key in keys_of(model, fields):
            found.setdefault(key, []).append(id_)
    return found


def identity_words(model: Model) -> str:
    """What has to be unique, in words: `name`, `project and name`."""
    groups = unique_groups(model)
    return joined(groups[0]) if groups else "name"


def is_id(model: Model | None, text: str) -> bool:
    """Whether a reference to a model means a record by its id."""
    if model is not None and model.integer_ids:
        return text.isascii() and text.isdigit()
    return is_uuid(text)


def is_plain(model: Model | None, name: str) -> bool:
    """Whether a reference can be written by this name: an id means a record by its id."""
    return name == name.strip() != "" and not is_id(model, name) and not has_unseen(name)


def lookups_of(model: Model, fields: Fields) -> frozenset[Lookup] | None:
    """What to ask for to find the record with these fields, as far as no id has to be known.

    None: only a list of all records shows it.
    """
    if model.identity is not None:
        name = fields.get(model.identity)
        return frozenset({name.strip()}) if isinstance(name, str) else frozenset()
    if not model.together_unique:
        return None
    found: set[Lookup] = set()
    for group in model.together_unique:
        filters = _plain(model, group, [fields.get(name) for name in group])
        if not filters:
            return None
        found.add(filters)
    return frozenset(found)


def lookups_for(model: Model, text: str) -> frozenset[Lookup] | None:
    """What to ask for to find the record that a reference means. None: all records are needed."""
    if model.identity is not None:
        return frozenset({text})
    if model.nameless:
        return frozenset({((model.label, text),)} if model.label else ())
    found: set[Lookup] = set()
    for group in model.together_unique:
        for parts in splits(text, len(group)):
            filters = _plain(model, group, list(parts))
            if not filters:
                return None
            found.add(filters)
        if not model.fields[group[-1]].to:
            found.add(((group[-1], text),))
    return frozenset(found)


def _plain(
    model: Model, group: tuple[str, ...], values: list[Value]
) -> tuple[tuple[str, str], ...]:
    """The values of a group by field, without the references: those are known by id only."""
    pairs = zip(group, values, strict=True)
    return tuple(
        (name, value.strip())
        for name, value in pairs
        if isinstance(value, str) and not model.fields[name].to
    )


def splits(text: str, number: int) -> Iterator[tuple[str, ...]]:
    """All ways to read a text as so many parts with slashes between them."""
    words = text.split("/")
    for cuts in itertools.combinations(range(1, len(words)), number - 1):
        ends = (0, *cuts, len(words))
        parts = tuple("/".join(words[a:b]) for a, b in itertools.pairwise(ends))
        if all(parts):
            yield parts


def is_searched(model: Model, reading: Reading, text: str) -> bool:
    """Whether a reading has all records that a reference may mean."""
    if model.identity is not None:
        return reading.lacks(text)
    lookups = lookups_for(model, text)
    return reading.has_all(lookups)
