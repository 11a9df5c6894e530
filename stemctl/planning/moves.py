"""The entries of the state under the addresses that the files give them now.

A record that is renamed takes the keys of its children along: `session/a` to `session/b` is also
`behavior/a/first` to `behavior/b/first`, at any depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from stemctl.core.records import Address, Repository
from stemctl.core.state import Entry, State
from stemctl.planning.moved_entries import becomes_another
from stemctl.schema.catalog import Catalog


@dataclass
class Entries:
    """Entries by address, `previous` maps an address to the one that it has in the state, and
    `owners` an id to its address.
    """

    repository: Repository
    catalog: Catalog
    by_address: dict[Address, Entry]
    previous: dict[Address, Address] = field(default_factory=dict)
    owners: dict[str, Address] = field(init=False)

    def __post_init__(self) -> None:
        self.owners = {entry.id: at for at, entry in self.by_address.items() if entry.id}

    def move(self, old: Address, new: Address) -> None:
        """Give an entry another address, unless that is taken."""
        if old in self.by_address and new not in self.by_address:
            self.by_address[new] = self.by_address.pop(old)
            self.previous[new] = self.previous.pop(old, old)
            id_ = self.by_address[new].id
            if id_:
                self.owners[id_] = new

    def take_along(self, old: Address, new: Address) -> None:
        """Give the declared children of a renamed record the entries that they have below its old
        address.
        """
        if old.key == new.key:
            return
        records = self.repository.records
        for model in self.catalog.below(self.catalog.models.get(old.model)):
            for address in self._inside.get((model.name, old.key), ()):
                to = Address(address.model, new.key + address.key[len(old.key) :])
                if to in records and address not in records:
                    self.move(address, to)

    @cached_property
    def _inside(self) -> Mapping[tuple[str, str], list[Address]]:
        """Model and beginning of a key to the addresses of the state that may be inside."""
        found: dict[tuple[str, str], list[Address]] = {}
        for address in list(self.by_address):
            model = self.catalog.models.get(address.model)
            words = address.key.split("/") if model and model.parent else ()
            for number in range(1, len(words) + 1):
                found.setdefault((address.model, "/".join(words[:number])), []).append(address)
        return found


def after_moves(repository: Repository, state: State, catalog: Catalog) -> Entries:
    """The state's entries under the keys that `moved` gives them and their children."""
    entries = Entries(repository, catalog, dict(state.records))
    for directive in repository.moved:
        old = Address.parse(directive.subject)
        if directive.to is None:
            continue
        if not becomes_another(directive, repository, entries.by_address.get(old), catalog):
            entries.move(old, directive.to)
    for new, old in list(entries.previous.items()):
        entries.take_along(old, new)
    return entries
