"""Checks one value against its field: its stored form, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from stemctl.schema.fields import Field, Member
from stemctl.schema.patterns import portable
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Value, is_uuid
from stemctl.util.late_pattern import late_pattern

_URI = late_pattern(r"(?:https?|ftp)://[^\s/?#]+[^\s]*", re.IGNORECASE)
_EMAIL = late_pattern(r"[^\s@]+@[^\s@]+\.[^\s@]+")
# Python accepts more forms (week dates, no separators). The service documents these two.
_DATE = late_pattern(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = late_pattern(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
)


class Invalid(ValueError):
    """A value that its field does not accept."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = list(messages)


def clean(field: Field, value: Value) -> Value:
    """The value as stored. Null and the targets of references are checked elsewhere.

    Raises:
        Invalid: with all messages about it.
    """
    return _KINDS[field.kind](field, value)


def instant(text: Value) -> str:
    """A date or date-time as UTC with whole seconds. Without an offset it is taken as UTC.

    Raises:
        Invalid: it is neither, or does not exist in the calendar.
    """
    message = (
        "Datetime has wrong format. Use one of these formats instead:"
        " YYYY-MM-DDThh:mm:ssZ, YYYY-MM-DD."
    )
    if not (isinstance(text, str) and _INSTANT.fullmatch(text)):
        raise Invalid(message)
    try:
        moment = datetime.fromisoformat(text.upper())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid(message) from None
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _moment(field: Field, value: Value) -> str:
    """The value as the service stores it: a day without a time stays a day."""
    moment = instant(value)
    return str(value) if _DATE.fullmatch(str(value)) else moment


def _text(field: Field | Member, value: Value, *, trimmed: bool = False) -> str:
    if not isinstance(value, str):
        raise Invalid("Not a valid string.")
    text: str = value.strip() if trimmed else value
    if field.required and not text:
        raise Invalid("This field may not be blank.")
    problems = []
    if "\0" in text:
        problems.append("Null characters are not allowed.")
    if field.max_length is not None and len(text) > field.max_length:
        problems.append(f"Ensure this field has no more than {field.max_length} characters.")
    if text and field.format:
        problems += _format(field.format, text)
    if problems:
        raise Invalid(*problems)
    return text


def _format(name: str, value: str) -> list[str]:
    fits, message = {
        "uri": (_URI.fullmatch(value) is not None, "Enter a valid URL."),
        "email": (_EMAIL.fullmatch(value) is not None, "Enter a valid email address."),
        "uuid": (is_uuid(value), "Must be a valid UUID."),
    }[name]
    return [] if fits else [message]


def _complete(field: Field, value: Value) -> Value:
    """An address with a scheme: the service adds one to fields that are addresses."""
    if field.format == "uri" and isinstance(value, str) and value.strip() and "://" not in value:
        return f"http://{value.strip()}"
    return value


def _number(field: Field | Member, value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid("A valid number is required.")
    return value


def _integer(field: Field, value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("A valid integer is required.")
    return value


def _in_bounds(field: Field, value: float) -> float:
    if field.minimum is not None and value < field.minimum:
        raise Invalid(f"Ensure this value is greater than or equal to {field.minimum}.")
    if field.maximum is not None and value > field.maximum:
        raise Invalid(f"Ensure this value is less than or equal to {field.maximum}.")
    return value


def _boolean(field: Field | Member, value: Value) -> bool:
    if not isinstance(value, bool):
        raise Invalid("Must be a valid boolean.")
    return value


def _date(field: Field, value: Value) -> str:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise Invalid("Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")


def _pk(value: Value) -> str:
    if not isinstance(value, str):
        raise Invalid(f"Incorrect type. Expected pk value, received {type(value).__name__}.")
    text: str = value
    return text.lower() if is_uuid(text) else text


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise Invalid(f'Expected a list of items but got type "{type(value).__name__}".')
    return value


def _references(field: Field, value: Value) -> list[str]:
    ids = list(dict.fromkeys(_each(_list(value), _pk)))
    if field.required and not ids:
        raise Invalid("This list may not be empty.")
    return ids


def _texts(field: Field, value: Value) -> list[str]:
    return _each(_list(value), lambda item: _enum(field, _text(field, item)))


def _each(items: list[Value], check: Callable[[Value], Value]) -> list[Value]:
    done, problems = [], []
    for item in items:
        try:
            done.append(check(item))
        except Invalid as invalid:
            problems += [m for m in invalid.messages if m not in problems]
    if problems:
        raise Invalid(*problems)
    return done


def _map(field: Field, value: Value) -> dict[str, Value]:
    """An object, also in its older form, a list of `{name, value}`."""
    if isinstance(value, list):
        if not all(isinstance(pair, dict) and set(pair) == {"name", "value"} for pair in value):
            raise Invalid("Expected an object, or a list of objects with name and value.")
        pairs = [(pair["name"], pair["value"]) for pair in value]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        raise Invalid(f'Expected an object but got type "{type(value).__name__}".')
    pattern = re.compile(portable(field.key_pattern or ""))
    problems = [
        f'"{name}" is not a valid name.'
        for name, _ in pairs
        if not (isinstance(name, str) and pattern.search(name))
    ]
    problems += [
        f'The value of "{name}" must be a string or a number.'
        for name, item in pairs
        if isinstance(item, bool) or not isinstance(item, str | int | float)
    ]
    if problems:
        raise Invalid(*problems)
    return dict(pairs)


def _items(field: Field, value: Value) -> list[dict[str, Value]]:
    return _each(_list(value), lambda item: _item(field.members, item))


def _item(members: Mapping[str, Member], item: Value) -> dict[str, Value]:
    if not isinstance(item, dict):
        raise Invalid(f'Expected an object but got type "{type(item).__name__}".')
    problems = [f"{name}: Unknown key." for name in item if name not in members]
    problems += [
        f"{m.name}: This field is required."
        for m in members.values()
        if m.required and m.name not in item
    ]
    done = {}
    for name in (name for name in item if name in members):
        member = members[name]
        try:
            done[name] = _enum(member, _MEMBERS[member.kind](member, item[name]))
        except Invalid as invalid:
            problems += [f"{name}: {message}" for message in invalid.messages]
    if problems:
        raise Invalid(*problems)
    return done


def _members(field: Field, value: Value) -> dict[str, Value]:
    """Names with their rights. `remove` takes a member out."""
    if not isinstance(value, dict):
        raise Invalid(f'Expected an object but got type "{type(value).__name__}".')
    problems = []
    for name, flags in value.items():
        if not isinstance(flags, dict):
            problems.append(f"{name}: Expected an object of rights.")
            continue
        known = {*field.members, "remove"}
        problems += [f"{name}: Unknown right {key}." for key in flags if key not in known]
        wrong = [key for key, flag in flags.items() if not isinstance(flag, bool)]
        problems += [f"{name}: {key} must be a valid boolean." for key in wrong]
    if problems:
        raise Invalid(*problems)
    return value


def _enum(field: Field | Member, value: Value) -> Value:
    known = not field.enum or any(same_json(value, one) for one in field.enum)
    if not known and not (value == "" and not field.required):
        raise Invalid(f'"{value}" is not a valid choice.')
    return value


_MEMBERS: Mapping[str, Callable[[Member, Value], Value]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
}

_KINDS: Mapping[str, Callable[[Field, Value], Value]] = {
    "text": lambda field, value: _enum(
        field, _text(field, _complete(field, value), trimmed=field.trimmed)
    ),
    "number": lambda field, value: _enum(field, _in_bounds(field, _number(field, value))),
    "integer": lambda field, value: _enum(field, _in_bounds(field, _integer(field, value))),
    "boolean": _boolean,
    "date": _date,
    "instant": _moment,
    "reference": lambda field, value: _pk(value),
    "references": _references,
    "list": _texts,
    "map": _map,
    "items": _items,
    "json": lambda field, value: value,
    "details": lambda field, value: value,
    "members": _members,
}
