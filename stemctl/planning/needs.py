"""What a plan has to read of the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from stemctl.core.entry_ids import entry_id, moment_of
from stemctl.core.records import Address, Record, Repository
from stemctl.core.state import Entry, State
from stemctl.planning.in_doubt import creations
from stemctl.planning.invited import invitations_to, perhaps_invited
from stemctl.planning.references import (
    Names,
    declared_names,
    declared_targets,
    wanted_references,
)
from stemctl.schema.catalog import Catalog, Model


@dataclass(slots=True)
class Need:
    """What has to be read of one model.

    `names` are the names of records. `ids` maps each id to the name to look for if the id is gone.
    `everything` is true where only its content identifies a record.
    """

    names: set[str] = field(default_factory=set)
    everything: bool = False
    ids: dict[str, str | None] = field(default_factory=dict)

    def add_declared(self, record: Record, entry: Entry, model: Model) -> None:
        """Add what is needed to find a declared record."""
        name = record.fields.get(model.identity) if model.identity else None
        id_ = entry.id or record.id
        if id_ is not None:
            self.ids[id_] = name if isinstance(name, str) else None
        elif isinstance(name, str):
            self.names.add(name.strip())
        self.names |= _names_sent(entry, model)
        self.ids |= dict.fromkeys(_entries_sent(entry, model))
        self.everything |= id_ is None and model.identity is None

    def add_left(self, entry: Entry, model: Model) -> None:
        """Add what is needed to find a record that left the files."""
        self.names |= _names_sent(entry, model)
        self.ids |= dict.fromkeys(_entries_sent(entry, model))
        self.everything |= bool(creations(entry)) and model.identity is None
        if entry.id:
            self.ids.setdefault(entry.id, None)


_NO_ENTRY = Entry()


def needs(
    repository: Repository, state: State, catalog: Catalog, chosen: Set[Address]
) -> dict[str, Need]:
    """What a plan of the chosen addresses has to read of each model, with what they refer to."""
    wanted: dict[str, Need] = {}
    names = declared_names(repository, catalog)
    records = {
        address: record for address, record in repository.records.items() if address in chosen
    }
    for address, record in _with_targets(records, repository, names, catalog).items():
        need = wanted.setdefault(address.model, Need())
        entry = state.records.get(address, _NO_ENTRY)
        need.add_declared(record, entry, catalog.models[address.model])
    for address, entry in state.records.items():
        if address in chosen and address not in repository.records:
            model = catalog.models.get(address.model)
            if model is not None:
                wanted.setdefault(address.model, Need()).add_left(entry, model)
    for name, texts in wanted_references(records.values(), names, catalog).items():
        if name in catalog.models:
            need = wanted.setdefault(name, Need())
            need.names |= texts
            then = state.names.get(name, {})
            need.ids |= {then[text]: text for text in texts if text in then}
    for address, record in records.items():
        entry = state.records.get(address, _NO_ENTRY)
        _add_invitations(wanted, record, entry, catalog)
    return wanted


def _add_invitations(
    wanted: dict[str, Need], record: Record, entry: Entry, catalog: Catalog
) -> None:
    """Add what tells who of the declared members is invited, and not a member yet."""
    model = catalog.models[record.address.model]
    for row, names in perhaps_invited(record, entry, model):
        if pair := invitations_to(catalog, model, row):
            invitations, who = pair
            wanted.setdefault(invitations.name, Need()).everything = True
            wanted.setdefault(who.name, Need()).names |= names


def _with_targets(
    records: Mapping[Address, Record], repository: Repository, names: Names, catalog: Catalog
) -> dict[Address, Record]:
    """The records, and the declared records that they refer to."""
    targets = declared_targets(records.values(), names, catalog)
    return {**records, **{address: repository.records[address] for address in targets}}


def _names_sent(entry: Entry, model: Model) -> set[str]:
    """The names under which a record may have been created, where the answer was lost."""
    if model.identity is None:
        return set()
    names = (doubt.body.get(model.identity) for doubt in creations(entry))
    return {str(name) for name in names if name}


def _entries_sent(entry: Entry, model: Model) -> Iterator[str]:
    """The ids that an entry of a record may have got, where the answer was lost."""
    for doubt in creations(entry) if model.embedded else ():
        parent, moment = doubt.body.get(model.parent or ""), moment_of(model, doubt.body)
        if isinstance(parent, str) and moment is not None:
            yield entry_id(parent, moment)


def wants_approvals(repository: Repository, catalog: Catalog, chosen: Set[Address]) -> list[str]:
    """The models whose approvals have to be read: those of the chosen records that have some."""
    declared = {address.model for address in repository.records if address in chosen}
    return sorted(name for name in declared if catalog.models[name].approval is not None)
