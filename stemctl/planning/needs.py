"""What a plan has to read of the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from msgspec import Struct, field

from stemctl.core.entry_ids import entry_id, moment_of
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Lookup
from stemctl.core.state import Entry, State
from stemctl.planning.identity import lookups_for, lookups_of
from stemctl.planning.in_doubt import creations
from stemctl.planning.invited import invitations_to, perhaps_invited
from stemctl.planning.moves import after_moves
from stemctl.planning.reference_names import ReferenceNames
from stemctl.planning.references import declared_targets, wanted_references
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model


class Need(Struct):
    """What has to be read of one model.

    `names` are what to look records up by. `ids` maps each id to what to look for if the id is
    gone. `everything` is true where only a list of all records shows the ones that are needed.
    """

    names: set[Lookup] = field(default_factory=set)
    everything: bool = False
    ids: dict[str, tuple[Lookup, ...]] = field(default_factory=dict)

    def add_declared(self, record: Record, entry: Entry, model: Model) -> None:
        """Add what is needed to find a declared record."""
        lookups = lookups_of(model, record.fields)
        id_ = entry.id or record.id
        if id_ is not None:
            self.ids[id_] = tuple(lookups or ())
        else:
            self._add(lookups)
        self._add_sent(entry, model)

    def add_left(self, entry: Entry, model: Model) -> None:
        """Add what is needed to find a record that left the files."""
        self._add_sent(entry, model)
        if entry.id:
            self.ids.setdefault(entry.id, ())

    def add_reference(self, text: str, then: str | None, model: Model) -> None:
        """Add what is needed to find the record that a reference means, or `then` meant."""
        lookups = lookups_for(model, text)
        self._add(lookups)
        if then is not None:
            self.ids[then] = tuple(lookups or ())

    def _add(self, lookups: frozenset[Lookup] | None) -> None:
        if lookups is None:
            self.everything = True
        else:
            self.names |= lookups

    def _add_sent(self, entry: Entry, model: Model) -> None:
        """Add what a record may have been created with, where the answer was lost."""
        if not entry.pending:
            return
        for doubt in creations(entry):
            if entry.id is None or not model.nameless:
                self._add(lookups_of(model, doubt.body))
        self.ids |= dict.fromkeys(_entries_sent(entry, model), ())


_NO_ENTRY = Entry()


def needs(
    repository: Repository, state: State, catalog: Catalog, chosen: Set[Address]
) -> dict[str, Need]:
    """What a plan of the chosen addresses has to read of each model, with what they refer to."""
    wanted: dict[str, Need] = {}
    names = ReferenceNames(repository, catalog)
    records = {
        address: record for address, record in repository.records.items() if address in chosen
    }
    entries = after_moves(repository, state, catalog).by_address
    for address, record in _with_targets(records, repository, names, catalog).items():
        need = wanted.setdefault(address.model, Need())
        entry = entries.get(address, _NO_ENTRY)
        need.add_declared(record, entry, catalog.models[address.model])
    for address, entry in entries.items():
        if address in chosen and address not in repository.records:
            model = catalog.models.get(address.model)
            if model is not None:
                wanted.setdefault(address.model, Need()).add_left(entry, model)
    for name, texts in wanted_references(records.values(), names, catalog).items():
        if name in catalog.models:
            need, then = wanted.setdefault(name, Need()), state.names.get(name, {})
            for text in texts:
                need.add_reference(text, then.get(text), catalog.models[name])
    for address, record in records.items():
        entry = entries.get(address, _NO_ENTRY)
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
    records: Mapping[Address, Record],
    repository: Repository,
    names: ReferenceNames,
    catalog: Catalog,
) -> dict[Address, Record]:
    """The records, and the declared records that they refer to."""
    targets = declared_targets(records.values(), names, catalog)
    return {**records, **{address: repository.records[address] for address in targets}}


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
