"""The addresses of new records: what they are called, and short keys for those without a name.

A key is given once and then known from the files, so nothing depends on how the others are called
later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct, field

from stemctl.core.entry_ids import selector
from stemctl.core.records import Address
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value, is_uuid
from stemctl.util.late_pattern import late_pattern

_OTHER = late_pattern(r"[^A-Za-z0-9]+")
_HUMP = late_pattern(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Handle(Struct, frozen=True):
    """The address of a record, and what its mapping has besides its fields so that this is its
    address: `key`, or `key` and `id`.
    """

    address: Address
    written: Mapping[str, Value] = field(default_factory=dict)


class OwnKeys(Struct, dict=True):
    """Gives new records their addresses. `taken` are those of declared records; `can_be_called`
    says whether a file can have a record with this name.
    """

    catalog: Catalog
    can_be_called: Callable[[Model, str], bool]
    taken: set[Address]

    def at_top(self, model: Model, record: Fields, otherwise: str) -> Handle:
        """The address of a record that is not inside another one; `otherwise` is the key of one
        without a name.
        """
        name = self._name(model, record)
        if name:
            address = Address(model.name, name)
            if self._take(address):
                return Handle(address)
        base = otherwise or name or str(record["id"])
        handle = self._keyed(model, "", base)
        if model.identity and not name:
            return Handle(handle.address, {**handle.written, "id": record["id"]})
        return handle

    def inside(
        self, model: Model, parent: str, siblings: Sequence[Fields], others: Collection[Address]
    ) -> Iterator[Handle]:
        """The addresses of new records inside one parent, which has the key `parent`. `others` are
        the addresses of the records that are inside it already.
        """
        if model.embedded:
            for record in siblings:
                moment = next(iter(selector(model, record).values()), "")
                yield Handle(Address(model.name, f"{parent}/{moment}"))
            return
        is_single = len(siblings) == 1 and not others
        for record in siblings:
            name = self._name(model, record)
            if name and self._take(Address(model.name, f"{parent}/{name}")):
                yield Handle(Address(model.name, f"{parent}/{name}"))
            elif is_single and not name and self._may_lack_key(model, parent):
                yield Handle(Address(model.name, parent))
            else:
                yield self._keyed(model, f"{parent}/", name or self.short(model, record))

    def _may_lack_key(self, model: Model, parent: str) -> bool:
        """Whether a record without a name can do without a key."""
        if model.together_unique or model.name in self._referred_to:
            return False  # `procedures: [rat12]` would read as if the parent was meant
        if is_uuid(parent):
            return False  # what is inside the record would refer to this id: to the parent
        return self._take(Address(model.name, parent))

    @cached_property
    def _referred_to(self) -> frozenset[str]:
        """The models to whose records others refer, besides those inside them."""
        models = self.catalog.writable
        return frozenset(
            row.to
            for model in models
            for row in model.references
            if row.to and row.name != model.parent
        )

    def _name(self, model: Model, record: Fields) -> str:
        """What a record is called, if a file can call it so."""
        given = record.get(model.called or "")
        written = given if isinstance(given, str) else ""
        name = written.strip()
        return name if name and self.can_be_called(model, written) else ""

    def _keyed(self, model: Model, before: str, base: str) -> Handle:
        number, key = 1, base
        while not self._take(Address(model.name, f"{before}{key}")):
            number += 1
            key = f"{base}-{number}"
        return Handle(Address(model.name, f"{before}{key}"), {"key": key})

    def _take(self, address: Address) -> bool:
        """Take an address, if it is free."""
        if address in self.taken:
            return False
        self.taken.add(address)
        return True

    def short(self, model: Model, record: Fields) -> str:
        """A short name after the type of a record, or after its model: `extracellular-ephys`."""
        name = next(iter(type_fields(self.catalog, model)), "")
        words = _HUMP.sub("-", str(record.get(name) or ""))
        return _OTHER.sub("-", words).strip("-").lower() or _OTHER.sub("-", model.words)


def type_fields(catalog: Catalog, model: Model) -> list[str]:
    """The fields that hold the type of a record: by it, its own details or those of the records
    inside it are distinguished.
    """
    own = [row.details.selector for row in model.detailed if row.details]
    children = [row for child in catalog.children(model) for row in child.detailed]
    of_children = [row.details.selector for row in children if row.details]
    above = [name.rpartition(".")[2] for name in of_children if "." in name]
    return [*(name for name in own if "." not in name), *above]
