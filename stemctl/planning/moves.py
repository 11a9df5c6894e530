"""The entries of the state under the addresses that the files give them now.

A record that is renamed takes the keys of its children along: `session/a` to `session/b` is also
`behavior/a/first` to `behavior/b/first`, at any depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from stemctl.core.records import Address, Repository
from stemctl.core.state import Entry, State
from stemctl.planning.moved_entries import becomes_another
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


class Entries:
    """Entries by address, `previous` maps an address to the one that it has in the state, and
    `owners` an id to its address.
    """

    def __init__(
        self, repository: Repository, catalog: Catalog, by_address: dict[Address, Entry]
    ) -> None:
        self.repository = repository
        self.catalog = catalog
        self.by_address = by_address
        self.previous: dict[Address, Address] = {}
        self.owners = {entry.id: at for at, entry in by_address.items() if entry.id}

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

    def follow_parents(self, model: Model, records: Mapping[str, Fields]) -> None:
        """Give children that an earlier run left below the old address of their parent the address
        that the files have for them: only the parent's request went through.

        `records` are the live records of the model by id; they say which parent that is.
        """
        if model.parent is None:
            return
        for old in [at for at in self.by_address if at.model == model.name]:
            if old in self.repository.records:
                continue
            parent = self.owners.get(_parent_id(self.by_address[old], model.parent, records))
            if parent is not None and (new := self._declared_below(parent, old)):
                self.move(old, new)

    def _declared_below(self, parent: Address, old: Address) -> Address | None:
        """The one address that the files have for `old` below its parent, and nothing has yet."""
        words = old.key.split("/")
        ends = ["/".join([parent.key, *words[number:]]) for number in range(1, len(words) + 1)]
        found = [Address(old.model, key) for key in ends]
        free = [at for at in found if at in self.repository.records and at not in self.by_address]
        return free[0] if len(free) == 1 else None

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


def _parent_id(entry: Entry, field: str, records: Mapping[str, Fields]) -> str:
    """The id of the parent that a live record has, or that the last unanswered request named."""
    known = records.get(entry.id, {}) if entry.id else {}
    if not entry.id and entry.pending:
        known = entry.pending[-1].body
    return str(known.get(field))


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
