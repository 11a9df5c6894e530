"""Everything that a pull decides from: files, state and server, and what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from msgspec import Struct

from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import State
from stemctl.planning.bindings import Identities
from stemctl.planning.references import Resolver
from stemctl.schema.catalog import Catalog
from stemctl.takeover.live_addresses import addresses_of
from stemctl.takeover.pull_selection import Selection
from stemctl.util.json_types import Fields

Written = Callable[[Address], Fields]
"""A declared record as it stands in its file."""


class Sides(Struct, frozen=True, dict=True):
    """Everything that a pull decides from: files, state and server, and what was asked for.

    `theirs` takes the server's value of whatever differs, in the records that are named one by
    one or by a pattern. `picked` are ids of records that are written although they have a twin.
    """

    catalog: Catalog
    repository: Repository
    state: State
    snapshot: Snapshot
    identities: Identities
    selection: Selection
    written: Written
    theirs: bool = False
    all_fields: bool = False
    picked: frozenset[str] = frozenset()

    @cached_property
    def resolver(self) -> Resolver:
        """A resolver over all of it."""
        return Resolver(
            self.catalog,
            self.repository,
            self.snapshot,
            state=self.state,
            identities=self.identities,
        )

    def is_chosen(self, address: Address) -> bool:
        """Whether a declared record is selected, or one that it is written inside of."""
        record = self.repository.records.get(address)
        if self.selection.matches(address):
            return True
        return record is not None and record.parent is not None and self.is_chosen(record.parent)

    @cached_property
    def addresses(self) -> Mapping[tuple[str, str], Address]:
        """The address of each live record that has one, in the files or only in the state, by model
        and id.
        """
        return addresses_of(self.identities, self.state.is_shared)

    def bound_ids(self, model: str) -> frozenset[str]:
        """The ids of the records of a model that have an address."""
        return frozenset(id_ for name, id_ in self.addresses if name == model)
