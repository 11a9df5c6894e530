"""Who is invited to become a member of a record: by the invitations that the server lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from stemctl.core.records import Record
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import Entry
from stemctl.planning.compare_fields import BoundRecord
from stemctl.planning.in_doubt import not_settled
from stemctl.planning.members import as_written, key_of, members_of
from stemctl.planning.merge_members import NOBODY_KNOWN, Invited
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

Keys = frozenset[str] | None
"""Who is invited to a record; None if an invited person cannot be seen."""


def invitations_to(catalog: Catalog, model: Model, row: Field) -> tuple[Model, Model] | None:
    """The model of the invitations to join a record in one of its fields, and that of those who
    are invited; None if there is none.
    """
    for found in catalog.models.values():
        joining = found.joining
        if joining is None or joining.asked or joining.within != row.name:
            continue
        if found.fields[joining.to].to == model.name:
            who = catalog.models.get(found.fields[joining.member].to or "")
            return None if who is None else (found, who)
    return None


def perhaps_invited(record: Record, entry: Entry, model: Model) -> Iterator[tuple[Field, set[str]]]:
    """The fields with members, each with the names that are declared and not known to be there."""
    for row in model.managed:
        if row.kind != "members" or row.name not in record.fields:
            continue
        declared = record.fields[row.name]
        last = entry.observed.get(row.name, entry.applied.get(row.name))
        unknown = members_of(row, declared).keys() - members_of(row, last).keys()
        names = as_written(declared)
        if unknown:
            yield row, {names[key].strip() for key in unknown}


class Invitations(Struct, frozen=True):
    """The invitations of a snapshot."""

    catalog: Catalog
    snapshot: Snapshot
    _known: dict[str, Mapping[str, Keys]] = field(default_factory=dict)

    def of(self, bound: BoundRecord, row: Field) -> Invited:
        """Who is invited to a declared record, or may be, since the answer was lost."""
        if row.kind != "members":
            return NOBODY_KNOWN
        known, doubts = self.to(bound.model, row, bound.binding.id), bound.entry.pending
        if not row.invites:  # a member who was sent twice is a member once
            doubts = ()
        elif known is not None:
            doubts = not_settled(doubts, self.snapshot.began)
        sent = {key for doubt in doubts for key in members_of(row, doubt.body.get(row.name))}
        return Invited(known, frozenset(sent))

    def to(self, model: Model, row: Field, id_: str) -> Keys:
        """Who is invited to a record, by key; None if that could not be read."""
        pair = invitations_to(self.catalog, model, row) if row.kind == "members" else None
        reading = self.snapshot.readings.get(pair[0].name) if pair else None
        if pair is None or reading is None or not reading.sound:
            return None
        if pair[0].name not in self._known:
            self._known[pair[0].name] = self._by_record(*pair, reading.records)
        return self._known[pair[0].name].get(id_.lower(), frozenset())

    def _by_record(
        self, invitations: Model, who: Model, records: Mapping[str, Fields]
    ) -> dict[str, Keys]:
        """Id of a record to those who are invited to it."""
        joining = invitations.joining
        assert joining is not None
        people = self.snapshot.readings.get(who.name)
        found: dict[str, Keys] = {}
        for fields in records.values():
            record, member = _id(fields.get(joining.to)), _id(fields.get(joining.member))
            person = people.records.get(member) if people else None
            name = person.get(who.identity or "") if person else None
            others = found.get(record, frozenset())
            is_known = isinstance(name, str) and others is not None
            # Somebody who cannot be seen may be anybody.
            found[record] = (others or frozenset()) | {key_of(str(name))} if is_known else None
        return found


def _id(reference: Value) -> str:
    """The id in a reference, which may include the record."""
    return str(reference.get("id") if isinstance(reference, dict) else reference).lower()
