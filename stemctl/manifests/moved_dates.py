"""Dates and times of a record that is copied to another day."""

from __future__ import annotations

import datetime

from stemctl.util.late_pattern import late_pattern

_DAY = late_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COMPACT = late_pattern(r"(?<![0-9])(20[0-9]{2})([0-9]{2})([0-9]{2})(?![0-9])")
_TO_SECONDS = 19


def shifted(value: str, old: str, new: str) -> str:
    """A moment that lies on the day of `old`, as long after `new` as it was after `old`.

    One on another day stays, and so does what is no date.
    """
    if value[:10] != old[:10] or not _DAY.match(value):
        return value
    try:
        days = datetime.date.fromisoformat(new[:10]) - datetime.date.fromisoformat(old[:10])
        if min(map(len, (value, old, new))) < _TO_SECONDS:
            return f"{datetime.date.fromisoformat(value[:10]) + days}{value[10:]}"
        start, end, own = (
            datetime.datetime.fromisoformat(text[:_TO_SECONDS]) for text in (old, new, value)
        )
        rest = value[_TO_SECONDS:]
        if rest == old[_TO_SECONDS:]:
            rest = new[_TO_SECONDS:]
        return f"{(own + (end - start)).isoformat()}{rest}"
    except (ValueError, OverflowError):
        return value


def in_zone(value: str, zone: datetime.tzinfo | None) -> str:
    """A moment as the clock of the lab shows it, without an offset; anything else as it is."""
    if zone is None or len(value) < _TO_SECONDS:
        return value
    try:
        moment = datetime.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return value
        return moment.astimezone(zone).replace(tzinfo=None).isoformat()
    except (ValueError, OverflowError):
        return value


def on_day_of(value: str, old_name: str, new_name: str) -> str:
    """A moment moved to the day that a new name has where the old one has that of the moment;
    empty if they do not say it.
    """
    before, after = _day_in(old_name), _day_in(new_name)
    if not before or not after or value[:10] != before:
        return ""
    return f"{after}{value[10:]}"


def _day_in(name: str) -> str:
    found = _DAY.search(name)
    text = found[0] if found else ""
    if not text and (compact := _COMPACT.search(name)):
        text = "-".join(compact.groups())
    try:
        return datetime.date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        return ""
