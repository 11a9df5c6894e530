"""From whole answers of a server to their shapes: envelopes, totals, and the fields of records.

Keys of envelopes and fields that the tables lack are what a profile is for, so they are named, if
they are plain lower-case words and most records have them. Everything else is only counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from stemctl.core.profile import Answer, Listing, Shape, TotalPlace
from stemctl.core.shapes import UNKNOWN, Place, kind_of, place_of, shape_of
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

TOTALS: tuple[TotalPlace, ...] = ("meta.total_results", "meta.count", "count")
"""The places in which a list may say how many records there are, the best first."""

_BESIDE = ("meta", "count", "next", "previous", "links")
"""Keys of envelopes beside the records."""

_OUTCOME = ("instance_id", "action", "reviewer", "status", "comments")
"""What an approval has beside the content that was proposed."""

_WORD = late_pattern(r"[a-z]+(_[a-z]+)*")
_HEADER = late_pattern(r"[a-z]+(-[a-z]+)*")
_LONGEST_WORD = 40
_MOST_WORDS = 60
_MOST_TOTAL = 10_000_000
_UNKNOWN_FIELD = Place(each=UNKNOWN)


class Received(Struct, frozen=True):
    """An answer as it came; `content` is its JSON object, if it has one."""

    status: int | None
    body: Literal["json", "html", "text", "empty", "none"] = "none"
    seconds: float = 0.0
    headers: tuple[str, ...] = ()
    content: Mapping[str, Value] | None = None


def listing_of(received: Received, model: Model, catalog: Catalog) -> Listing:
    """The shape of a page of a model's list."""
    places = {name: place_of(field, catalog) for name, field in model.fields.items()}
    return _listing(received, model.many, places)


def approvals_of(received: Received, model: Model, catalog: Catalog) -> Listing:
    """The shape of a page of a model's approvals."""
    assert model.approval is not None
    places = {name: place_of(field, catalog) for name, field in model.fields.items()}
    outcome = dict.fromkeys(_OUTCOME, UNKNOWN)
    return _listing(received, model.approval.many, {**places, **outcome})


def detail_of(received: Received, model: Model) -> Answer:
    """The shape of the answer that holds one record."""
    content = received.content or {}
    found = _key_of(content, model.one, dict)
    return Answer(**_common(received, model.one, found))


def first_record(listing: Received, model: Model) -> Mapping[str, Value] | None:
    """The first record of a page, if there is one with an id."""
    content = listing.content or {}
    key = _key_of(content, model.many, list)
    records = [one for one in content[key] if isinstance(one, dict)] if key is not None else []
    return next((one for one in records if "id" in one), None)


def _listing(received: Received, many: str, places: Mapping[str, Place]) -> Listing:
    content = received.content or {}
    key = _key_of(content, many, list)
    rows = content[key] if key is not None else []
    records = [row for row in rows if isinstance(row, dict)]
    fields, others = _fields(records, places)
    totals = {where: total for where in TOTALS if (total := _total(content, where)) is not None}
    ids = [str(record.get("id")) for record in records]
    return Listing(
        **_common(received, many, key),
        totals=tuple(totals),
        total=next(iter(totals.values()), None),
        records=len(rows),
        in_order=ids == sorted(ids) or _are_numbers(ids),
        fields=fields,
        other_fields=others,
    )


def _common(received: Received, wanted: str, found: str | None) -> dict[str, Value]:
    """What any answer has."""
    content = received.content or {}
    named = [key for key in content if key in (wanted, *_BESIDE) or _is_word(key)][:_MOST_WORDS]
    headers = [name.lower() for name in received.headers]
    known = sorted({name for name in headers if _is_word(name, _HEADER)})
    return {
        "status": received.status,
        "body": received.body,
        "seconds": round(received.seconds, 3),
        "headers": tuple(known[:_MOST_WORDS]),
        "envelope": {key: kind_of(content[key]) for key in named},
        "other_keys": len(content) - len(named),
        "key": found if found in named else None,
    }


def _key_of(content: Mapping[str, Value], wanted: str, kind: type) -> str | None:
    """The key that holds the records: the known one, else the only other one of this kind."""
    if isinstance(content.get(wanted), kind):
        return wanted
    others = [
        key
        for key, value in content.items()
        if isinstance(value, kind) and key not in ("meta", "links")
    ]
    return others[0] if len(others) == 1 else None


def _fields(
    records: Sequence[Mapping[str, Value]], places: Mapping[str, Place]
) -> tuple[dict[str, Shape], int]:
    """The shapes of the fields of records, and how many fields are not named."""
    values: dict[str, list[Value]] = {}
    for record in records:
        for name, value in record.items():
            values.setdefault(name, []).append(value)
    named = [name for name in values if name in places]
    strange = [
        name
        for name, found in values.items()
        if name not in places and _is_word(name) and 2 * len(found) > len(records)
    ][:_MOST_WORDS]
    fields = {
        name: shape_of(values[name], places.get(name, _UNKNOWN_FIELD))
        for name in sorted([*named, *strange])
    }
    return fields, len(values) - len(fields)


def _is_word(text: str, pattern: re.Pattern[str] = _WORD) -> bool:
    """Whether a key is made of lower-case words, as the API's own names are: no id, no address."""
    return len(text) <= _LONGEST_WORD and pattern.fullmatch(text) is not None


def _total(content: Mapping[str, Value], where: str) -> int | None:
    value: Value = content
    for key in where.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value if type(value) is int and 0 <= value <= _MOST_TOTAL else None


def _are_numbers(ids: Iterable[str]) -> bool:
    numbers = [int(text) if text.isascii() and text.isdigit() else -1 for text in ids]
    return -1 not in numbers and numbers == sorted(numbers)
