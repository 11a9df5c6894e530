"""state: look up, forget and rename what stemctl remembers of the records of a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stemctl.commands.workspace import Workspace
from stemctl.core.records import Address
from stemctl.core.state import Entry, State
from stemctl.errors import ConfigError, StateError
from stemctl.planning import state_edits


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
        StateError: nothing.
    """
    address = parse_address(workspace, text)
    entry = workspace.store.read().records.get(address)
    if entry is None:
        raise StateError(
            f"{address} is not in the state.",
            "",
            [("stemctl state list", "lists the records in the state")],
        )
    return address, entry


def forget(workspace: Workspace, targets: Sequence[str], reason: str) -> None:
    """Remove records from the state. They stay on the server."""

    def edit(state: State) -> State:
        for target in targets:
            state = state_edits.remove(state, parse_address(workspace, target))
        return state

    _rewrite(workspace, edit, reason)


def rename(workspace: Workspace, old: str, new: str, reason: str) -> None:
    """Give a record of the state another address."""

    def edit(state: State) -> State:
        return state_edits.rename(
            state, parse_address(workspace, old), parse_address(workspace, new)
        )

    _rewrite(workspace, edit, reason)


def _rewrite(workspace: Workspace, edit: Callable[[State], State], reason: str) -> None:
    with workspace.writing():
        workspace.store.write(edit(workspace.store.read()), workspace.owner, reason)
