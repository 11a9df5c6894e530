"""Times that are written without an offset, read in the time zone of the lab.

They get their offset before anything else looks at them, so that plans, states and requests hold
moments that mean the same everywhere.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stemctl.core.diagnostics import Diagnostic
from stemctl.manifests.document import Document, Node
from stemctl.manifests.record_nodes import default_nodes, record_nodes
from stemctl.schema.catalog import Catalog
from stemctl.schema.patterns import LOCAL_INSTANT
from stemctl.util.json_types import Path
from stemctl.util.late_pattern import late_pattern

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_LOCAL = late_pattern(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?")

_VALID = late_pattern(LOCAL_INSTANT)


def add_offsets(
    document: Document, catalog: Catalog, zone: ZoneInfo
) -> Iterator[tuple[Path, Diagnostic]]:
    """Give each time of a valid document its offset.

    Yields the path of a record, or of its defaults, and a finding for a time that does not exist in
    the zone, exists twice, or has an offset that cannot be written.
    """
    found = (record_nodes(document, catalog), default_nodes(document, catalog))
    for path, record, model in itertools.chain(*found):
        for field in model.moments:
            node = record.members.get(field.name) if field.kind == "instant" else None
            local = _local_time(node)
            if node is None or local is None:
                continue
            try:
                value = _with_offset(local, zone)
                # A new node: an alias may have the same text where it is not a time.
                record.members = {**record.members, field.name: Node(value, node.event)}
            except NotOneMoment as error:
                message, remedy = error.message, error.remedy
                yield (
                    path,
                    document.finding(
                        node.event, "bad-time", message, remedy, field=field.name, value=node.value
                    ),
                )


class NotOneMoment(ValueError):
    """A time that does not exist in its zone, exists twice, or has an offset without a form."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def with_offset(text: str, zone: ZoneInfo) -> str:
    """A valid local time with the offset that it has in `zone`.

    Raises:
        NotOneMoment: it is not exactly one moment there.
    """
    local = _LOCAL.fullmatch(text)
    return _with_offset(local, zone) if local else text


def _with_offset(local: re.Match[str], zone: ZoneInfo) -> str:
    readings = _readings(local[1], zone)
    if len(readings) == 1 and _is_written(readings[0]):
        return f"{local[0]}{_offset(readings[0])}"
    raise NotOneMoment(*_problem(local, readings, zone))


def _local_time(node: Node | None) -> re.Match[str] | None:
    """A valid time without an offset; the first group is without its fraction of a second."""
    text = node.value if node else None
    valid = isinstance(text, str) and _VALID.search(text)
    return _LOCAL.fullmatch(text) if valid and isinstance(text, str) else None


def _readings(local: str, zone: ZoneInfo) -> list[datetime.timedelta]:
    """The offsets that a time may have, the earlier moment first; two where clocks are set."""
    moment = datetime.datetime.fromisoformat(local).replace(tzinfo=zone)
    found = {moment.replace(fold=fold).utcoffset() for fold in (0, 1)}
    return sorted((offset for offset in found if offset is not None), reverse=True)


def _is_written(offset: datetime.timedelta) -> bool:
    """Whether RFC 3339 can write it: local mean times had seconds."""
    return not offset % datetime.timedelta(minutes=1)


def _offset(offset: datetime.timedelta) -> str:
    minutes = abs(offset) // datetime.timedelta(minutes=1)
    sign = "-" if offset < datetime.timedelta() else "+"
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


def _problem(
    local: re.Match[str], readings: list[datetime.timedelta], zone: ZoneInfo
) -> tuple[str, str]:
    """Message and remedy for a time that is not exactly one moment."""
    moment = datetime.datetime.fromisoformat(local[1])
    fraction = local[0][len(local[1]) :]
    if len(readings) == 1:
        message = f"the offset of {zone.key} was {readings[0]} then, which has no short form"
        return message, f"write it in UTC: `{_written(moment, fraction, readings[0])}`"
    if moment.replace(tzinfo=zone).utcoffset() == readings[0]:
        message = f"clocks were set back in {zone.key}, so this time exists twice"
        first, second = (_written(moment, fraction, offset) for offset in readings)
        return message, f"write `{first}` for the first, `{second}` for the second"
    # Each reading with the offset of its own side of the gap.
    after, before = readings
    earlier = _written(moment - after + before, fraction, before)
    later = _written(moment - before + after, fraction, after)
    message = f"clocks were set forward in {zone.key}, so this time does not exist"
    return message, f"write `{earlier}` or `{later}`"


def _written(local: datetime.datetime, fraction: str, offset: datetime.timedelta) -> str:
    """A moment as a manifest can say it: with its offset, or in UTC where that has no form."""
    if _is_written(offset):
        return f"{local.isoformat()}{fraction}{_offset(offset)}"
    return f"{(local - offset).isoformat()}{fraction}Z"
