"""Plain scalars: the value of a word without quotes, and the words that are ambiguous in YAML.

Only what YAML 1.1, YAML 1.2 and JSON read alike becomes a number, a boolean or null. Dates, times,
`yes`, `no`, `on` and `off` stay text, as YAML 1.2, JSON Schema and editors take them. Where readers
of YAML 1.1 take a word for a boolean or a number, that is a doubt.
"""

from __future__ import annotations

import json
import math
import re

from msgspec import Struct

from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

LARGEST_EXACT = 2**53
"""Above it, readers that have only floating point numbers change an integer."""

_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_AMBIGUOUS_WORDS = {
    **dict.fromkeys(("True", "TRUE"), "`true` for a boolean"),
    **dict.fromkeys(("False", "FALSE"), "`false` for a boolean"),
    **dict.fromkeys(("Null", "NULL", "~"), "`null` for no value"),
    "=": "",
    "<<": "",
}

_OLD_WORDS = frozenset(
    spelling
    for word in ("yes", "no", "on", "off", "y", "n")
    for spelling in (word, word.capitalize(), word.upper())
)
_OLD_NUMBER = late_pattern(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\.")
"""Numbers to the base of 60, and a number without digits."""

_NUMERIC = frozenset("+-.0123456789")
"""First characters of everything that may be a number."""

_AGREED = late_pattern(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+(?:[eE][-+][0-9]+)?)?")
_OTHER_BASE = late_pattern(r"([-+]?)(0[xX][0-9a-fA-F_]+|0o[0-7_]+|0[bB][01_]+)")
_DECIMAL = late_pattern(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?|[-+]_[0-9_]*"
)
_NO_NUMBER = late_pattern(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


NO_PLAIN_FIRST = _NUMERIC | {""}
NO_PLAIN_WORDS = frozenset({*_WORDS, *_AMBIGUOUS_WORDS, *_OLD_WORDS})
"""A plain scalar that is none of these words, and does not begin with one of these characters, is
the text it looks like, without a doubt.
"""


class AmbiguousScalar(Struct, frozen=True):
    """A word that YAML readers understand differently; `remedy` says what to type instead."""

    message: str
    remedy: str


def resolve(text: str) -> Value | AmbiguousScalar:
    """The value of a plain scalar."""
    if text[:1] not in _NUMERIC:
        if text in _WORDS:
            return _WORDS[text]
        return _ambiguous(text, _AMBIGUOUS_WORDS[text]) if text in _AMBIGUOUS_WORDS else text
    if match := _AGREED.fullmatch(text):
        return _number(text, whole=match[1] is None)
    if _NO_NUMBER.fullmatch(text):
        return AmbiguousScalar(
            _ambiguous_message(text),
            f"write `{quoted(text)}` for text (JSON has no such number)",
        )
    if match := _OTHER_BASE.fullmatch(text):
        digits = match[2].replace("_", "")
        return _ambiguous(text, _numbers([int(match[1] + digits, 0)] if digits[2:] else []))
    if _DECIMAL.fullmatch(text):
        return _ambiguous(text, _numbers(_readings(text)))
    return text


def doubt(text: str) -> str:
    """What readers of YAML 1.1 take a plain text for, if not for text; or nothing."""
    if text in _OLD_WORDS:
        return "a boolean"
    return "a number" if text[:1] in _NUMERIC and _OLD_NUMBER.fullmatch(text) else ""


def quoted(text: str) -> str:
    """`text` as a YAML scalar in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _number(text: str, whole: bool) -> Value | AmbiguousScalar:
    """A number that all readers read alike, unless some of them cannot store it exactly."""
    if not whole:
        number = float(text)
        vanished = number == 0 and re.match("-?[0.]*[1-9]", text)
        return _inexact(text) if math.isinf(number) or vanished else number
    return int(text) if len(text) <= 17 and abs(int(text)) <= LARGEST_EXACT else _inexact(text)


def _inexact(text: str) -> AmbiguousScalar:
    message = f"`{_short(text)}` cannot be stored exactly as a number: quote it"
    return AmbiguousScalar(message, f"write `{quoted(_short(text))}`")


def _ambiguous(text: str, otherwise: str) -> AmbiguousScalar:
    remedy = f"write `{quoted(_short(text))}` for text"
    if otherwise:
        remedy += f", {otherwise}"
    return AmbiguousScalar(_ambiguous_message(_short(text)), remedy)


def _ambiguous_message(text: str) -> str:
    return f"`{text}` is ambiguous in YAML: quote it"


def _readings(text: str) -> list[int | float]:
    """The numbers that different readers make of a decimal spelling."""
    plain = text.replace("_", "")
    if len(plain) > 17 or not re.match(r"[-+]?\.?[0-9]", plain):
        return []
    if re.fullmatch(r"[-+]?[0-9]+", plain):
        sign = -1 if plain[0] == "-" else 1
        digits = plain.lstrip("+-")
        octal = [sign * int(digits, 8)] if re.fullmatch("0[0-7]+", digits) else []
        return [int(plain), *octal]
    return [float(plain)]


def _numbers(readings: list[int | float]) -> str:
    exact = [number for number in readings if abs(number) <= LARGEST_EXACT]
    spelled = dict.fromkeys(f"`{_spelled(number)}`" for number in exact)
    return f"{' or '.join(spelled)} for a number" if spelled else ""


def _spelled(number: int | float) -> str:
    """A spelling that all readers agree on."""
    if number == int(number):
        return str(int(number))
    text = repr(number)
    mantissa, exponent, power = text.partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}{exponent}{power}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
