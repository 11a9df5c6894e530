"""What to type in place of a value that is not in the form its field expects."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

from stemctl.schema.patterns import FORMATS

UUID = "an id looks like 01234567-89ab-cdef-0123-456789abcdef"

_WORDS = {
    "uuid": ("not a UUID", UUID),
    "uri": (
        "not an address on the web",
        "begin it with https://, http:// or ftp://, and write spaces as %20",
    ),
    "email": ("not an e-mail address", "write NAME@DOMAIN"),
}


def format_hint(name: str, text: str) -> tuple[str, str]:
    """Message and remedy for a text that is not in the format `name`."""
    message, remedy = _WORDS[name]
    better = next(
        (guess for guess in _guesses(name, text) if re.search(FORMATS[name], guess)), None
    )
    return message, f"write {better}" if better else remedy


def _guesses(name: str, text: str) -> Iterator[str]:
    """What may be meant, to be judged by the format itself."""
    if name == "uuid" and len(digits := re.sub("[^0-9A-Fa-f]", "", text)) == 32:
        yield "-".join(digits[start:end] for start, end in pairwise((0, 8, 12, 16, 20, 32)))
    if name == "uri":
        encoded = quote(text.strip(), safe="/:?#[]@!$&'()*+,;=%~")
        yield encoded
        if re.match(r"[\w-]+(\.[\w-]+)+(/|$)", text, re.ASCII):
            yield f"https://{encoded}"


_LOOSE = re.compile(
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
    r"(?:[Tt ,_]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d{1,9})?))?"
    r"\s*(?P<offset>[Zz]|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?",
    re.ASCII,
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?P<hour>)(?P<minute>)(?P<second>)(?P<offset>)",
    re.ASCII,
)
_EXAMPLE = (
    "write a day as 2024-03-12, a time as 2024-03-12T14:00:00+01:00 or 2024-03-12T13:00:00Z (UTC)"
)
_DAY_EXAMPLE = "write a day as 2024-03-12"


def date_remedy(text: str, with_time: bool) -> str:
    """What to type instead of `text`, where a day is wanted or a day `with_time`."""
    match = _LOOSE.fullmatch(text.strip()) or _COMPACT.fullmatch(text.strip())
    if not match:
        return _EXAMPLE if with_time else _DAY_EXAMPLE
    year, month, day = (int(match[part]) for part in ("year", "month", "day"))
    if not (1 <= month <= 12 and year):
        return f"there is no month {match['month']} in a year" if year else "there is no year 0000"
    if not 1 <= day <= (days := calendar.monthrange(year, month)[1]):
        return f"{calendar.month_name[month]} {year} has {days} days"
    date = f"{year:04}-{month:02}-{day:02}"
    if not with_time or not match["hour"]:
        return f"write {date}"
    if int(match["hour"]) > 23 or int(match["minute"]) > 59 or float(match["second"] or 0) >= 60:
        return "hours go up to 23, minutes and seconds to 59"
    time = f"{int(match['hour']):02}:{match['minute']}:{match['second'] or '00'}"
    return (
        f"write {date}T{time}{_offset(match['offset'])}"
        if match["offset"]
        else _with_offset(date, time)
    )


def _offset(written: str) -> str:
    if not written.startswith(("+", "-")):
        return "Z"
    digits = written[1:].replace(":", "").ljust(4, "0")
    return f"{written[0]}{digits[:2]}:{digits[2:]}"


def _with_offset(date: str, time: str) -> str:
    """Two ways to write a time that says nothing of its zone, as somebody an hour east of Greenwich
    would.
    """
    whole, dot, fraction = time.partition(".")
    local = datetime.fromisoformat(f"{date}T{whole}")
    if local.year == 1 and local.month == 1 and local.day == 1:
        return f"write {date}T{time}Z (UTC)"
    utc = local - timedelta(hours=1)
    day = "..." if utc.date() == local.date() else utc.date().isoformat()
    return f"write {date}T{time}+01:00, or {day}T{utc:%H:%M:%S}{dot}{fraction}Z (UTC)"
