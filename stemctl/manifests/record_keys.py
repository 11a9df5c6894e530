"""The keys of records as they are written."""

from __future__ import annotations

from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


def record_key(record: Value, model: Model, parent: str | None = None) -> str | None:
    """The key of a record: as written, or what people call the record by. A record inside another
    one has the key of its `parent` in front of its own, or alone.
    """
    if not isinstance(record, dict):
        return None
    if model.embedded:
        return _moment_key(record, model.embedded.by, parent)
    key, name = record.get("key"), model.called
    if key is None and name:
        key = record.get(name)
        if isinstance(key, str) and model.fields[name].trimmed:
            key = key.strip()
    if parent is None:
        return key if isinstance(key, str) and key else None
    return parent if key in (None, "") else f"{parent}/{key}" if isinstance(key, str) else None


def _moment_key(record: Fields, by: tuple[str, ...], parent: str | None) -> str | None:
    """The key of a record that only its moment tells from others in the same parent."""
    moment = next((record[name] for name in by if record.get(name) is not None), None)
    return f"{parent}/{moment}" if parent and isinstance(moment, str) and moment else None
