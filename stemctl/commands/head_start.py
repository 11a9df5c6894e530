"""What a plan surely reads, asked for while many files are loaded.

Only GET requests are sent before the files are known to be valid, and only for lists of records
that the state says are there. Whatever fails here is said after the errors of the files.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator, Mapping

from msgspec import Struct

from stemctl.client.listing import Begun, begun
from stemctl.commands.connection import Link, connect
from stemctl.commands.workspace import Workspace
from stemctl.core.state import State
from stemctl.planning.needs import Need
from stemctl.util import gc_pause
from stemctl.util.timestamps import utc_now


class HeadStart(Struct):
    """When the first request was sent, over which connection, and the lists under way."""

    began: datetime.datetime
    link: Link
    lists: Mapping[str, Begun]
    _state: State | None

    def take_state(self) -> State:
        """The state as it was before the first request, once: it takes as much memory as the files
        until it shares its values with them.
        """
        state, self._state = self._state, None
        assert state is not None
        return state


@contextlib.asynccontextmanager
async def head_start(workspace: Workspace, for_all: bool) -> AsyncIterator[HeadStart]:
    """Connect, and begin to read if the plan is one `for_all` records.

    Raises:
        StateError: the state cannot be used.
        ConfigError: the server cannot be connected to.
    """
    with gc_pause.paused():
        state = workspace.store.read()
    async with connect(workspace) as link:
        began = utc_now()
        known = _known(state) if for_all else {}
        async with begun(link.reader(), known) as lists:
            ahead = HeadStart(began, link, lists, state)
            del state
            yield ahead


def _known(state: State) -> dict[str, Need]:
    """The records that were applied, by model: each of them is looked at by a plan for all."""
    known: dict[str, Need] = {}
    for address, entry in state.records.items():
        if entry.id:
            known.setdefault(address.model, Need()).ids[entry.id] = ()
    return known
