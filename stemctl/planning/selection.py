"""A part of the repository: addresses, patterns of them, and paths of files and folders."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence, Set

from stemctl.core.address_patterns import is_pattern, literal, matches
from stemctl.core.records import Address, Location, Repository
from stemctl.core.state import State
from stemctl.errors import ConfigError, Untouched
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.look_alike import twin_of
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest


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
    targets: Sequence[str],
    repository: Repository,
    state: State,
    catalog: Catalog,
    where: str = "in the files or in the state",
) -> tuple[str, ...]:
    """The targets as addresses, patterns and paths: `sessions/x` is `session/x`, a name that only
    one record has is its address, and a model is all of its records.

    Raises:
        ConfigError: a target matches no record, or a name several; `where` says where was looked.
    """
    if not all(target.strip() for target in targets):
        raise ConfigError(
            "An address is empty.",
            "A shell variable may not be set.",
            untouched=Untouched.NOTHING_READ,
        )
    speller = _Speller(repository, state, catalog)
    spelled = []
    for typed in targets:
        target = speller.spelled(typed)
        if not any(map(_named_by([target], repository, speller.addresses), speller.addresses)):
            raise speller.unknown(typed, where)
        spelled.append(target)
    return tuple(spelled)


class _Speller:
    """Knows all addresses, and what else may stand for them."""

    def __init__(self, repository: Repository, state: State, catalog: Catalog) -> None:
        self.addresses = {*repository.records, *state.records}
        self._repository = repository
        self._state = state
        self._catalog = catalog

    def spelled(self, target: str) -> str:
        model, slash, key = target.partition("/")
        if slash:
            found = self._catalog.find(model)
            if found is None or any(f.startswith(f"{model}/") for f in self._repository.files):
                return target  # a path
            return self._of_model(found, key or "*")
        path = posixpath.normpath(target)
        if any(_is_in(path, record.location) for record in self._repository.records.values()):
            return target
        meanings = self._meanings(target)
        if len(meanings) > 1:
            raise ConfigError(
                f"`{target}` can mean {joined([f'`{meaning}`' for meaning in meanings], 'or')}.",
                "Write one of them.",
                untouched=Untouched.NOTHING_READ,
            )
        if not meanings and is_pattern(target):
            return f"*/{target}"
        return meanings[0] if meanings else target

    def _of_model(self, model: Model, key: str) -> str:
        """The address of a model and a key, or the name of one record that has another key."""
        address = Address(model.name, key)
        if address not in self.addresses and not is_pattern(key):
            named = [a for a in self.addresses if a.model == model.name and self._name(a) == key]
            address = named[0] if len(named) == 1 else address
        return str(address)

    def _meanings(self, word: str) -> list[str]:
        """The records that have a word as their key or name, and all records of the model."""
        meanings = [str(a) for a in sorted(self.addresses) if word in (a.key, self._name(a))]
        model = self._catalog.find(word)
        if model is not None and any(address.model == model.name for address in self.addresses):
            meanings.append(f"{model.name}/*")
        return meanings

    def _name(self, address: Address) -> object:
        """The name of a record, as far as it is known without the server."""
        model = self._catalog.models.get(address.model)
        if model is None or model.called is None:
            return None
        record = self._repository.records.get(address)
        fields = record.fields if record else self._state.records[address].applied
        return fields.get(model.called)

    def unknown(self, target: str, where: str) -> ConfigError:
        """The error about a target that matches no record."""
        spellings = self._spellings("/" in target)
        twin = twin_of(target, list(spellings))
        near = [full for word in nearest(target, spellings) for full in spellings[word]]
        guess = joined([f"`{full}`" for full in dict.fromkeys(near)], "or")
        model = self._catalog.find(target.rstrip("/"))
        if model is not None:
            what = f"There are no {model.count(2).partition(' ')[2]} {where}."
        else:
            what = f"No record matches `{target}`, {where}."
        return ConfigError(
            what,
            f"{twin}.".replace("`", "")
            if twin
            else f"Did you mean {guess}?"
            if guess
            else "An address is MODEL/KEY, where * and ? are wildcards; "
            "a path is a manifest or its folder.",
            [("stemctl plan", "shows all addresses that have changes")],
            untouched=Untouched.NOTHING_READ,
        )

    def _spellings(self, has_slash: bool) -> dict[str, list[str]]:
        """What might have been meant, by how it might have been typed: addresses and paths, or
        keys, models, and the names of files and folders.
        """
        found: dict[str, list[str]] = {}
        files = self._repository.files
        for address in sorted(self.addresses):
            found.setdefault(str(address) if has_slash else address.key, []).append(str(address))
        for name in sorted({address.model for address in self.addresses}):
            model = self._catalog.models.get(name)
            for word in (name, model.section) if model and not has_slash else ():
                found.setdefault(word, []).append(word)
        folders = {posixpath.dirname(file) for file in files} - {""}
        for path in sorted({*files, *folders}):
            found.setdefault(path if has_slash else posixpath.basename(path), []).append(path)
        return found
