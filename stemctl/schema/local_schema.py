"""Times without an offset: how the schemas take them where the lab has a time zone."""

from __future__ import annotations

from stemctl.schema.patterns import INSTANT, LOCAL_INSTANT, MEANT
from stemctl.util.json_types import Value


def with_local_times(schema: Value, zone: str | None = None) -> Value:
    """A schema whose moments need no offset. With `zone`, its name is added to descriptions."""
    if isinstance(schema, list):
        return [with_local_times(item, zone) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: with_local_times(value, zone) for key, value in schema.items()}
    if schema.get("pattern") == INSTANT:
        changed["pattern"] = LOCAL_INSTANT
        changed["patternErrorMessage"] = MEANT[LOCAL_INSTANT]
        if zone and "description" in schema:
            changed["description"] += f" A time without an offset is read in {zone}."
    return changed
