"""What to type in place of a value that does not have the format of its field."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

from stemctl.schema.patterns import FORMATS

UUID = "an id looks like `01234567-89ab-cdef-0123-456789abcdef`"

_WORDS = {
    "uuid": ("this is not a UUID", UUID),
    "uri": (
        "this is not a URL",
        "begin it with https://, http:// or ftp://, and write spaces as %20",
    ),
    "email": ("this is not an e-mail address", "write `NAME@DOMAIN`"),
}


def format_hint(name: str, text: str) -> tuple[str, str]:
    """Message and remedy for a text that does not have the format `name`."""
    message, remedy = _WORDS[name]
    for guess in _guesses(name, text):
        if re.search(FORMATS[name], guess):
            return message, f"write `{guess}`"
    return message, remedy


def _guesses(name: str, text: str) -> Iterator[str]:
    """What the author may have meant; the format decides whether a guess is valid."""
    if name == "uuid":
        digits = re.sub("[^0-9A-Fa-f]", "", text)
        if len(digits) == 32:
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
_DAY_EXAMPLE = "write a day as `2024-03-12`"
_EXAMPLE = f"{_DAY_EXAMPLE}, a time as `2024-03-12T14:00:00+01:00` or `2024-03-12T13:00:00Z` (UTC)"


def date_remedy(text: str, with_time: bool, is_local: bool = False) -> str:
    """What to type instead of `text`, where a date is expected, or a date `with_time`; a time needs
    no offset if it `is_local`.
    """
    match = _LOOSE.fullmatch(text.strip()) or _COMPACT.fullmatch(text.strip())
    if not match:
        return _EXAMPLE if with_time else _DAY_EXAMPLE
    year, month, day = (int(match[part]) for part in ("year", "month", "day"))
    if not year:
        return "there is no year 0000"
    if not 1 <= month <= 12:
        return f"there is no month {match['month']}"
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        return f"{calendar.month_name[month]} {year} has {days} days"
    date = f"{year:04}-{month:02}-{day:02}"
    if not with_time or not match["hour"]:
        return f"write `{date}`"
    return _time_remedy(date, match, is_local)


def _time_remedy(date: str, match: re.Match[str], is_local: bool) -> str:
    hour, minute, second = match["hour"], match["minute"], match["second"] or "00"
    if int(hour) > 23 or int(minute) > 59 or float(second) >= 60:
        return "hours go up to 23, minutes and seconds to 59"
    time = f"{int(hour):02}:{minute}:{second}"
    if match["offset"]:
        offset = _offset(match["offset"])
        if offset[1:3] > "14":
            return "offsets go up to 14:00"
        return f"write `{date}T{time}{offset}`"
    return f"write `{date}T{time}`" if is_local else _with_offset(date, time)


def _offset(written: str) -> str:
    if not written.startswith(("+", "-")):
        return "Z"
    digits = written[1:].replace(":", "").ljust(4, "0")
    return f"{written[0]}{digits[:2]}:{digits[2:]}"


def _with_offset(date: str, time: str) -> str:
    """Two ways to write a time without an offset: local time in Central Europe, and UTC."""
    whole, dot, fraction = time.partition(".")
    local = datetime.fromisoformat(f"{date}T{whole}")
    if (local.year, local.month, local.day) == (1, 1, 1):
        return f"write `{date}T{time}Z` (UTC)"
    utc = local - timedelta(hours=1)
    day = "..." if utc.date() == local.date() else utc.date().isoformat()
    return (
        f"write `{date}T{time}+01:00`, or `{day}T{utc:%H:%M:%S}{dot}{fraction}Z` (UTC), "
        "or set a `time_zone:` in stemctl.yaml"
    )
