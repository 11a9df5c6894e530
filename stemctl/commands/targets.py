"""Addresses and paths on the command line."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

from stemctl.commands.workspace import Workspace
from stemctl.core.records import Address, Repository
from stemctl.core.state import State
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests import named_paths
from stemctl.planning.selection import choose, spell
from stemctl.schema.catalog import Catalog


def spell_targets(
    workspace: Workspace,
    repository: Repository,
    state: State,
    targets: Sequence[str],
    where: str = "in the files or in the state",
) -> tuple[str, ...]:
    """The targets as records have them: models as in addresses, paths relative to the root.

    Raises:
        ConfigError: a target matches no record; `where` says where was looked.
    """
    if not targets:  # as in most plans
        return ()
    root = workspace.config.root
    addresses = {str(address) for address in (*repository.records, *state.records)}
    found: list[str] = []
    for target in targets:
        may_be_a_path = bool(target.strip()) and target not in addresses
        name = named_paths.name_of(root, repository.files, target) if may_be_a_path else None
        try:
            words = [target if name is None else name or "."]
            found += spell(words, repository, state, workspace.catalog, where)
        except ConfigError as error:
            if name is not None or (may_be_a_path and named_paths.is_there(root, target)):
                raise _no_record(workspace, repository, target, name) from error
            raise
    return tuple(found)


def in_state(workspace: Workspace, state: State, target: str) -> list[Address]:
    """The addresses of the state that one word means: an address, a name, a pattern or a model.

    Raises:
        ConfigError: it matches nothing in the state, or is ambiguous.
    """
    return matching_in_state(state, spell_in_state(workspace, state, target))


def spell_in_state(workspace: Workspace, state: State, target: str) -> str:
    """One word as an address of the state, or a pattern that matches some.

    Raises:
        ConfigError: it matches nothing in the state, or is ambiguous.
    """
    (spelled,) = spell([target], Repository({}), state, workspace.catalog, "in the state")
    return spelled


def matching_in_state(state: State, spelled: str) -> list[Address]:
    """The addresses of the state that a spelled target means."""
    return sorted(choose(Repository({}), state, [spelled], ()))


def refuse_whole_models(
    catalog: Catalog, spelled: Mapping[str, str], command: str, after: str = ""
) -> None:
    """Refuse a model without a name, where a slip such as `session rat12` would change the state
    of all its records. `spelled` has each target as it was typed, and what it means; `after` are
    the words that the command needs after an address.

    Raises:
        ConfigError: a target is the name of a model; it says what to type.
    """
    typed = list(spelled)
    for number, target in enumerate(typed):
        model = catalog.find(target.rstrip("/"))
        if model is None or spelled[target] != f"{model.name}/*":
            continue
        name = next(iter(typed[number + 1 :]), "NAME")
        one = f"{model.name}/{name}" if "/" not in name else f"{model.name}/NAME"
        raise ConfigError(
            f"`{target}` is a model: write {model.name}/NAME, or '{model.name}/*' for all of them.",
            hints=[(f"stemctl {command} {shlex.quote(one)} {after}".rstrip(), "names one record")],
            untouched=Untouched.NOTHING_CHANGED,
        )


def _no_record(
    workspace: Workspace, repository: Repository, target: str, name: str | None
) -> ConfigError:
    """The error about a path that exists and declares no record."""
    if name is not None:
        what, why = f"{target} declares no record.", ""
    else:
        config = workspace.config
        is_folder = os.path.isdir(config.root / target)
        verb = "contains no manifest" if is_folder else "is not a manifest"
        what = f"{target} {verb} of this repository."
        why = named_paths.reason(config.root, config.manifests, repository.files, target)
        why = f"{why[:1].upper()}{why[1:]}.".replace("`", "")
    return ConfigError(what, why, untouched=Untouched.NOTHING_READ)
