"""Cells of tables: a value as the text of a cell, and back, by the kind of its field.

The texts are the same in CSV, TSV and XLSX. An empty cell says nothing about its field, `-` clears
it. A `'` in front keeps a spreadsheet from running a text or taking it for something else:

    Baseline sleep      a text, a name, a date, a number, `20 kHz`
    sleep;"a;b"         a list; an element with `;` is quoted
    {"sr": "20 kHz"}    JSON: a whole map, list of mappings, or details
    '=SUM(A1)  '-  ''   the texts `=SUM(A1)`, `-` and `'`
"""

from __future__ import annotations

import enum
import json
import re

from stemctl.manifests.scalars import LARGEST_EXACT
from stemctl.schema.fields import Field
from stemctl.schema.quantities import is_quantity, text_of
from stemctl.util.json_equality import one_spelling
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

SCALAR = Field("", "scalar", "A text or a number.", "")
"""An entry of a map: the only kind of value whose type its text decides."""

LISTS = frozenset({"list", "references", "numbers"})
"""Kinds that are joined by `;`."""

_RUN = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet takes for the beginning of a formula or a command, and our own mark."""

NUMBER = late_pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)


class Cell(enum.Enum):
    """What a cell says that holds no value."""

    EMPTY = "the field is not written"
    CLEAR = "the field is cleared"


def cell_text(field: Field, value: Value) -> str:
    """The text of a cell with a value of `field`, as in a manifest or as the server has it.

    A value that is missing or empty is an empty cell.
    """
    if value is None or value in ("", [], {}):
        return ""
    text = _text(field, value)
    plain = isinstance(value, int | float)
    return text if plain or not _needs_mark(text, field) else f"'{text}"


def _text(field: Field, value: Value) -> str:
    if field.kind == "quantity" and is_quantity(value):
        return text_of(value)
    if field.kind in LISTS and isinstance(value, list) and not any(map(_is_nested, value)):
        return ";".join(_element(str(_scalar(one))) for one in value)
    if _is_nested(value) or field.kind == "json":
        return json.dumps(one_spelling(value), ensure_ascii=False)
    return _scalar(value)


def _is_nested(value: Value) -> bool:
    return isinstance(value, list | dict)


def _scalar(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(plain_number(value))


def plain_number(value: Value) -> Value:
    """A number without the `.0` that whole numbers need not have."""
    is_small = isinstance(value, float) and abs(value) <= LARGEST_EXACT
    return one_spelling(value) if is_small else value


def _element(text: str) -> str:
    """An element of a list, in quotes where it would be read as something else."""
    if text and text == text.strip() and not re.search('^"|[;\r\n]', text):
        return text
    return '"{}"'.format(text.replace('"', '""'))


def _needs_mark(text: str, field: Field) -> bool:
    if text.startswith(_RUN) or text != text.strip():
        return True
    return field.kind == "scalar" and NUMBER.fullmatch(text) is not None


def without_mark(text: str) -> tuple[str, bool]:
    """The text that a cell means, and whether its mark says that it is to be taken as it is."""
    rest = text[1:]
    marked = text.startswith("'") and bool(rest)
    if marked and (rest.startswith(_RUN) or rest != rest.strip() or NUMBER.fullmatch(rest)):
        return rest, True
    return text.strip(), False
