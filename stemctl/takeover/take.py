"""What a pull does, decided before anything is written: a value."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from msgspec import Struct, field

from stemctl.core.records import Address, Record
from stemctl.core.state import Entry
from stemctl.planning.bindings import Absent, Bound
from stemctl.planning.compare_fields import BoundRecord
from stemctl.planning.declared import written_rows
from stemctl.planning.detail_pairs import with_live_type
from stemctl.planning.values import is_empty, same
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.takeover.field_takeover import (
    CONFLICT,
    EDITED,
    REPLACE,
    FieldTakeover,
    as_file_writes,
    take_field,
)
from stemctl.takeover.sides import Sides
from stemctl.takeover.unbound import Twins
from stemctl.util.json_types import Fields, Value

MOVED, RENAMED, DOUBT, REMOVED, TAKEN, REFUSED, INSIDE, ALIKE = (
    "moved",
    "renamed",
    "in-doubt",
    "left-files",
    "name-taken",
    "refused",
    "inside",
    "alike",
)
"""Further reasons for which a record, or a field of it, is left."""


class Left(Struct, frozen=True):
    """What was left as it is of a record, and why: a reason of this module or `field_takeover`.

    `detail` says more: the new name or parent, or what the schema refuses.
    """

    address: Address
    why: str
    fields: tuple[str, ...] = ()
    detail: str = ""


class Takeover(Struct):
    """What is to be written, and what is left.

    `edits` are the new values of declared records, `ids` what each declared record is bound to.
    `new` are the live records that get an address, by model and id. `pending` are edits of the
    files that the next apply sends; nothing is wrong with them.
    """

    edits: dict[Address, dict[str, Value]] = field(default_factory=dict)
    ids: dict[Address, str] = field(default_factory=dict)
    new: dict[str, dict[str, Fields]] = field(default_factory=dict)
    twins: list[Twins] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    pending: list[Left] = field(default_factory=list)
    gone: list[Address] = field(default_factory=list)
    further: int = 0
    """How many declared records have values on the server in fields that they do not declare."""
    seen: set[Address] = field(default_factory=set)
    """The addresses of all that was looked at."""


def take_declared(sides: Sides, found: Takeover) -> None:
    """Decide about the declared records."""
    for address, record in sides.repository.records.items():
        if not sides.is_chosen(address):
            continue
        found.seen.add(address)
        match sides.identities.bindings[address]:
            case Bound() as binding if binding.entry is not None and in_doubt(binding.entry):
                found.pending.append(Left(address, DOUBT))
            case Bound() as binding:
                _Declared(sides, record, binding, found).take()
            case Absent(gone=True):
                found.gone.append(address)
            case Absent():
                pass  # new in the files
            case _:
                found.pending.append(Left(address, DOUBT))


def in_doubt(entry: Entry) -> bool:
    """Whether only an apply settles what was sent for a record."""
    return bool(entry.pending) or entry.approval is not None


class _Declared(Struct, frozen=True):
    """A declared record that is live."""

    sides: Sides
    record: Record
    binding: Bound
    found: Takeover

    def take(self) -> None:
        """Add what becomes of the record."""
        address, model = self.record.address, self._model
        record, wrong = with_live_type(self.record, self.binding.live, model)
        if wrong:
            self.found.left.append(Left(address, REFUSED, detail=wrong[0].message))
            return
        self.found.ids[address] = self.binding.id
        entry = self.binding.entry or Entry()
        bound = BoundRecord(record, self.binding, model, entry=entry, base=entry, accepted=False)
        edits = {
            name: taken.value for name, taken in self._fields(bound) if self._is_taken(name, taken)
        }
        if self.sides.all_fields:
            edits |= dict(self._further(model))
        elif any(True for _ in self._further_rows(model)):
            self.found.further += 1
        if edits:
            self.found.edits[address] = edits

    @property
    def _model(self) -> Model:
        return self.sides.catalog.models[self.record.address.model]

    def _fields(self, bound: BoundRecord) -> Iterator[tuple[str, FieldTakeover]]:
        written = functools.partial(self.sides.written, self.record.address)
        kept: dict[str, list[str]] = {}
        for row in written_rows(bound.model, bound.record):
            if row.proposal or row.name in bound.record.lifecycle.ignore_changes:
                continue
            taken = take_field(bound, row, self.sides.resolver, written, self.sides.theirs)
            for name, why in taken.kept.items():
                kept.setdefault(why, []).append(name)
            yield row.name, taken
        for why in (CONFLICT, REPLACE):
            if why in kept:
                self.found.left.append(Left(self.record.address, why, tuple(kept[why])))
        if EDITED in kept:
            self.found.pending.append(Left(self.record.address, EDITED, tuple(kept[EDITED])))

    def _is_taken(self, name: str, taken: FieldTakeover) -> bool:
        """Whether a value goes into the file. What the address of the record follows from does
        not: that is a matter of `mv`, or of moving its lines.
        """
        if taken.is_empty:
            return False
        model, record = self._model, self.record
        if record.parent is not None and name == model.parent:
            self.found.left.append(Left(record.address, MOVED, (name,), str(taken.value)))
            return False
        if name == model.called and "key" not in self.sides.written(record.address):
            own = record.address.key.removesuffix(str(record.fields[name]))
            to = str(Address(record.address.model, f"{own}{taken.value}"))
            self.found.left.append(Left(record.address, RENAMED, (name,), to))
            return False
        return True

    def _further(self, model: Model) -> Iterator[tuple[str, Value]]:
        """The values that the server has and the record does not declare."""
        live = self.binding.live
        for row in self._further_rows(model):
            yield row.name, as_file_writes(row, live[row.name], live, self.sides.resolver)

    def _further_rows(self, model: Model) -> Iterator[Field]:
        live, record = self.binding.live, self.record
        for row in model.managed:
            is_place = record.parent is not None and row.name == model.parent
            if row.name in record.fields or row.proposal or is_place:
                continue
            if not is_default(row, live.get(row.name)):
                yield row


def is_default(row: Field, value: Value) -> bool:
    """Whether a live value is what the server has when none was written."""
    return is_empty(row, value) or (row.default is not None and same(row, value, row.default))
