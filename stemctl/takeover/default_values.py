"""The defaults of new records: what they have from those that are there, and what new ones say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from stemctl.manifests.layers import merged
from stemctl.planning.values import assemble, canonical, elements
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.takeover.rows import NewFile, Row
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value

_FEWEST = 3
"""Records that must share a value before it becomes a default: two are quicker to read in full."""

_ABSENT: Value = object()


def under_defaults(catalog: Catalog, row: Row, defaults: Mapping[str, Fields]) -> Row:
    """The record as it has to be written where these defaults apply, by list key: without what they
    say, and with `no_defaults` for what they must not add. So are the records inside it.
    """
    for one in row.walk():
        layer = defaults.get(one.model.section)
        if layer and not one.model.embedded:
            _under(one, layer, is_inside=one is not row)
    return row


def has_to_refuse(model: Model, fields: Fields, layer: Fields) -> bool:
    """Whether a record with these fields could only be written with `no_defaults`."""
    return any(
        _left(model.fields[name], fields[name], below) is None
        for name, below in layer.items()
        if name in fields and not _is_of_other_type(model.fields[name], fields, layer)
    )


def _under(row: Row, layer: Fields, is_inside: bool) -> None:
    given, refused = dict(row.fields), []
    for name, below in layer.items():
        rule = row.model.fields.get(name)
        if rule is None or (is_inside and name == row.model.parent):
            continue  # `lifecycle`, or a reference that the place of the record decides about
        if _is_of_other_type(rule, given, layer):
            continue
        value = _left(rule, given.get(name, _ABSENT), below)
        if value is None:
            refused.append(name)
        elif value is _ABSENT:
            row.fields.pop(name, None)
        else:
            row.fields[name] = value
    if given and not row.fields:
        row.fields.update([next(iter(given.items()))])  # so that there is something to read
    if refused:
        row.fields["lifecycle"] = {"no_defaults": refused}


def _is_of_other_type(rule: Field, given: Fields, layer: Fields) -> bool:
    """Whether a field has details of another type than those of the defaults."""
    if rule.details is None or rule.details.of_parent:
        return False
    own = given.get(rule.details.selector)
    return own is not None and own != layer.get(rule.details.selector)


def _left(rule: Field, value: Value, below: Value) -> Value:
    """What a record has to say of a field to have a value over that of the defaults: nothing
    (`_ABSENT`), or a part of it. None: the default must not apply.
    """
    if value is _ABSENT:
        return None
    if same_json(value, below):
        return _ABSENT
    if not rule.merges:
        return value
    known = elements(rule, below)
    own = elements(rule, value)
    parts = {k: v for k, v in own.items() if k not in known or not same_json(v, known[k])}
    left = assemble(rule, parts)
    whole = merged(rule, below, left) if parts else below
    if not same_json(canonical(rule, whole), canonical(rule, value)):
        return None
    return left if parts else _ABSENT


def lift(new: NewFile) -> None:
    """Make defaults of what most records of a file share, and take it out of them.

    Sets, maps and details are defaults only if all records have them alike, since they would be
    merged. No record gets a value that it does not have.
    """
    sections: dict[str, list[Row]] = {}
    for row in new.rows():
        if not row.model.embedded:
            sections.setdefault(row.model.section, []).append(row)
    for key, rows in sections.items():
        values = _shared(rows)
        first = next(iter(values), "")
        for row in rows:
            for name, value in values.items():
                if same_json(row.fields[name], value):
                    del row.fields[name]
            if values and not row.fields:
                row.fields[first] = values[first]  # so that there is something to read
        if used := _used(values, first, rows):
            new.defaults[key] = used


def _used(values: dict[str, Value], first: str, rows: Sequence[Row]) -> dict[str, Value]:
    """The defaults without the first one, if all records say it themselves and no other default
    depends on it.
    """
    said_by_all = all(first in row.fields for row in rows)
    selectors = [rule.details.selector for rule in rows[0].model.detailed if rule.details]
    if said_by_all and first not in selectors:
        return {name: value for name, value in values.items() if name != first}
    return values


def _shared(rows: Sequence[Row]) -> dict[str, Value]:
    """The values that become defaults of these records of one model."""
    if len(rows) < _FEWEST:
        return {}
    model = rows[0].model
    refused = {name for row in rows for name in _no_defaults(row)}
    found = {}
    for name in _liftable(model):
        if name in refused or any(name not in row.fields for row in rows):
            continue
        rule = model.fields[name]
        value, number = _most_common([row.fields[name] for row in rows])
        is_for_all = number == len(rows)
        if (rule.merges or rule.details or _is_free_text(rule)) and not is_for_all:
            continue
        if rule.details and not _of_one_type(rule, rows):
            continue
        if number >= _FEWEST and number * 2 > len(rows):
            found[name] = value
    return found


def _no_defaults(row: Row) -> Sequence[str]:
    names: Sequence[str] = row.fields.get("lifecycle", {}).get("no_defaults", ())
    return names


def _liftable(model: Model) -> list[str]:
    """The fields that may have defaults, but for times and descriptions: these are about one
    record, and are read there.
    """
    own = {model.called, model.parent, *(group[-1] for group in model.together_unique)}
    times = {row.name for row in model.moments}
    return [
        row.name
        for row in model.managed
        if not row.unique and row.name not in own | times and not _is_long(row)
    ]


def _is_free_text(rule: Field) -> bool:
    return rule.kind == "text" and not rule.enum


def _is_long(rule: Field) -> bool:
    """Whether a field may hold several sentences."""
    return _is_free_text(rule) and (rule.max_length or _SENTENCES) >= _SENTENCES


_SENTENCES = 300
"""Characters of a text that may be a description."""


def _of_one_type(rule: Field, rows: Sequence[Row]) -> bool:
    """Whether all records say the same of the type of their details."""
    if rule.details is None or rule.details.of_parent:
        return True
    types = {str(row.fields.get(rule.details.selector)) for row in rows}
    return len(types) == 1


def _most_common(values: Sequence[Value]) -> tuple[Value, int]:
    texts = [json.dumps(value, sort_keys=True) for value in values]
    text, number = Counter(texts).most_common(1)[0]
    return values[texts.index(text)], number
