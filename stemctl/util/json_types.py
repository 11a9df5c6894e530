"""JSON values, the fields of a record, paths into documents, and ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stemctl.util.late_pattern import late_pattern

Value = Any
"""A JSON value: None, bool, int, float, str, list or dict of such."""

Fields = Mapping[str, Value]
"""Field name to value, of one record."""

Path = tuple[str | int, ...]
"""Way to a value inside a document: keys and list positions."""


_UUID = late_pattern(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
ID_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z_-]*\Z"
_ID = late_pattern(ID_PATTERN)
RECORD_ID_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z_-]*(/[0-9]{4}-[0-9T:.-]{6,30}Z)?\Z"
_RECORD_ID = late_pattern(RECORD_ID_PATTERN)


def is_id(value: Value) -> bool:
    """Whether a value may name a record in a path: it cannot lead out of the model's collection."""
    return isinstance(value, str) and _ID.match(value) is not None


def is_record_id(value: Value) -> bool:
    """Whether a value is the id of a record, or of an entry of one: its id and a moment."""
    return isinstance(value, str) and _RECORD_ID.match(value) is not None


def is_uuid(value: Value) -> bool:
    """Whether a value is a UUID with its hyphens: as a reference, it is an id and not a name."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None
