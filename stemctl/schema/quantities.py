"""Numbers with a unit: `20 kHz` in manifests, `{"value": 20, "unit": "kHz"}` on the server.

Units are never converted: what is written is what is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from stemctl.schema.patterns import portable
from stemctl.util.json_equality import one_spelling
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

LONGEST = 60
"""Characters of a quantity that is written as text: no number of this length is infinite."""

_NUMBER = "-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?"
_TEXT = late_pattern(f"({_NUMBER}) ?([^ ].*)")

_TWINS = {"\u00b5": "\u03bc", "\u03a9": "\u2126"}
"""Micro sign and ohm, each with the code point that other keyboards write."""

_SYNTAX = late_pattern(r"[\\^$.|?*+()\[\]{}]")

_ONE_SPELLING = str.maketrans({twin: sign for sign, twin in _TWINS.items()})


def spellings(unit: str) -> list[str]:
    """All ways to write a unit that mean the same, the usual one first."""
    usual = unit.translate(_ONE_SPELLING)
    other = "".join(_TWINS.get(character, character) for character in usual)
    return [usual] if other == usual else [usual, other]


def text_pattern(units: Iterable[str]) -> str:
    """The pattern of a quantity that is written as text."""
    return portable(f"^{_NUMBER} ?(?:{'|'.join(map(_escaped, units))})$")


def _escaped(unit: str) -> str:
    text = _SYNTAX.sub(r"\\\g<0>", unit.translate(_ONE_SPELLING))
    return "".join(f"[{c}{_TWINS[c]}]" if c in _TWINS else c for c in text)


def parse(text: str, units: Sequence[str]) -> dict[str, Value] | None:
    """The quantity that a text is, with its unit as in the table; None if it is none."""
    found = _TEXT.fullmatch(text) if len(text) <= LONGEST else None
    unit = usual_unit(found[2], units) if found else None
    if found is None or unit is None:
        return None
    return {"value": json.loads(found[1]), "unit": unit}


def usual_unit(unit: Value, units: Iterable[str]) -> str | None:
    """A unit as the table spells it; None if the table does not have it."""
    if not isinstance(unit, str):
        return None
    plain = unit.translate(_ONE_SPELLING)
    return next((one for one in units if one.translate(_ONE_SPELLING) == plain), None)


def is_quantity(value: Value) -> bool:
    """Whether a value is a number with a unit."""
    return (
        isinstance(value, dict)
        and value.keys() == {"value", "unit"}
        and isinstance(value["unit"], str)
        and isinstance(value["value"], int | float)
        and not isinstance(value["value"], bool)
    )


def text_of(quantity: Value) -> str:
    """A quantity as people write it."""
    return f"{json.dumps(one_spelling(quantity['value']))} {quantity['unit']}"


def in_one_spelling(value: Value) -> Value:
    """A value in which every unit has its usual code points."""
    if isinstance(value, list):
        return [in_one_spelling(item) for item in value]
    if not isinstance(value, dict):
        return value
    if is_quantity(value):
        return {**value, "unit": value["unit"].translate(_ONE_SPELLING)}
    return {key: in_one_spelling(item) for key, item in value.items()}
