"""A part of the repository: addresses, patterns of them, and paths of files and folders."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence, Set

from stemctl.core.address_patterns import is_pattern, literal, matches
from stemctl.core.records import Address, Location, Repository
from stemctl.core.state import State
from stemctl.errors import ConfigError, Untouched
from stemctl.schema.catalog import Catalog


def choose(
    repository: Repository, state: State, only: Sequence[str], exclude: Sequence[str]
) -> frozenset[Address]:
    """The addresses, of files and state, that `only` names (or all) and `exclude` does not."""
    chosen = everything = frozenset({*repository.records, *state.records})
    if only:
        is_named = _named_by(only, repository, everything)
        chosen = frozenset(address for address in chosen if is_named(address))
    if exclude:
        is_named = _named_by(exclude, repository, everything)
        chosen = frozenset(address for address in chosen if not is_named(address))
    return chosen


def _named_by(
    targets: Sequence[str], repository: Repository, everything: Set[Address]
) -> Callable[[Address], bool]:
    """A test whether a target names an address: exactly, by a pattern, or by its file or folder.

    A target that is the address of a record names that record alone.
    """
    exact: set[str] = set()
    patterns: list[str] = []
    for target in targets:
        if _is_address(target) and Address.parse(target) in everything:
            exact.add(target)
        elif is_pattern(target):
            patterns.append(target)
        else:
            exact.add(literal(target))
    paths = {posixpath.normpath(target) for target in targets}

    def is_named(address: Address) -> bool:
        if str(address) in exact:
            return True
        record = repository.records.get(address)
        if record is not None and any(_is_in(path, record.location) for path in paths):
            return True
        return any(matches(pattern, address) for pattern in patterns)

    return is_named


def _is_address(target: str) -> bool:
    model, _, key = target.partition("/")
    return bool(model and key)


def _is_in(path: str, location: Location) -> bool:
    return path == "." or location.file == path or location.file.startswith(f"{path}/")


def spell(
    targets: Sequence[str], repository: Repository, state: State, catalog: Catalog
) -> tuple[str, ...]:
    """The targets with models spelled as in addresses (`sessions/x` is `session/x`).

    Raises:
        ConfigError: a target matches no record of the files or the state.
    """
    if not all(target.strip() for target in targets):
        raise ConfigError(
            "An address is empty.",
            "A shell variable may not be set.",
            untouched=Untouched.NOTHING_READ,
        )
    spelled = tuple(_spelled(target, repository, catalog) for target in targets)
    everything = {*repository.records, *state.records}
    for target, typed in zip(spelled, targets, strict=True):
        if not any(map(_named_by([target], repository, everything), everything)):
            raise ConfigError(
                f"No record matches `{typed}`, in the files or in the state.",
                "An address is MODEL/KEY, where * and ? are wildcards; "
                "a path is a manifest or its folder.",
                [("stemctl plan", "shows all addresses that have changes")],
            )
    return spelled


def _spelled(target: str, repository: Repository, catalog: Catalog) -> str:
    model, slash, key = target.partition("/")
    found = catalog.find(model) if slash else None
    if found is None:
        return target
    if any(file.startswith(f"{model}/") for file in repository.files):
        return target  # a path
    return f"{found.name}/{key}"
