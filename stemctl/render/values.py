"""Values as people read them: in one line, control characters made visible."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence

from stemctl.schema.quantities import is_quantity, text_of
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import visible

LONG = 60
"""Text above this many characters is shown as a word diff."""

_NUMBER = late_pattern(r"[-+]?[0-9][0-9_.eE+-]*")
_WORD = late_pattern(r"[\w./:@+-]*\w")
"""Text that ends where a reader thinks it ends, with no quotes around it."""

_OWN_WORDS = {"none", "(none)", "(cleared)", "(not shown)", "null", "true", "false"}


def shown(value: Value) -> str:
    """A value in one line: text as it is unless that is unclear, lists and maps by element."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case list():
            return ", ".join(_element(item) for item in value) or "[]"
        case dict() if is_quantity(value):
            return text_of(value)
        case dict():
            return ", ".join(_entry(key, item) for key, item in value.items()) or "{}"
        case _:
            return str(value)


def quoted(value: Value) -> str:
    """A value inside a sentence: text in quotes unless it is one word."""
    text = shown(value)
    if isinstance(value, str) and not text.startswith('"') and not _WORD.fullmatch(value):
        return f'"{text}"'
    return text


def is_empty(value: Value) -> bool:
    """Whether a value says nothing."""
    return value in ("", None, [], {})


def is_removal(value: Value) -> bool:
    """Whether the entry of a map is there to take it out."""
    return bool(value == {"remove": True})


def _text(text: str) -> str:
    is_unclear = text == "" or text != text.strip() or text.lower() in _OWN_WORDS
    if is_unclear or _NUMBER.fullmatch(text):
        return f'"{visible(text)}"'
    return visible(text)


def _entry(key: str, value: Value) -> str:
    return f"{visible(str(key))}: {shown(value)}"


def _element(item: Value) -> str:
    """An element of a list: an item shows its members' values, as they say enough."""
    if isinstance(item, dict) and not is_quantity(item):
        return " ".join(shown(member) for member in item.values())
    if isinstance(item, str) and "," in item:
        return f'"{visible(item)}"'  # else it would look like two
    return shown(item)


def element_diff(before: Sequence[Value], after: Sequence[Value]) -> tuple[list[str], list[str]]:
    """What a list gains and loses, element by element."""
    old = {value_key(item): item for item in before}
    new = {value_key(item): item for item in after}
    gains = [_element(item) for key, item in new.items() if key not in old]
    losses = [_element(item) for key, item in old.items() if key not in new]
    return gains, losses


def value_key(item: Value) -> Hashable:
    """What tells values apart, whatever they are: true is not 1, and "1" is neither."""
    if isinstance(item, str):
        return item
    return (json.dumps(item, sort_keys=True),)
