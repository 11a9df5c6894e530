"""A part of the repository: addresses, patterns of them, and paths of files and folders."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Callable, Sequence

from stemctl.core.records import Address, Location, Repository
from stemctl.core.state import State
from stemctl.errors import ConfigError
from stemctl.schema.catalog import Catalog

_PATTERN = {"*", "?"}


def matches(pattern: str, address: Address) -> bool:
    """Whether a pattern means an address; `*` and `?` are patterns unless the address equals the
    pattern.
    """
    return pattern == str(address) or fnmatch.fnmatchcase(str(address), pattern.replace("[", "[[]"))


def choose(
    repository: Repository, state: State, only: Sequence[str], exclude: Sequence[str]
) -> frozenset[Address]:
    """The addresses, of files and state, that `only` names (all, if it names none) and `exclude`
    does not.
    """
    chosen = frozenset({*repository.records, *state.records})
    if only:
        is_named = _named_by(only, repository)
        chosen = frozenset(address for address in chosen if is_named(address))
    if exclude:
        is_named = _named_by(exclude, repository)
        chosen = frozenset(address for address in chosen if not is_named(address))
    return chosen


def _named_by(words: Sequence[str], repository: Repository) -> Callable[[Address], bool]:
    """What says whether one of the words names an address: by itself, by a pattern, by its file or
    a folder.
    """
    known = {str(address) for address in repository.records}
    patterns = [word for word in words if _PATTERN & set(word) and word not in known]
    exact, paths = set(words), {posixpath.normpath(word) for word in words}

    def is_named(address: Address) -> bool:
        record = repository.records.get(address)
        return (
            str(address) in exact
            or (record is not None and any(_is_in(path, record.location) for path in paths))
            or any(matches(pattern, address) for pattern in patterns)
        )

    return is_named


def _is_in(path: str, location: Location) -> bool:
    return path == "." or location.file == path or location.file.startswith(f"{path}/")


def spell(
    words: Sequence[str], repository: Repository, state: State, catalog: Catalog
) -> tuple[str, ...]:
    """The words with models spelled as in addresses (`sessions/x` is `session/x`).

    Raises:
        ConfigError: a word means no record, of the files or of the state.
    """
    if not all(word.strip() for word in words):
        raise ConfigError(
            "An empty word means no record.", "A variable may be empty. Nothing was read or sent."
        )
    spelled = tuple(_spelled(word, repository, catalog) for word in words)
    everything = {*repository.records, *state.records}
    for word, given in zip(spelled, words, strict=True):
        if not any(map(_named_by([word], repository), everything)):
            raise ConfigError(
                f"{given} means no record, neither of the files nor of the state.",
                "Addresses are MODEL/KEY, with * and ? as patterns; paths are of manifests and their folders.",
                [("stemctl plan", "shows all addresses that have changes")],
            )
    return spelled


def _spelled(word: str, repository: Repository, catalog: Catalog) -> str:
    model, slash, key = word.partition("/")
    found = catalog.find(model) if slash else None
    return (
        f"{found.name}/{key}"
        if found and not any(f.startswith(f"{model}/") for f in repository.files)
        else word
    )
