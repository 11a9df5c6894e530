"""The value that the text of a cell is, by the kind of its field. Nothing is guessed.

This is not how the command line is read (`manifests/typed_values`), which is YAML: cells have
decimal commas, dates in the order of a country, units in the name of their column, and lists by
semicolons.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from stemctl.manifests.scalars import LARGEST_EXACT
from stemctl.schema.fields import Field
from stemctl.schema.quantities import parse, text_of, usual_unit
from stemctl.sheets.cells import NUMBER, Cell, plain_number, without_mark
from stemctl.sheets.dates import read_date, read_instant
from stemctl.sheets.problems import CellError
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.strict_json import read_json
from stemctl.util.suggest import nearest

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_TRUE = frozenset({"true", "yes", "1", "on", "enabled"})
_FALSE = frozenset({"false", "no", "0", "off", "disabled"})
_DECIMAL_COMMA = late_pattern(r"([-+]?[0-9]+),([0-9]+)(.*)", re.ASCII | re.DOTALL)
_SPELLED = late_pattern(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)


class Reading(Struct, frozen=True):
    """How the cells of a column are written, where they do not say it themselves: the time zone of
    local times, the order of the parts of a date (`DMY`), a decimal comma, the unit of numbers, and
    whether elements of lists may be separated by commas.
    """

    zone: ZoneInfo | None = None
    order: str = ""
    decimal_comma: bool = False
    unit: str = ""
    commas: bool = False


PLAIN = Reading()


def read_cell(field: Field, text: str, reading: Reading = PLAIN) -> Value | Cell:
    """The value of a cell, as a manifest would have it.

    Raises:
        CellError: the text is no value of the field.
    """
    body, literal = without_mark(text)
    if not literal and not body:
        return Cell.EMPTY
    if not literal and body == "-":
        return Cell.CLEAR
    if literal and field.kind == "scalar":
        return body
    return _READERS[field.kind](field, body, reading)


def _text(field: Field, text: str, reading: Reading) -> Value:
    return _choice(field, text) if field.enum else text


def _choice(field: Field, text: str) -> Value:
    """One of the values of an enum, in any case, by its value or its label."""
    labels = {_plain(label): value for value, label in field.labels.items()}
    labels |= {_plain(str(value)): value for value in field.enum}
    if text in field.enum:
        return text
    found = labels.get(_plain(text))
    if found is not None:
        return found
    names = [str(value) for value in field.enum]
    near = nearest(text, names, 1)
    hint = f"write `{near[0]}`" if near else f"write {joined([f'`{n}`' for n in names], 'or')}"
    raise CellError(f"is not one of the values of `{field.name}`", hint)


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "", word.casefold())


def _number(field: Field, text: str, reading: Reading) -> Value:
    number = number_of(text, reading)
    if field.enum and number not in field.enum:
        raise CellError(
            f"is not one of the values of `{field.name}`",
            f"write {joined([str(value) for value in field.enum], 'or')}",
        )
    return number


def _integer(field: Field, text: str, reading: Reading) -> Value:
    number = _number(field, text, reading)
    if not isinstance(number, int):
        raise CellError(
            "is not a whole number", f"write {math.floor(number)} or {math.ceil(number)}"
        )
    return number


def number_of(text: str, reading: Reading) -> int | float:
    """A number as spreadsheets write it.

    Raises:
        CellError: it is none, or could be read in two ways.
    """
    plain = text.replace("\u2212", "-")
    if found := _DECIMAL_COMMA.fullmatch(plain):
        if not reading.decimal_comma or "," in found[3]:
            raise CellError(
                "has a comma, which may be a decimal comma or separate thousands",
                f"write `{found[1]}.{found[2]}` or `{found[1]}{found[2]}`",
                "{decimal: ','}",
            )
        plain = f"{found[1]}.{found[2]}{found[3]}"
    elif reading.decimal_comma and "." in plain:
        raise CellError(
            "has a point, but the map says that this column has decimal commas",
            "write it with a comma, without separators of thousands",
        )
    if not _SPELLED.fullmatch(plain):
        raise CellError("is not a number", "write digits only, such as `12` or `0.5`")
    return _exact(plain)


def _exact(text: str) -> int | float:
    try:
        number = plain_number(float(text)) if re.search("[.eE]", text) else int(text)
    except ValueError:  # also of a text with more digits than Python reads
        number = None
    if number is None and not re.fullmatch("[-+]?[0-9]+", text):
        raise CellError("is not a number", "write digits only, such as `12` or `0.5`")
    inexact = isinstance(number, int) and abs(number) > LARGEST_EXACT
    if number is None or inexact or math.isinf(number):
        raise CellError("cannot be stored exactly as a number", "write fewer digits")
    return number


def _boolean(field: Field, text: str, reading: Reading) -> Value:
    word = text.casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise CellError("is neither true nor false", "write `true` or `false`")


def _date(field: Field, text: str, reading: Reading) -> Value:
    return read_date(text, reading.order)


def _instant(field: Field, text: str, reading: Reading) -> Value:
    return read_instant(text, reading.order, reading.zone)


def _quantity(field: Field, text: str, reading: Reading) -> Value:
    found = re.fullmatch(r"([-+−]?[0-9.,]+(?:[eE][-+]?[0-9]+)?)\s*(.*)", text, re.DOTALL)
    if not found:
        raise CellError("is not a number with a unit", f"write it like `12 {field.units[0]}`")
    number, unit = number_of(found[1], reading), found[2] or reading.unit
    if not unit:
        units = joined([f"`{one}`" for one in field.units], "or")
        raise CellError(
            "has no unit",
            f"write `{found[1]} {field.units[0]}` ({units})",
            f"{{unit: {field.units[0]}}}",
        )
    usual = usual_unit(unit, field.units)
    if usual is None:
        near = next((one for one in field.units if one.casefold() == unit.casefold()), None)
        choice = f"`{near}`" if near else joined([f"`{one}`" for one in field.units], "or")
        raise CellError(f"has a unit that `{field.name}` does not take", f"write {choice}")
    quantity = text_of({"value": number, "unit": usual})
    if parse(quantity, field.units) is None:
        raise CellError("is not a number with a unit", f"write it like `12 {field.units[0]}`")
    return quantity


def _reference(field: Field, text: str, reading: Reading) -> Value:
    return int(text) if field.numbered and re.fullmatch("[1-9][0-9]{0,15}", text) else text


def _list(field: Field, text: str, reading: Reading) -> Value:
    return [_element(field, part, reading) for part in elements_of(text, reading.commas)]


def _element(field: Field, text: str, reading: Reading) -> Value:
    if field.kind == "numbers":
        return number_of(text, reading)
    if field.kind == "references":
        return _reference(field, text, reading)
    return _choice(field, text) if field.enum else text


def elements_of(text: str, commas: bool = False) -> list[str]:
    """The elements of a list in a cell.

    Raises:
        CellError: its quotes do not match.
    """
    separator = "," if commas and ";" not in text else ";"
    try:
        (row,) = csv.reader([text], delimiter=separator, skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        raise CellError(
            "has quotes that do not match",
            "put an element with `;` in double quotes, and double those inside it",
        ) from None
    quoted = '"' in text
    elements = row if quoted else [part.strip() for part in row]
    return elements if quoted else [part for part in elements if part]


def _json(field: Field, text: str, reading: Reading) -> Value:
    try:
        value = read_json(text)
    except ValueError as error:
        raise CellError("is not JSON", f"{error}") from None
    wanted = _SHAPES.get(field.kind)
    if field.kind == "details":
        wanted = list if field.details and field.details.rows else dict
    if wanted is not None and not isinstance(value, wanted):
        shape = "a list: `[...]`" if wanted is list else "an object: `{...}`"
        raise CellError(f"is JSON, but `{field.name}` is {shape}", f"write {shape}")
    return value


_SHAPES: dict[str, type] = {"map": dict, "members": dict, "items": list, "rows": list}


def _scalar(field: Field, text: str, reading: Reading) -> Value:
    """A number where every reader of YAML sees one, else the text."""
    if reading.decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        return number_of(text, reading)
    if not NUMBER.fullmatch(text):
        return text
    try:
        return _exact(text)
    except CellError:
        return text


_READERS: dict[str, Callable[[Field, str, Reading], Value]] = {
    "id": _text,
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "instant": _instant,
    "quantity": _quantity,
    "reference": _reference,
    "references": _list,
    "list": _list,
    "numbers": _list,
    "items": _json,
    "map": _json,
    "json": _json,
    "details": _json,
    "members": _json,
    "rows": _json,
    "scalar": _scalar,
}
