"""Plain scalars: what a word without quotes stands for, and which words readers of YAML disagree
on.

Only what YAML 1.1, YAML 1.2 and JSON read alike becomes a number, a truth value or null. Dates,
times, `yes`, `no`, `on` and `off` stay the text they look like.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

from stemctl.util.json_types import Value

LARGEST_EXACT = 2**53
"""Beyond it, a reader that has only floating point numbers changes an integer."""

_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_AMBIGUOUS_WORDS = {
    **dict.fromkeys(("True", "TRUE"), "true for the truth value"),
    **dict.fromkeys(("False", "FALSE"), "false for the truth value"),
    **dict.fromkeys(("Null", "NULL", "~"), "null for no value"),
    "=": "",
}

_NUMERIC = frozenset("+-.0123456789")
"""First characters of everything that may be a number."""

_AGREED = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+(?:[eE][-+][0-9]+)?)?")
_OTHER_BASE = re.compile(r"([-+]?)(0[xX][0-9a-fA-F_]+|0o[0-7_]+|0[bB][01_]+)")
_DECIMAL = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?|[-+]_[0-9_]*"
)
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class AmbiguousScalar:
    """A word that readers understand differently; `remedy` says what to type instead."""

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
            f"readers of YAML disagree on {text}",
            f"write {quoted(text)} for the text; JSON has no such number",
        )
    if match := _OTHER_BASE.fullmatch(text):
        digits = match[2].replace("_", "")
        return _ambiguous(text, _numbers([int(match[1] + digits, 0)] if digits[2:] else []))
    if _DECIMAL.fullmatch(text):
        return _ambiguous(text, _numbers(_readings(text)))
    return text


def quoted(text: str) -> str:
    """`text` as a YAML scalar in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _number(text: str, whole: bool) -> Value | AmbiguousScalar:
    """A number that all readers read alike, unless it is beyond what some of them can hold."""
    if not whole:
        number = float(text)
        vanished = number == 0 and re.match("-?[0.]*[1-9]", text)
        return _inexact(text) if math.isinf(number) or vanished else number
    return int(text) if len(text) <= 17 and abs(int(text)) <= LARGEST_EXACT else _inexact(text)


def _inexact(text: str) -> AmbiguousScalar:
    message = f"not every reader holds the number {_short(text)} as it is"
    return AmbiguousScalar(message, f"write {quoted(_short(text))} for the text")


def _ambiguous(text: str, otherwise: str) -> AmbiguousScalar:
    remedy = f"write {quoted(_short(text))} for the text" + (f", {otherwise}" if otherwise else "")
    return AmbiguousScalar(f"readers of YAML disagree on {_short(text)}", remedy)


def _readings(text: str) -> list[int | float]:
    """The numbers that one reader or another takes a decimal spelling for."""
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
    spelled = dict.fromkeys(_spelled(n) for n in readings if abs(n) <= LARGEST_EXACT)
    return f"{' or '.join(spelled)} for the number" if spelled else ""


def _spelled(number: int | float) -> str:
    """A spelling that all readers agree on."""
    if number == int(number):
        return str(int(number))
    text = repr(number)
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}{exponent}{power}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
