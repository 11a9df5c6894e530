"""What to write in place of a quantity that is none: `20 kHz` for `20 KHz`, `20khz` or `20`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from stemctl.manifests.document import code_span
from stemctl.manifests.field_context import Message
from stemctl.schema.fields import Field
from stemctl.schema.quantities import usual_unit
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest

_PARTS = late_pattern(
    r"(?P<number>[-+−–]?[0-9.,'’_ \u00a0\u2009\u202f]*[0-9.](?:[eE][-+]?[0-9]+)?)\s*(?P<unit>.*)"
)
_SHORTEST = late_pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?")
_SPELLED_OUT = {
    "hertz": "Hz", "kilohertz": "kHz", "megahertz": "MHz",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "msec": "ms",
    "millisecond": "ms", "milliseconds": "ms", "mins": "min", "minute": "min", "minutes": "min",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "days", "d": "days",
    "micron": "µm", "microns": "µm", "micrometer": "µm", "millimeter": "mm", "meter": "m",
    "gram": "g", "grams": "g", "volt": "V", "volts": "V", "watt": "W", "percent": "%",
    "deg": "°", "degree": "°", "degrees": "°", "º": "°",
    "c": "°C", "degc": "°C", "celsius": "°C", "ºc": "°C", "f": "°F", "fahrenheit": "°F",
    "ohm": "Ω", "ohms": "Ω", "kohm": "kΩ", "mohm": "MΩ",
}  # fmt: skip
"""Words that people write for units."""


def message(label: str, field: Field, value: Value) -> Message:
    """What is said about a value that is no quantity."""
    name = code_span(label)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "wrong-type", f"{name} must be a number with a unit", _for_example(field)
    text = value if isinstance(value, str) else str(value)
    parts = _PARTS.fullmatch(text.strip())
    if parts is None:
        shown = code_span(text)
        return "bad-quantity", f"{name} is no number with a unit: {shown}", _for_example(field)
    numbers = _numbers(parts["number"])
    written = parts["unit"].strip()
    if not written:
        return "bad-quantity", f"{name} needs a unit", _add_unit(field, numbers)
    if re.match(r"[-–~0-9]", written):
        what = f"{name} must be one number with a unit, and is {code_span(text)}"
        return "bad-quantity", what, _for_example(field)
    units = units_meant(written, field.units)
    if not units:
        what = f"{name} cannot be in {code_span(written)}"
        return "bad-quantity", what, f"use one of its units: {', '.join(field.units)}"
    guesses = [f"`{number} {unit}`" for unit in units for number in numbers]
    if usual_unit(written, field.units) is None:
        what = f"{name} has no unit {code_span(written)}"
    else:
        what = f"{name} is not written as a quantity: {code_span(text)}"
    return (
        "bad-quantity",
        what,
        f"write {joined(guesses, 'or')}" if guesses else _for_example(field),
    )


def units_meant(written: str, units: Sequence[str]) -> list[str]:
    """The units that may be meant by another spelling."""
    exact = usual_unit(written, units)
    if exact is not None:
        return [exact]
    plain = _plain(written)
    alike = [unit for unit in units if _plain(unit) == plain]
    if alike:
        return alike
    known = usual_unit(_SPELLED_OUT.get(written.casefold(), ""), units)
    return [known] if known else nearest(written, units, 1) if len(written) > 3 else []


def _plain(unit: str) -> str:
    """A unit as people type it: upper and lower case, `u` for micro, powers as digits."""
    text = unicodedata.normalize("NFKC", unit).casefold().replace("\u03bc", "u")
    return re.sub(r"[\s^*.]", "", text)


def _numbers(text: str) -> list[str]:
    """The numbers that a text may be, as they are written in JSON: `30,000` may be two."""
    text = re.sub(r"[\s'’_]", "", text).replace("−", "-").replace("–", "-").lstrip("+")
    guesses = [text]
    if "," in text:
        guesses = [text.replace(",", "."), text.replace(",", "")]
        if not re.fullmatch(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", text):
            del guesses[1]
    found = [re.sub(r"^(-?)0+(?=[0-9])", r"\1", guess) for guess in guesses]
    found = [re.sub(r"^(-?)\.", r"\g<1>0.", guess).removesuffix(".") for guess in found]
    return [guess for guess in found if _SHORTEST.fullmatch(guess)]


def _add_unit(field: Field, numbers: list[str]) -> str:
    if len(field.units) == 1 and numbers:
        return f"write `{numbers[0]} {field.units[0]}`"
    choices = [f"`{number} {unit}`" for number in numbers[:1] for unit in field.units]
    if choices and len(choices) <= 4:
        return f"write {joined(choices, 'or')}"
    return f"add its unit: {joined(list(field.units), 'or')}"


def _for_example(field: Field) -> str:
    unit = field.units[0] if field.units else ""
    return f"for example `20 {unit}`; its units are {', '.join(field.units)}"
