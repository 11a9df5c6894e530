"""Values of fields: what counts as equal, as empty, and as one element of a set or map.

Everything here works on resolved values: references are ids, or placeholders for records that do
not exist yet. What the server normalises (trimmed text, an address without scheme, `Z` for
`+00:00`, the case of member names, the shapes of an empty container) is equal to what was written.
The field tables hold the facts.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection, Iterator, Mapping

from stemctl.core.placeholders import is_placeholder, text_of
from stemctl.planning.members import members_of
from stemctl.schema.detail_values import type_of
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.schema.quantities import in_one_spelling
from stemctl.util.canonical_json import hash_of
from stemctl.util.json_equality import one_spelling, same_json
from stemctl.util.json_types import Fields, Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.timestamps import utc_moment

_PARAGRAPH = late_pattern(r"<(p|div)>([^<]*)</\1>", re.IGNORECASE | re.ASCII)
_SCHEME = late_pattern(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE | re.ASCII)
_UUID_LENGTH = 36
"""Ids of this length are compared in lower case: a cheap test, as every reference is compared."""


def same(field: Field, left: Value, right: Value) -> bool:
    """Whether two values of a field mean the same."""
    if identical(left, right):
        return True
    if field.kind == "json":
        return same_json(left, right)
    return same_json(canonical(field, left), canonical(field, right))


def same_as_sent(row: Field, sent: Fields, live: Fields) -> bool:
    """Whether a field has what was sent, and no more than the defaults that its type adds."""
    ours, there = sent[row.name], live[row.name]
    if same(row, ours, there):
        return True
    if row.details is None or not (isinstance(ours, dict) and isinstance(there, dict)):
        return False
    added = defaulted(row, sent.get(row.details.selector), there) - ours.keys()
    return same(row, ours, {name: value for name, value in there.items() if name not in added})


def defaulted(row: Field, type_name: Value, details: Fields) -> set[str]:
    """The fields of details that have the default of their type, which the server may have set."""
    type_ = type_of(row, type_name)
    defaults = {part.name: part.default for part in type_.fields.values()} if type_ else {}
    return {
        name
        for name, value in details.items()
        if defaults.get(name) is not None and same_json(value, defaults[name])
    }


def identical(left: Value, right: Value) -> bool:
    """Whether two values are equal and of the same types (1 is not 1.0): the same in any field."""
    return left is right or (left == right and _are_of_the_same_types(left, right))


def _are_of_the_same_types(left: Value, right: Value) -> bool:
    """Whether two values that are equal are of the same types: a text equals nothing but texts."""
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is dict:  # most values of records are texts, and a plan compares all of them
        for key, value in left.items():
            if type(value) is not str:
                other = right[key]
                if value is not other and not _are_of_the_same_types(value, other):
                    return False
    elif kind is list:
        for value, other in zip(left, right, strict=True):
            if type(value) is not str and not _are_of_the_same_types(value, other):
                return False
    return True


def canonical(field: Field, value: Value) -> Value:
    """The form in which two values of a field are compared by `same_json`, and hashed.

    Sets become dictionaries without order, text is trimmed where the server trims it, instants
    become UTC.
    """
    if field.merges:
        found = elements(field, value)
        if field.to:  # 12 and "12" are one id
            found = {key: str(id_) if type(id_) is int else id_ for key, id_ in found.items()}
        if field.details:
            found = in_one_spelling(found)
        return {key: _plain(element) for key, element in found.items()}
    if value is None:
        return None if field.takes_null or field.empty is None else canonical(field, field.empty)
    match field.kind:
        case "text" | "date" | "id":
            return _text(field, value)
        case "instant":
            return _instant(value)
        case "reference":
            return _reference(value)
        case "references":
            if not isinstance(value, list):
                return _plain(value)
            return [_reference(part) for part in value]
        case "details":
            return _plain(in_one_spelling(value))
        case _:
            return _plain(value)


def expects(
    model: Model, live: Fields, names: Collection[str] = (), without: Collection[str] = ()
) -> str:
    """The hash of a record as it was read: of the fields in `names`, or of all fields.

    What the server merely formats differently has the same hash. References to the ids in `without`
    do not count: the plan itself removes them, and with them the server's links to related lists.
    """
    rows = [row for row in model.fields.values() if row.name in live]
    if names:
        rows = [row for row in rows if row.name in names]
    if without:
        rows = [row for row in rows if not row.is_links]
    return hash_of({row.name: canonical(row, _left(row, live[row.name], without)) for row in rows})


def _left(row: Field, value: Value, without: Collection[str]) -> Value:
    """A value without the references to some records."""
    if not (row.to and without):
        return value
    if isinstance(value, list):
        return [part for part in value if _reference(part) not in without]
    return None if _reference(value) in without else value


def is_empty(field: Field, value: Value) -> bool:
    """Whether a value is empty: null, empty text, or an empty container of any shape."""
    if value is None or value in ("", [], {}):
        return True
    return field.kind == "text" and canonical(field, value) == ""


def elements(field: Field, value: Value, twins: Collection[str] = ()) -> dict[str, Value]:
    """The elements of a set or map by their keys, in the order of the value.

    In a set of texts or references, each element is its own key. A map has its own keys, also where
    the server writes it as a list of `{name, value}`. The key of an item is its `by` member; items
    that share it, here or (as `twins` says) in another value, have their whole content as key.
    Members are spelled as in the table.

    A server, or an edited state, may hold anything: a value that is not a list is one element, and
    what does not fit is an element of its own.
    """
    if not value:
        return {}
    if field.kind == "members":
        return dict(members_of(field, value))
    if field.keyed:
        return _entries(value)
    parts = value if isinstance(value, list) else [value]
    match field.kind:
        case "items":
            return _items(field, parts, twins)
        case "reference" | "references":
            return {_key(_reference(part)): _sendable(part) for part in parts}
        case _:
            return {_key(_text(field, part)): part for part in parts}


def elements_alike(field: Field, *values: Value) -> list[dict[str, Value]]:
    """The elements of several values, with the same keys in all of them."""
    twins = {key for value in values for key in shared_keys(field, value)}
    return [elements(field, value, twins) for value in values]


def same_element(field: Field, left: Value, right: Value) -> bool:
    """Whether two elements with the same key mean the same."""
    if field.kind == "members":
        return bool(left == right)
    if field.keyed:
        return same(field, {"": left}, {"": right})
    if field.kind == "items":
        return same(field, [left], [right])
    return True  # elements of a set are their own key


def shared_keys(field: Field, value: Value) -> set[str]:
    """The keys that several different elements of a value share."""
    if not isinstance(value, list) or not (field.keyed or field.kind == "items"):
        return set()
    if field.keyed:
        names = [pair.get("name") for pair in value if isinstance(pair, dict)]
        return {_key(name) for name in names if names.count(name) > 1}
    contents_of: dict[str, set[str]] = {}
    for part in value:
        item = _item(field, part)
        contents_of.setdefault(_item_key(field, item), set()).add(_content(item))
    return {key for key, contents in contents_of.items() if len(contents) > 1}


def _items(field: Field, parts: list[Value], twins: Collection[str]) -> dict[str, Value]:
    items = [_item(field, item) for item in parts]
    shared = {*twins, *shared_keys(field, items)}
    found = {}
    for item in items:
        key = _item_key(field, item)
        if key in shared:
            key = f"{key}\0{_content(item)}"
        found[key] = item
    return found


def _item_key(field: Field, item: Value) -> str:
    return _key(item.get(field.by or "")) if isinstance(item, dict) else _key(item)


def _content(item: Value) -> str:
    return json.dumps(one_spelling(item), sort_keys=True)


def _entries(value: Value) -> dict[str, Value]:
    """The entries of a map; in a list, all but the first of one name get a number."""
    if isinstance(value, dict):
        return dict(value)
    found: dict[str, Value] = {}
    for pair in value if isinstance(value, list) else [value]:
        name: str = _key(pair.get("name")) if isinstance(pair, dict) else _key(pair)
        number = 1 + sum(key == name or key.startswith(f"{name} (") for key in found)
        key = name if name not in found else f"{name} ({number})"
        found[key] = pair.get("value") if isinstance(pair, dict) else None
    return found


def _key(value: Value) -> str:
    """The key of an element: a text itself, and anything else as JSON that no text looks like."""
    return value if isinstance(value, str) else f"\0{_content(value)}"


def assemble(field: Field, parts: Mapping[str, Value]) -> Value:
    """The value that holds these elements, in their order; the reverse of `elements`."""
    return dict(parts) if field.keyed else list(parts.values())


def _text(field: Field, value: Value) -> Value:
    if not isinstance(value, str):
        return _plain(value)
    text = value.strip() if field.trimmed or field.format else value
    if field.rich and (wrapped := _PARAGRAPH.fullmatch(text)):
        text = html.unescape(wrapped[2]).strip()
    if field.format == "uri" and text and not _SCHEME.match(text):
        text = f"http://{text}"
    return text


def _instant(value: Value) -> Value:
    """A point in time in UTC; a bare date is its midnight. Text that is neither stays as it is."""
    if not isinstance(value, str) or not value:
        return value or None
    moment = utc_moment(value)
    return value if moment is None else moment


def _reference(value: Value) -> Value:
    """The id of a reference, as text; an answer with included records has objects in place of ids.

    A server that counts its ids answers with numbers, and people write them with and without
    quotes.
    """
    if isinstance(value, str):
        return value.lower() if len(value) == _UUID_LENGTH else value
    if is_placeholder(value):
        return f"$ref:{text_of(value)}"
    if isinstance(value, dict):
        return _reference(value.get("id"))
    return str(value) if type(value) is int else value


def ids_in(value: Value) -> Iterator[str]:
    """The ids in a live value of references, in which an answer may include whole records."""
    for part in value if isinstance(value, list) else [value]:
        yield _reference(part) or ""


def _sendable(value: Value) -> Value:
    """A reference as it is sent: a number stays a number."""
    if is_placeholder(value):
        return value
    if isinstance(value, dict):
        return _sendable(value.get("id"))
    return value if type(value) is int else _reference(value)


def _item(field: Field, item: Value) -> Value:
    if not isinstance(item, dict):
        return item
    spelled = {name.lower(): name for name in field.members}
    found: dict[str, Value] = {}
    for key, element in item.items():
        name = str(spelled.get(key.lower(), key))
        found[key if name in found else name] = element
    return found


def _plain(value: Value) -> Value:
    """A value that compares as JSON does: true is not 1 (as it is in Python), but 1.0 is."""
    return ("boolean", value) if isinstance(value, bool) else one_spelling(value)
