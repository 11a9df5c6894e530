"""A list of many records, decoded and checked in one go.

A large listing is most of what a plan reads. The plain way, `responses.json_object` and
`checked_record`, looks at each value of each record in Python. Here, the decoder does, and what it
does not take is read the plain way: that decides, and says what is wrong.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stemctl.client.responses import CheckedRows
from stemctl.schema.models import Model
from stemctl.schema.record_types import list_of_records, names_and_kinds
from stemctl.util.strict_json import DEEPEST

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode


def quick_list(content: bytes, model: Model) -> dict[str, Any] | None:
    """The object of an answer that lists records; None if it has to be read the plain way."""
    if model.integer_ids:
        return None
    try:
        answer = _any(content)  # all of it: a text alone would leave numbers and characters alone
        rows = CheckedRows(answer[model.many])
        msgspec.convert(rows, list_of_records(names_and_kinds(model)))
        parts = _object(content)
        rows.texts = [bytes(text) for text in _list(parts.pop(model.many))]
    except (ValueError, KeyError, TypeError, RecursionError, msgspec.MsgspecError):
        return None
    if any(map(_may_be_deep, (*rows.texts, *map(bytes, parts.values())))):
        return None
    return {**answer, model.many: rows}


def _may_be_deep(text: bytes) -> bool:
    """Whether there are brackets enough to nest deeper than `strict_json` takes, in two others."""
    return text.count(b"[") + text.count(b"{") > DEEPEST - 2
