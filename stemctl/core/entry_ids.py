"""Ids of entries, which have none on the server: that of their parent, and their moment in UTC."""

from __future__ import annotations

import datetime

from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value, is_record_id


def entry_id(parent_id: str, moment: str) -> str:
    """The id of an entry."""
    return f"{parent_id}/{moment}"


def parent_id(id_: str) -> str:
    """The id of the record that an entry is in."""
    return id_.partition("/")[0]


def selector(model: Model, fields: Fields) -> Fields:
    """The field whose moment tells an entry apart, with its value; empty if it has none."""
    names = model.embedded.by if model.embedded else ()
    return next(({name: fields[name]} for name in names if fields.get(name)), {})


def moment_of(model: Model, fields: Fields) -> str | None:
    """The moment that tells an entry apart, in UTC; None if it has none that can be read."""
    return next((in_utc(value) for value in selector(model, fields).values()), None)


def in_utc(value: Value) -> str | None:
    """A moment as ids spell it; a day is its midnight."""
    try:
        moment = datetime.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        text = moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, TypeError, OverflowError):
        return None
    return text if is_record_id(entry_id("0", text)) else None
