"""A part of the repository: addresses, patterns of them, and paths of files and folders."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Sequence

from stemctl.catalog import Catalog
from stemctl.errors import ConfigError
from stemctl.records import Address, Place, Repository
from stemctl.state import State


def matches(pattern: str, address: Address) -> bool:
    """Whether a pattern means an address; `*` and `?` are patterns unless the address equals the pattern."""
    return pattern == str(address) or fnmatch.fnmatchcase(str(address), pattern.replace("[", "[[]"))


def choose(repository: Repository, state: State, only: Sequence[str], exclude: Sequence[str]) -> frozenset[Address]:
    """The addresses, of files and state, that `only` names (all, if it names none) and `exclude` does not."""
    chosen = frozenset({*repository.records, *state.records})
    if only:
        chosen = frozenset(address for address in chosen if _is_named(only, address, repository))
    if exclude:
        chosen = frozenset(address for address in chosen if not _is_named(exclude, address, repository))
    return chosen


def _is_named(words: Sequence[str], address: Address, repository: Repository) -> bool:
    record = repository.records.get(address)
    return any(word == str(address) for word in words) or any(
        _is_in(word, record.place if record else None) or (not _exact(word, repository) and matches(word, address))
        for word in words
    )


def _exact(word: str, repository: Repository) -> bool:
    """Whether a word with `*` or `?` in it is somebody's very address, and so no pattern."""
    return any(word == str(address) for address in repository.records) if {"*", "?"} & set(word) else False


def _is_in(word: str, place: Place | None) -> bool:
    path = posixpath.normpath(word)
    return place is not None and (place.file == path or place.file.startswith(f"{path}/") or path == ".")


def spell(words: Sequence[str], repository: Repository, state: State, catalog: Catalog) -> tuple[str, ...]:
    """The words with models spelled as in addresses (`sessions/x` is `session/x`).

    Raises:
        ConfigError: a word means no record, of the files or of the state.
    """
    spelled = tuple(_spelled(word, repository, catalog) for word in words)
    everything = {*repository.records, *state.records}
    for word, given in zip(spelled, words, strict=True):
        if not any(_is_named([word], address, repository) for address in everything):
            raise ConfigError(
                f"{given} means no record, neither of the files nor of the state.",
                "Addresses are MODEL/KEY, with * and ? as patterns; paths are of manifests and their folders.",
                [("stemctl plan", "shows all addresses that have changes")],
            )
    return spelled


def _spelled(word: str, repository: Repository, catalog: Catalog) -> str:
    model, slash, key = word.partition("/")
    found = catalog.find(model) if slash else None
    return f"{found.name}/{key}" if found and not any(f.startswith(f"{model}/") for f in repository.files) else word
