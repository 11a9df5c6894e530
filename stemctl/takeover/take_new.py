"""Which live records without an address a pull writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stemctl.core.address_patterns import matches
from stemctl.core.records import Address
from stemctl.schema.models import Model
from stemctl.takeover.live_addresses import LiveAddresses, parents_first
from stemctl.takeover.sides import Sides
from stemctl.takeover.take import ALIKE, INSIDE, REMOVED, TAKEN, Left, Takeover
from stemctl.takeover.unbound import Twins, unbound_records
from stemctl.util.json_types import Fields


def take_new(sides: Sides, found: Takeover, alike: Mapping[tuple[str, str], Address]) -> None:
    """Decide about the records that no file declares, parents before what is inside them. `alike`
    are those that a declared one may be.
    """
    taker = _Taker(sides, found, alike)
    models = {model.name: model for model in sides.selection.models}
    for model in parents_first(sides.catalog, models):
        taker.take(model)
    found.seen.update(taker.called.known.values())


@dataclass
class _Taker:
    """`status` says of each live record without a declared address what was decided: `new`, or why
    it is not written. `called` has the addresses that live records have or would have.
    """

    sides: Sides
    found: Takeover
    alike: Mapping[tuple[str, str], Address]
    status: dict[tuple[str, str], str] = field(default_factory=dict)
    called: LiveAddresses = field(init=False)

    def __post_init__(self) -> None:
        sides = self.sides
        self.called = LiveAddresses(sides.catalog, sides.repository, dict(sides.addresses))
        for address, entry in self.sides.identities.leftovers.items():
            if entry.id is not None and (address.model, entry.id) in self.called.known:
                self.status[address.model, entry.id] = REMOVED

    def take(self, model: Model) -> None:
        """Decide about the records of one model; those around them are decided."""
        reading = self.sides.snapshot.readings.get(model.name)
        if reading is None or not model.writable:
            return
        self._left_files(model, reading.records)
        bound = {id_ for name, id_ in self.called.known if name == model.name}
        unbound = unbound_records(model, reading, bound)
        doubled = self._twins(unbound.twins)
        for id_, fields in unbound.records.items():
            address = self.called.add(model, id_, fields)
            why = self._why_not(model, id_, fields, address, doubled)
            self.status[model.name, id_] = why or "new"
            if not why:
                self.found.new.setdefault(model.name, {})[id_] = fields
            elif why == TAKEN:
                self.found.left.append(Left(address, TAKEN, detail=id_))
            elif why == ALIKE:
                address = self.alike[model.name, id_]
                self.found.left.append(Left(address, ALIKE, detail=id_))

    def _left_files(self, model: Model, live: Mapping[str, Fields]) -> None:
        """Name the records that were taken out of the files since the last apply."""
        for address, entry in self.sides.identities.leftovers.items():
            if address.model != model.name or entry.id not in live:
                continue
            if (model.name, entry.id) not in self.sides.addresses:
                continue  # it was pulled elsewhere, and is written here as well
            names = (*self.sides.repository.forget, *self.sides.repository.deleted)
            is_given_up = any(matches(one.subject, address) for one in names)
            if self._selected(address) and not is_given_up:
                self.found.left.append(Left(address, REMOVED))

    def _twins(self, twins: Iterable[Twins]) -> set[str]:
        """The ids that are left because of a twin."""
        left: set[str] = set()
        for group in twins:
            open_ = [id_ for id_ in group.open if id_ not in self.sides.picked]
            if not any(self._is_wanted_twin(group, id_) for id_ in open_):
                continue
            left.update(open_)
            if len(open_) == len(group.open):
                self.found.twins.append(group)
        return left

    def _is_wanted_twin(self, group: Twins, id_: str) -> bool:
        model, fields = group.model, group.records[id_]
        return self._is_wanted(self.called.add(model, id_, fields), model, fields)

    def _why_not(
        self, model: Model, id_: str, fields: Fields, address: Address, doubled: set[str]
    ) -> str:
        """Why a record is not written; empty if it is."""
        parent = self.called.parent(model, fields)
        around = self._status_of(parent) if parent else ""
        if not self._is_wanted(address, model, fields):
            return "other"
        if (model.name, id_) in self.called.given_up:
            return "forget"
        if (model.name, id_) in self.alike:
            return ALIKE
        if id_ in doubled:
            return "twin"
        if around not in ("", "new", "declared", "other"):
            return INSIDE
        if model.embedded and around not in ("new", "declared"):
            return INSIDE
        if address in self.sides.repository.records and model.parent is None:
            return TAKEN
        return ""

    def _status_of(self, record: tuple[str, str]) -> str:
        """What was decided about a record; empty if it was not read."""
        return self.status.get(record, "declared" if record in self.called.known else "")

    def _is_wanted(self, address: Address, model: Model, fields: Fields) -> bool:
        """Whether a record is selected, or one around it."""
        if self._selected(address) or str(fields["id"]) in self._ids(model):
            return True
        parent = self.called.parent(model, fields)
        around = self.called.known.get(parent) if parent else None
        if around is None or parent is None:
            return False
        if self.sides.is_chosen(around):
            return True
        table = self.sides.catalog.models[parent[0]]
        reading = self.sides.snapshot.readings.get(parent[0])
        live = reading.records.get(parent[1]) if reading else None
        return live is not None and self._is_wanted(around, table, live)

    def _ids(self, model: Model) -> frozenset[str]:
        return self.sides.selection.ids.get(model.name, frozenset())

    def _selected(self, address: Address) -> bool:
        return self.sides.selection.matches(address)
