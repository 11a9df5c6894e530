"""Which records a pull is about: patterns of addresses, and the models to read for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field

from stemctl.core.address_patterns import is_pattern, literal, matches
from stemctl.core.records import Address
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model


def is_shared(model: Model) -> bool:
    """Whether everybody has the records of a model in common: they are proposed to administrators
    or kept by them, or no access rule of the table says which of them are a lab's.
    """
    if model.approval is not None or model.write_by is not None:
        return True
    return model.access is None or model.access.everyone


def labs_own(catalog: Catalog) -> tuple[Model, ...]:
    """The models that labs write themselves."""
    return tuple(model for model in catalog.writable if not is_shared(model))


class Selection(Struct, frozen=True):
    """`patterns` of addresses, `exact` addresses, and `ids` of live records by model. What is
    inside a selected record is selected, too. With `everything`, patterns are not the user's.
    """

    catalog: Catalog
    patterns: tuple[str, ...] = ()
    everything: bool = False
    exact: frozenset[Address] = frozenset()
    ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _found: dict[Address, bool] = field(default_factory=dict)

    def matches(self, address: Address) -> bool:
        """Whether an address is named, by itself or by a pattern."""
        if address not in self._found:
            self._found[address] = address in self.exact or any(
                matches(pattern, address) for pattern in self.patterns
            )
        return self._found[address]

    @property
    def models(self) -> tuple[Model, ...]:
        """The models whose records have to be read in full, those inside others among them."""
        found: dict[str, Model] = {}
        for model in self._named():
            found[model.name] = model
            found |= {below.name: below for below in self.catalog.below(model)}
            parent = self.catalog.parent_of(model) if model.embedded else None
            if parent is not None:  # entries are read with their log
                found[parent.name] = parent
        return tuple(found.values())

    @property
    def named_models(self) -> frozenset[str]:
        """The models of which something was named by the user, and not only by "everything"."""
        if self.everything:
            return frozenset(address.model for address in self.exact)
        return frozenset(model.name for model in self._named())

    def _named(self) -> Iterator[Model]:
        names = [*self._models_of_patterns(), *(a.model for a in self.exact), *self.ids]
        for name in dict.fromkeys(names):
            if name in self.catalog.models:
                yield self.catalog.models[name]

    def _models_of_patterns(self) -> Iterator[str]:
        for pattern in self.patterns:
            word = pattern.partition("/")[0]
            if is_pattern(word):
                yield from (
                    model.name
                    for model in labs_own(self.catalog)
                    if matches(f"{word}/x", Address(model.name, "x"))
                )
            else:
                yield word


def selection_of(
    catalog: Catalog, targets: Iterable[str], everything: bool, paths: Collection[Address] = ()
) -> Selection:
    """The selection of spelled targets (`session/x`, `session/*`), of all that labs write
    themselves with `everything`, and of the addresses that were found by their files.
    """
    patterns = [f"{model.name}/*" for model in labs_own(catalog)] if everything else []
    exact = set(paths)
    for target in targets:
        if is_pattern(target):
            patterns.append(target)
        else:
            exact.add(Address.parse(literal(target)))
    unique = tuple(dict.fromkeys(patterns))
    return Selection(catalog, unique, everything, frozenset(exact))
