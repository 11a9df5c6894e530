"""Live records of a model without a unique name, found by what they hold.

Comparing each declared record with every live one would take a square of their number. So live
records are grouped by the values that each of them must have, with the parent among them: what
equals a body is in one small group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stemctl.planning.values import canonical
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.canonical_json import hash_of
from stemctl.util.json_types import Fields

_PLAIN = frozenset(
    {"text", "date", "instant", "reference", "references", "number", "integer", "boolean"}
)


class ContentIndex:
    """The records of one reading, by what all records of the model must have."""

    def __init__(self, model: Model, records: Mapping[str, Fields]) -> None:
        self.model = model
        self.records = records
        self._rows: tuple[Field, ...] = tuple(
            row
            for row in model.managed
            if row.required and row.shown and not row.proposal and row.kind in _PLAIN
        )
        self._groups: dict[str, list[str]] = {}
        self._odd: list[str] = []
        """Records that lack such a value, against the rules of the API: they may equal anything."""
        for id_, fields in records.items():
            if all(row.name in fields for row in self._rows):
                self._groups.setdefault(self._hash(fields), []).append(id_)
            else:
                self._odd.append(id_)

    def like(self, body: Fields) -> Iterator[str]:
        """The ids of the records that may have the content of a body."""
        yield from self._groups.get(self._hash(body), ())
        yield from self._odd

    def _hash(self, fields: Fields) -> str:
        return hash_of([canonical(row, fields.get(row.name)) for row in self._rows])
