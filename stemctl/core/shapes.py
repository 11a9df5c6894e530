"""From values to their shapes: kinds, lengths and counts, but none of the values.

Keys of objects are named only where the tables know them. All others may be anything, such as the
e-mail addresses of colleagues, and are only counted.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from stemctl.core.profile import Kind, Range, Shape
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field, Member
from stemctl.util.json_types import Value, is_uuid
from stemctl.util.late_pattern import late_pattern

_DAY = late_pattern(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = late_pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*", re.ASCII)
_URL = late_pattern(r"(https?|ftp)://\S+", re.IGNORECASE)
_LONGEST_MOMENT = 40


class Place(Struct, frozen=True):
    """What the tables say about the values at one place: the keys of objects, what the items of
    lists are (`each`, also the values of a map), and the texts that are allowed.
    """

    keys: Mapping[str, Place] = field(default_factory=dict)
    each: Place | None = None
    is_map: bool = False
    listed: frozenset[Value] = frozenset()


UNKNOWN = Place()
"""A place of which no table tells."""


def place_of(row: Field | Member, catalog: Catalog) -> Place:
    """What the table says about a field."""
    known = {name: place_of(member, catalog) for name, member in _members(row).items()}
    match row.kind:
        case "map":
            return Place(each=UNKNOWN, is_map=True)
        case "members":
            return Place(each=Place(known), is_map=True)
        case "items" | "rows":
            return Place(each=Place(known))
        case "list" | "references" | "numbers":
            return Place(each=UNKNOWN)
    if isinstance(row, Field) and row.kind == "quantity":
        return Place({"value": UNKNOWN, "unit": Place(listed=frozenset(row.units))})
    if isinstance(row, Field) and row.details is not None:
        known = _of_details(catalog, row.details.group)
        return Place(each=Place(known)) if row.details.rows else Place(known)
    return Place(known, listed=frozenset(row.enum))


def _of_details(catalog: Catalog, group: str) -> dict[str, Place]:
    """What the details of any type may hold. Which type a record has is a value, so the fields of
    all types are taken together.
    """
    fields: dict[str, list[Place]] = {}
    for type_ in catalog.details(group).types.values():
        for name, row in type_.fields.items():
            fields.setdefault(name, []).append(place_of(row, catalog))
    return {name: _together(places) for name, places in fields.items()}


def _together(places: Sequence[Place]) -> Place:
    """What several tables say about one key: what any of them allows."""
    each = [place.each for place in places if place.each]
    listed = [place.listed for place in places]
    return Place(
        keys={name: inner for place in places for name, inner in place.keys.items()},
        each=_together(each) if each else None,
        listed=frozenset().union(*listed) if all(listed) else frozenset(),
    )


def _members(row: Field | Member) -> Mapping[str, Member]:
    return row.members if isinstance(row, Field) else {}


def kind_of(value: Value) -> Kind:
    """What a JSON value is."""
    if isinstance(value, str):
        return _kind_of_text(value)
    return _KINDS[type(value)]


_KINDS: dict[type, Kind] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "list",
    dict: "object",
}


def _kind_of_text(text: str) -> Kind:
    if is_uuid(text):
        return "id"
    if _URL.fullmatch(text):
        return "url"
    if len(text) <= _LONGEST_MOMENT and _is_moment(text):
        return "day" if _DAY.fullmatch(text) else "time"
    return "text"


def _is_moment(text: str) -> bool:
    if not (_DAY.fullmatch(text) or _TIME.fullmatch(text)):
        return False
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def shape_of(values: Sequence[Value], place: Place = UNKNOWN) -> Shape:
    """The shape of the values at a place."""
    kinds = Counter(map(kind_of, values))
    lists = [value for value in values if isinstance(value, list)]
    objects = [value for value in values if isinstance(value, dict)]
    texts = [value for value in values if isinstance(value, str)]
    items = [item for value in lists for item in value]
    if place.is_map:
        items += [item for value in objects for item in value.values()]
    keys, others = _keys([] if place.is_map else objects, place.keys)
    return Shape(
        kinds=dict(sorted(kinds.items())),
        lengths=_range(map(len, texts)),
        sizes=_range(map(len, [*lists, *objects])),
        unlisted=sum(text not in place.listed for text in texts if text) if place.listed else 0,
        keys=keys,
        other_keys=others,
        each=shape_of(items, place.each) if items and place.each else None,
    )


def _keys(
    objects: Iterable[Mapping[str, Value]], known: Mapping[str, Place]
) -> tuple[dict[str, Shape], int]:
    """The shapes at the known keys of objects, and how many other keys there are."""
    found: dict[str, list[Value]] = {}
    others: set[str] = set()
    for each in objects:
        for key, value in each.items():
            if key in known:
                found.setdefault(key, []).append(value)
            else:
                others.add(key)
    return {key: shape_of(found[key], known[key]) for key in sorted(found)}, len(others)


def _range(numbers: Iterable[int]) -> Range | None:
    known = list(numbers)
    return (min(known), max(known)) if known else None
