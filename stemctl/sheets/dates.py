"""Dates and times in cells. One that can be read in two ways is refused with both readings."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

from stemctl.manifests.date_hints import EXAMPLE_ZONE, in_example_zone
from stemctl.manifests.local_times import NotOneMoment, with_offset
from stemctl.schema.patterns import DATE, INSTANT
from stemctl.sheets.problems import UNSURE_DAY, CellError
from stemctl.util.late_pattern import late_pattern

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

ORDERS = {"D/M/Y": "DMY", "M/D/Y": "MDY", "Y/M/D": "YMD"}
"""The orders that a map may name, with any separator: `D.M.Y`, `D-M-Y`."""

_DAY = r"(?P<a>[0-9]{1,4})(?P<sep>[-/.])(?P<b>[0-9]{1,2})(?P=sep)(?P<c>[0-9]{1,4})"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<part>\.[0-9]{1,9})?)?"
    r"\s?(?P<half>[AaPp][Mm])?"
)
_OFFSET = r"(?P<offset>[Zz]|[-+][0-9]{2}:?[0-9]{2})"
_MOMENT = late_pattern(rf"{_DAY}(?:(?:[Tt]|\s+){_CLOCK}(?:\s?{_OFFSET})?)?", re.ASCII)

_ISO_DAY = "write it like `2024-03-12`"
_ISO_TIME = "write it like `2024-03-12 14:00` or `2024-03-12T14:00:00+01:00`"


def read_date(text: str, order: str = "") -> str:
    """A day, `2024-03-12`. A midnight after it, which spreadsheets add, is left out.

    Raises:
        CellError: it is no day, or could be two.
    """
    found = _MOMENT.fullmatch(text)
    if not found:
        raise CellError("is not a date", _ISO_DAY)
    day = _day(found, order)
    if found["hour"] and _clock(found) != "00:00:00":
        raise CellError("has a time, and this field is a day", f"write `{day}`")
    return day


def read_instant(text: str, order: str = "", zone: ZoneInfo | None = None) -> str:
    """A moment with its offset, or a day alone.

    Raises:
        CellError: it is no moment, could be two, or has no time zone.
    """
    found = _MOMENT.fullmatch(text)
    if not found:
        raise CellError("is not a date with a time", _ISO_TIME)
    day = _day(found, order)
    if not found["hour"]:
        return day
    local = f"{day}T{_clock(found)}"
    if found["offset"]:
        moment = local + _offset(found["offset"])
    elif zone is None:
        raise CellError("has no time zone", _zone_remedy(local))
    else:
        try:
            moment = with_offset(local, zone)
        except NotOneMoment as error:
            raise CellError(f"is not one moment: {error.message}", error.remedy) from None
    if not re.search(INSTANT, moment):
        raise CellError("is not a moment that can be stored", _ISO_TIME)
    return moment


def _zone_remedy(local: str) -> str:
    """How to name the zone of a time: for the whole sheet, or in its cell."""
    return (
        f"add `--time-zone ZONE` with the zone of your lab, such as {EXAMPLE_ZONE}, "
        f"or write the offset, as in `{in_example_zone(local) or local + 'Z'}`"
    )


def _day(found: re.Match[str], order: str) -> str:
    """The day of a match, by the order of the column. One that begins with a year of four digits
    has no other reading, and dates of Excel come like that, so no order refuses it.
    """
    parts = found["a"], found["b"], found["c"]
    if len(found["a"]) == 4:
        return _checked("YMD", parts)
    if not order:
        raise _unsure(parts)
    if not order.startswith("Y") and len(found["c"]) != 4:
        raise CellError("has no year of four digits in the place where the map says", _ISO_DAY)
    if order.startswith("Y"):
        raise CellError("does not begin with the year, as the map says", _ISO_DAY)
    return _checked(order, parts)


def _unsure(parts: tuple[str, str, str]) -> CellError:
    """A date whose order is not certain, with its readings."""
    if len(parts[2]) != 4:
        return CellError("has no year of four digits", _ISO_DAY)
    readings = {name: _iso(order, parts) for name, order in ORDERS.items() if order[0] != "Y"}
    possible = {name: day for name, day in readings.items() if day}
    if not possible:
        return CellError("is a day that does not exist", _ISO_DAY)
    days = " or ".join(f"`{day}`" for day in dict.fromkeys(possible.values()))
    orders = [f"{{date: {name}}}" for name in possible]
    what = "can be read in two ways" if len(set(possible.values())) > 1 else "has no certain order"
    return CellError(what, f"write {days}", *orders, rule=UNSURE_DAY)


def _checked(order: str, parts: tuple[str, str, str]) -> str:
    day = _iso(order, parts)
    if day is None:
        raise CellError("is a day that does not exist", _ISO_DAY)
    return day


def _iso(order: str, parts: tuple[str, str, str]) -> str | None:
    """The day in ISO, if there is such a day."""
    named = dict(zip(order, parts, strict=True))
    try:
        day = datetime.date(int(named["Y"]), int(named["M"]), int(named["D"])).isoformat()
    except ValueError:
        return None
    return day if re.search(DATE, day) else None


def _clock(found: re.Match[str]) -> str:
    hour, half = int(found["hour"]), (found["half"] or "").casefold()
    if half and not 1 <= hour <= 12:
        raise CellError("is not a time of day", _ISO_TIME)
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    second = found["second"] or "00"
    if hour > 23 or int(found["minute"]) > 59 or int(second) > 59:
        raise CellError("is not a time of day", _ISO_TIME)
    return f"{hour:02}:{found['minute']}:{second}{found['part'] or ''}"


def _offset(text: str) -> str:
    if text in "Zz":
        return "Z"
    return text if ":" in text else f"{text[:3]}:{text[3:]}"
