"""What the server held when it was read: a reading of each model, and how complete it is."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator, Mapping, Set

from msgspec import Struct, field

from stemctl.util.json_types import Fields

Lookup = str | tuple[tuple[str, str], ...]
"""What a server is asked for, where not all records are read: a unique name, or the values of some
fields.
"""


class Completeness(enum.Enum):
    """Whether a reading may be taken as all there is."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    DENIED = "denied"


class Reading(Struct, frozen=True):
    """What the server held of one model when we looked, and whether we saw all of it.

    `records` maps ids to fields as answered. `total` is what the server says it has for us, None if
    it does not say. `missing` are ids that were asked for one by one and answered with 404,
    `hidden` those with 403; `absent` are names that were asked for one by one and are not there;
    `searched` is everything that was asked for, so that `records` has all that match. A complete
    reading knows of every record.
    """

    model: str
    completeness: Completeness
    records: Mapping[str, Fields]
    total: int | None = None
    missing: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    absent: frozenset[Lookup] = frozenset()
    searched: frozenset[Lookup] = frozenset()
    reason: str = ""

    @property
    def sound(self) -> bool:
        """Whether it may lead to a create or delete: everything was read, or every record that was
        requested by its id or name.
        """
        return self.completeness is Completeness.COMPLETE or not self.reason

    def lacks(self, name: str) -> bool:
        """True only if `name` is known not to be among the records that this account may see."""
        return self.completeness is Completeness.COMPLETE or (self.sound and name in self.absent)

    def has_all(self, lookups: Set[Lookup] | None) -> bool:
        """Whether all records that match one of these are among `records`."""
        if self.completeness is Completeness.COMPLETE:
            return True
        return lookups is not None and self.sound and lookups <= self.searched


class Snapshot(Struct, frozen=True):
    """All readings of one plan: of records by model, of approvals by the model they belong to."""

    readings: Mapping[str, Reading]
    approvals: Mapping[str, Reading] = field(default_factory=dict)
    began: datetime.datetime | None = None
    """When the reading began; None if it was not recorded."""
    remembered: bool = False
    """Whether it was made from the state, without reading the server."""

    def ids(self) -> Iterator[str]:
        """The ids of everything that was read, approvals among it."""
        for reading in (*self.readings.values(), *self.approvals.values()):
            yield from reading.records
