"""What live records of one model are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from stemctl.core.snapshot import Completeness, Reading
from stemctl.planning.identity import Key, live_keys
from stemctl.planning.reference_names import weak_names
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


class LiveNames:
    """The records of one reading by what tells them apart (`unique`) and by what people call them
    (`weak`).
    """

    def __init__(self, model: Model | None, reading: Reading | None) -> None:
        self.model = model
        self.reading = reading
        self.records: Mapping[str, Fields] = reading.records if reading else {}

    @cached_property
    def unique(self) -> Mapping[Key, list[str]]:
        """The ids of each unique name, or of values that are unique together."""
        return live_keys(self.model, self.records) if self.model else {}

    @cached_property
    def weak(self) -> Mapping[str, list[str]]:
        """The ids of each name that need not be unique."""
        found: dict[str, list[str]] = {}
        for id_, fields in self.records.items():
            for name in weak_names(self.model, fields) if self.model else ():
                found.setdefault(name, []).append(id_)
        return found

    @property
    def is_complete(self) -> bool:
        """Whether these are all records that this account can see."""
        return self.reading is not None and self.reading.completeness is Completeness.COMPLETE

    def texts(self) -> Iterator[str]:
        """The names, for proposals."""
        yield from (key for key in self.unique if isinstance(key, str))
        yield from self.weak
