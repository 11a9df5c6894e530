"""JSON values, the fields of a record, paths into documents, and ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Value = Any
"""A JSON value: None, bool, int, float, str, list or dict of such."""

Fields = Mapping[str, Value]
"""Field name to value, of one record."""

Path = tuple[str | int, ...]
"""Way to a value inside a document: keys and list positions."""


UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")


def is_uuid(value: Value) -> bool:
    """Whether a value is a UUID in its hyphenated form."""
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def is_id(value: Value) -> bool:
    """Whether a value may stand for a record in a path: nothing in it leads out of the model's own
    collection.
    """
    return isinstance(value, str) and _ID.fullmatch(value) is not None
