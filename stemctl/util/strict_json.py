"""Reads JSON of others, so that each value can be hashed, compared, shown and written again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

DEEPEST = 100
"""As in manifests: no reader of the values runs out of stack."""

_HALF = late_pattern(r"\\u[dD][89a-fA-F]")
"""An escape of half a character; two of them in a row are a whole one."""


def read_json(text: str) -> Value:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, or holds what JSON does not have but Python takes: NaN, infinity,
        half characters;
            or it is nested too deep.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise _TOO_DEEP from None
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one) if type(inner) in _NESTED]
        if not level:
            break
    else:
        raise _TOO_DEEP
    if _HALF.search(text) and _is_half(value):
        raise HalfCharacter(value)
    return value


class HalfCharacter(ValueError):
    """A JSON text that holds half a character: `around` are the values that it is in, from the
    whole one to the text itself, and `path` the keys and positions between them.
    """

    def __init__(self, value: Value) -> None:
        super().__init__("it holds half a character")
        self.path: list[str | int] = []
        self.around = [value]
        while type(value) in _NESTED:
            steps = value.items() if type(value) is dict else enumerate(value)
            step, inner = next((step, one) for step, one in steps if _is_half([step, one]))
            self.path.append(step)
            self.around.append(inner)
            value = step if _is_half(step) else inner


_TOO_DEEP = ValueError(f"it is nested more than {DEEPEST} deep")


_NESTED = frozenset({list, dict})


def _inside(value: Value) -> Iterable[Value]:
    return value.values() if type(value) is dict else value if type(value) is list else ()


def _is_half(value: Value) -> bool:
    """Whether a text is half a character, or one in a value."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _refuse(word: str) -> Value:
    raise ValueError(f"{word} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number
