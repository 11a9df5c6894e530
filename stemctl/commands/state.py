"""state: look up, forget and rename what stemctl remembers of the records of a server."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from stemctl.commands.attempts import Attempts
from stemctl.commands.targets import (
    in_state,
    matching_in_state,
    refuse_whole_models,
    spell_in_state,
)
from stemctl.commands.workspace import Workspace
from stemctl.core.records import Address
from stemctl.core.state import Entry, State
from stemctl.errors import ConfigError, StemctlError
from stemctl.planning import state_edits
from stemctl.util.plural import counted, first_few


def parse_address(workspace: Workspace, text: str) -> Address:
    """An address as it is typed: its model may be spelled in any way that the catalog knows.

    Raises:
        ConfigError: it is not an address.
    """
    name, _, key = text.partition("/")
    model = workspace.catalog.find(name)
    if model is None or not key:
        raise ConfigError(
            f"{text} is not an address.",
            "Write MODEL/KEY, for example session/rat12.",
        )
    return Address(model.name, key)


def find_entry(workspace: Workspace, text: str) -> tuple[Address, Entry]:
    """What the state holds about one record.

    Raises:
        StemctlError: nothing, or it holds several that match.
    """
    state = workspace.store.read()
    address = the_one(workspace, state, text)
    return address, state.records[address]


def the_one(workspace: Workspace, state: State, text: str) -> Address:
    """The one address of the state that a word means.

    Raises:
        ConfigError: it matches nothing, or several records.
    """
    found = in_state(workspace, state, text)
    if len(found) > 1:
        names = first_few([f"`{address}`" for address in found])
        raise ConfigError(
            f"`{text}` matches {counted(len(found), 'record')} of the state.",
            f"Name one of them: {names}.",
        )
    return found[0]


def forget(
    workspace: Workspace, targets: Sequence[str]
) -> tuple[list[Address], StemctlError | None]:
    """Remove records from the state. They stay on the server. Returns those that were removed, and
    an error about the targets that match none.
    """
    attempts = Attempts("target")
    with workspace.writing():
        state = workspace.store.read()
        spelled: dict[str, str] = {}
        for target in targets:
            with attempts.attempt(target):
                spelled[target] = spell_in_state(workspace, state, target)
            spelled.setdefault(target, "")  # an unknown word may be the name after a model
        refuse_whole_models(workspace.catalog, spelled, "state rm")
        found: dict[Address, None] = {}
        for pattern in filter(None, spelled.values()):
            found.update(dict.fromkeys(matching_in_state(state, pattern)))
        for address in found:
            state = state_edits.remove(state, address)
        if found:
            reason = f"Removed {counted(len(found), 'record')} from the state."
            workspace.store.write(state, workspace.owner, reason)
    return list(found), attempts.problem


def rename(workspace: Workspace, old: str, new: str) -> tuple[Address, Address]:
    """Give a record of the state another address; `new` may be a key alone."""
    with workspace.writing():
        state = workspace.store.read()
        spelled = {old: spell_in_state(workspace, state, old)}
        refuse_whole_models(workspace.catalog, spelled, "state mv", shlex.quote(new))
        before = the_one(workspace, state, old)
        after = parse_address(workspace, new) if "/" in new else Address(before.model, new)
        state = state_edits.rename(state, before, after, workspace.catalog)
        workspace.store.write(state, workspace.owner, f"Moved {before} to {after}.")
    return before, after
