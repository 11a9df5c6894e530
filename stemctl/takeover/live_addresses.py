"""The addresses of live records: those that they have, or would have by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from stemctl.core.address_patterns import matches
from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Completeness, Snapshot
from stemctl.planning.bindings import Bound, Identities
from stemctl.planning.values import ids_in
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.takeover.unbound import name_of
from stemctl.util.json_types import Fields

Key = tuple[str, str]
"""Model and id of a live record."""


def addresses_of(identities: Identities, is_shared: bool = False) -> dict[Key, Address]:
    """The address of each live record that has one, in the files or only in the state.

    In a shared state, what a pull has bound counts only where a file has it: the files of that pull
    may not be merged yet, and a pull here has to write the same again.
    """
    bindings = identities.bindings.items()
    found = {(at.model, bound.id): at for at, bound in bindings if isinstance(bound, Bound)}
    for address, entry in identities.leftovers.items():
        if entry.id is not None and not (is_shared and entry.is_pulled):
            found.setdefault((address.model, entry.id), address)
    return found


def parents_first(catalog: Catalog, models: Mapping[str, Model]) -> Iterator[Model]:
    """The models, each after the one that its records may be inside of."""
    waiting = dict(models)
    while waiting:
        for name, model in list(waiting.items()):
            parent = catalog.parent_of(model)
            if parent is None or parent.name not in waiting or parent.name == name:
                del waiting[name]
                yield model


class LiveAddresses(Struct):
    """Asked for parents before what is inside them, since keys continue those of parents."""

    catalog: Catalog
    repository: Repository
    known: dict[Key, Address]
    given_up: set[Key] = field(default_factory=set)
    """What the files list under `forget` or `deleted`, with all that is inside."""

    def parent(self, model: Model, fields: Fields) -> Key | None:
        """The record around one."""
        table = self.catalog.parent_of(model)
        id_ = next(ids_in(fields.get(model.parent or "")), "") if table else ""
        return (table.name, id_) if table and id_ else None

    def add(self, model: Model, id_: str, fields: Fields) -> Address:
        """The address of a record; without one, the address that it would have."""
        key = (model.name, id_)
        if key in self.known:
            return self.known[key]
        name = name_of(model, fields)
        parent = self.parent(model, fields)
        around = self.known.get(parent) if parent else None
        address = Address(model.name, name or id_)
        if around is not None:
            address = Address(model.name, f"{around.key}/{name}" if name else around.key)
        self.known[key] = address
        directives = (*self.repository.forget, *self.repository.deleted)
        if parent in self.given_up or any(matches(one.subject, address) for one in directives):
            self.given_up.add(key)
        return address


def in_no_file(
    repository: Repository,
    snapshot: Snapshot,
    identities: Identities,
    catalog: Catalog,
    among: Iterable[Model],
    *,
    is_shared: bool,
) -> dict[str, int]:
    """By model, how many records are on the server and in no file, of the models that were read in
    full. What left the files, or is given up in them, does not count.
    """
    addresses = LiveAddresses(catalog, repository, addresses_of(identities, is_shared))
    readings = snapshot.readings
    models = {
        model.name: model
        for model in among
        if model.name in readings and readings[model.name].completeness is Completeness.COMPLETE
    }
    found = {}
    for model in parents_first(catalog, models):
        records = snapshot.readings[model.name].records
        new = [id_ for id_ in records if (model.name, id_) not in addresses.known]
        for id_ in new:
            addresses.add(model, id_, records[id_])
        number = sum((model.name, id_) not in addresses.given_up for id_ in new)
        if number:
            found[model.name] = number
    return found
