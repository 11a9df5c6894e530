"""What to type in place of a date or a time that is written in another way."""

from __future__ import annotations

import calendar
import re
from datetime import datetime

from msgspec import Struct

from stemctl.manifests.local_times import NotOneMoment, with_offset
from stemctl.schema.patterns import INSTANT
from stemctl.util.late_pattern import late_pattern

_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr, ("",) * 9 + ("Sept",))
    for number, name in enumerate(names)
    if name
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?"
_REST = r"(?P<rest>.*)"
_YEAR_FIRST = (
    rf"(?P<year>\d{{4}})[-/. ](?P<month>\d{{1,2}})[-/. ](?P<day>\d{{1,2}}){_REST}",
    rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}}){_REST}",
)
_WITH_WORDS = (
    rf"{_DAY}[ -]*(?:of )?(?P<word>{_MONTH})\b\.?[ ,-]*(?P<year>\d{{4}}){_REST}",
    rf"(?P<word>{_MONTH})\b\.? *{_DAY},? +(?P<year>\d{{4}}){_REST}",
    rf"(?P<word>{_MONTH})\b\.? *{_DAY},? (?P<rest>\d.*) (?P<year>\d{{4}})",
)
_YEAR_LAST = (
    rf"(?P<one>\d{{1,2}})(?P<mark>[./-])(?P<two>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d\d){_REST}"
)
_TIME = late_pattern(
    r"[T ,_]*(?P<hour>\d{1,2})(?:[:.h]?(?P<minute>\d{2})(?:[:.m]?(?P<second>\d{2})"
    r"(?:[.,](?P<fraction>\d{1,9})\d*)?s?)?m?|h|(?= ?[ap]\.?m))"
    r"\s*(?P<half>[ap])?(?(half)\.?m\.?)\s*(?P<zone>.*)",
    re.ASCII | re.IGNORECASE,
)
_OFFSET = late_pattern(
    r"(?:UTC|GMT)?\s*(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?", re.IGNORECASE
)
_ZONES = {
    **dict.fromkeys(("z", "utc", "gmt", "wet"), "Z"),
    **dict.fromkeys(("cet", "mez", "west"), "+01:00"),
    **dict.fromkeys(("cest", "mesz", "eet"), "+02:00"),
    "eest": "+03:00",
    "jst": "+09:00",
    "edt": "-04:00",
    "est": "-05:00",
    "pdt": "-07:00",
    "pst": "-08:00",
}
"""Names of zones that mean one offset alone: CST is in America and in China."""

EXAMPLE_ZONE = "Europe/Copenhagen"
"""A zone whose time is an example; the message says that it is of this zone."""

_DAY_EXAMPLE = "write a day as `2024-03-12`"
_EXAMPLE = f"{_DAY_EXAMPLE}, a time as `2024-03-12T14:00:00+01:00` or `2024-03-12T13:00:00Z` (UTC)"


class _Day(Struct, frozen=True):
    """A day as it may have been meant; `rest` is what is written behind it."""

    year: int
    month: int
    day: int
    rest: str
    is_read_in_order: bool = True
    """Whether year, month and day are in the order of ISO 8601, or the month is a word."""

    @property
    def fault(self) -> str:
        """Why there is no such day; empty if there is one."""
        if not self.year:
            return "there is no year 0000"
        if not 1 <= self.month <= 12:
            return f"there is no month {self.month:02}"
        days = calendar.monthrange(self.year, self.month)[1]
        if not 1 <= self.day <= days:
            return f"{calendar.month_name[self.month]} {self.year} has {days} days"
        return ""

    @property
    def date(self) -> str:
        """The day in the notation of ISO 8601."""
        return f"{self.year:04}-{self.month:02}-{self.day:02}"

    @property
    def words(self) -> str:
        """The day in words, since its order was a guess."""
        return f"{self.day} {calendar.month_name[self.month]} {self.year}"


def date_remedy(text: str, with_time: bool, is_local: bool = False) -> str:
    """What to type instead of `text`, where a date is expected, or a date `with_time`; a time needs
    no offset if it `is_local`.
    """
    days = _days(_normal(text))
    possible = [day for day in days if not day.fault] or days[:1]
    if not possible:
        return _without_day(text, with_time)
    if len(possible) == 2:
        moments = [_moment(day, with_time, is_local) or day.date for day in possible]
        choices = [f"`{m}` for {day.words}" for m, day in zip(moments, possible, strict=True)]
        return f"write {', '.join(choices)}"
    [day] = possible
    if day.fault:
        return day.fault
    remedy = _one_remedy(day, with_time, is_local)
    is_sure = day.is_read_in_order or not remedy.endswith("`")
    return remedy if is_sure else f"{remedy} for {day.words}"


def _normal(text: str) -> str:
    """The text without quotes and names of weekdays, with plain hyphens and spaces."""
    text = re.sub("[‐‑‒–—−]", "-", text)
    text = re.sub(r"[\s\u00a0\u202f]+", " ", text).strip(" \"'“”‘’")
    days = "|".join([*calendar.day_name, *calendar.day_abbr])
    return re.sub(rf"^(?:{days})\b[.,]* *", "", text, flags=re.IGNORECASE)


def _days(text: str) -> list[_Day]:
    """The days that a text may begin with: two if day and month could be either."""
    for pattern in _YEAR_FIRST:
        if match := re.fullmatch(pattern, text, re.ASCII):
            return [_Day(int(match["year"]), int(match["month"]), int(match["day"]), match["rest"])]
    for pattern in _WITH_WORDS:
        if match := re.fullmatch(pattern, text, re.ASCII | re.IGNORECASE):
            month = _MONTHS[match["word"].lower()]
            return [_Day(int(match["year"]), month, int(match["day"]), match["rest"])]
    if match := re.fullmatch(_YEAR_LAST, text, re.ASCII):
        return _either_order(match)
    return []


def _either_order(match: re.Match[str]) -> list[_Day]:
    """Day and month before the year. With dots, the day is first everywhere."""
    year, one, two = int(match["year"]), int(match["one"]), int(match["two"])
    if year < 100:
        year += 2000
    days = [_Day(year, two, one, match["rest"], is_read_in_order=False)]
    if match["mark"] != "." and one != two:
        days.append(_Day(year, one, two, match["rest"], is_read_in_order=False))
    return days


def _without_day(text: str, with_time: bool) -> str:
    """The remedy for a text that begins with no day."""
    normal = _normal(text)
    if re.fullmatch(r"\d{4}-\d{2}", normal, re.ASCII):
        return f"add the day, such as `{normal}-01`"
    match = _TIME.fullmatch(normal)
    if with_time and match and match["minute"] and not normal.isdigit():
        time = _time(match)
        if time:
            return f"add the day, and write it as `2024-03-12T{time}+01:00`"
    return _EXAMPLE if with_time else _DAY_EXAMPLE


def _one_remedy(day: _Day, with_time: bool, is_local: bool) -> str:
    """The remedy for a day that exists."""
    if not with_time or not day.rest.strip():
        return f"write `{day.date}`"
    match = _TIME.fullmatch(day.rest)
    if not match:
        return _EXAMPLE
    time = _time(match)
    if not time:
        return "hours go up to 23, minutes and seconds to 59"
    zone = match["zone"].strip()
    if not zone and is_local:
        return f"write `{day.date}T{time}`"
    if not zone:
        return _with_offset(day.date, time)
    offset = _offset(zone, f"{day.date}T{time[:8]}")
    if offset == "":
        return "offsets go up to 14:00"
    return f"write `{day.date}T{time}{offset}`" if offset else _with_offset(day.date, time)


def _moment(day: _Day, with_time: bool, is_local: bool) -> str:
    """Day and time with its offset; empty if there is no time, or if its offset is not known."""
    match = re.fullmatch(r"write `([^`]*)`", _one_remedy(day, with_time, is_local))
    return match[1] if match else ""


def _time(match: re.Match[str]) -> str:
    """The time in the notation of ISO 8601; empty if there is none such."""
    hour, minute, second = int(match["hour"]), match["minute"] or "00", match["second"] or "00"
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    if hour > 23 or int(minute) > 59 or int(second) > 59:
        return ""
    fraction = f".{match['fraction']}" if match["fraction"] else ""
    return f"{hour:02}:{minute}:{second}{fraction}"


def _offset(zone: str, moment: str) -> str | None:
    """The offset of a zone at a moment; None if it is not known, empty if it cannot be."""
    zone = zone.strip("()")
    if match := re.fullmatch(r"(.*?)\[(.*)\]", zone):
        zone = match[1] or match[2]
    if zone.lower() in _ZONES:
        return _ZONES[zone.lower()]
    if match := _OFFSET.fullmatch(zone):
        if int(match["hours"]) > 14 or int(match["minutes"] or 0) > 59:
            return ""
        return f"{match['sign']}{int(match['hours']):02}:{match['minutes'] or '00'}"
    import zoneinfo  # most files have no time with the name of a zone

    try:
        place = zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None
    return datetime.fromisoformat(moment).replace(tzinfo=place).isoformat()[-6:]


def _with_offset(day: str, time: str) -> str:
    """Ways to write a time without an offset. It may be from any place, so two are named."""
    local = f"{day}T{time}"
    example = in_example_zone(local)
    there = f"`{example}` for {EXAMPLE_ZONE}, " if example else ""
    return f"write {there}`{local}Z` for UTC, or set a `time_zone:` in stemctl.yaml"


def in_example_zone(local: str) -> str:
    """A time with the offset that `EXAMPLE_ZONE` has at that moment; empty if there is none."""
    import zoneinfo  # most files have no such time

    try:
        moment = with_offset(local, zoneinfo.ZoneInfo(EXAMPLE_ZONE))
    except (NotOneMoment, OverflowError, zoneinfo.ZoneInfoNotFoundError):
        return ""
    return moment if re.search(INSTANT, moment) else ""
