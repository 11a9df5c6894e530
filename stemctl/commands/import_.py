"""import: bind an address to a record that exists on the server."""

from __future__ import annotations

from msgspec import Struct

from stemctl.client.query import check_id
from stemctl.commands.connection import connect
from stemctl.commands.event_loop import run_async
from stemctl.commands.loading import load
from stemctl.commands.state import parse_address
from stemctl.commands.targets import refuse_whole_models
from stemctl.commands.workspace import Workspace
from stemctl.core.entry_ids import parent_id
from stemctl.core.records import Address
from stemctl.core.state import State
from stemctl.errors import ConfigError, Untouched
from stemctl.planning import state_edits
from stemctl.planning.entries import entries_in
from stemctl.planning.selection import spell
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, is_record_id, is_uuid


class Imported(Struct, frozen=True):
    """The address, the id it is bound to now, and the name that the record has on the server."""

    address: Address
    id: str
    name: str | None


def import_record(workspace: Workspace, target: str, id_: str) -> Imported:
    """Bind an address to the record with this id.

    Raises:
        ConfigError: the edition cannot write the model, so the next plan would delete the record;
        or the id is none.
        StateError: the address or the id is bound already.
    """
    address = _address(workspace, target, id_)
    model = workspace.catalog.models[address.model]
    if not model.writable:
        raise ConfigError(
            f"Edition {workspace.catalog.edition} cannot write {model.section}.",
            untouched=Untouched.NOTHING_CHANGED,
        )
    parent = workspace.catalog.parent_of(model) if model.embedded else None
    if parent is None:
        check_id(model, id_)
        id_ = id_.lower()
    else:
        _check_entry_id(model, parent, id_)
    with workspace.writing():
        state = workspace.store.read()
        live = run_async(_detail(workspace, model, parent, id_))
        bound = state_edits.bind(state, address, str(live["id"]))
        workspace.store.write(bound, workspace.owner, f"import {address}")
    name = live.get(model.called) if model.called else None
    return Imported(address, str(live["id"]), name if isinstance(name, str) else None)


def _address(workspace: Workspace, target: str, id_: str) -> Address:
    """The address that is typed, or the one of the only record of the files with this name.

    Raises:
        ConfigError: it is no address, and the name of no record or of several.
    """
    if is_uuid(target):
        raise ConfigError(
            f"`{target}` is an id, not an address.",
            "The address comes first.",
            [(f"stemctl import MODEL/KEY {target}", "binds an address to it")],
            untouched=Untouched.NOTHING_SENT,
        )
    if "/" in target or not target.strip():
        return parse_address(workspace, target)
    repository = load(workspace.config, workspace.catalog).repository
    nothing = State(workspace.server.url, workspace.server.portal, workspace.server.edition)
    (spelled,) = spell([target], repository, nothing, workspace.catalog, "in the files")
    words = {target: spelled} if is_uuid(id_) else {target: spelled, id_: ""}
    refuse_whole_models(workspace.catalog, words, "import", id_ if is_uuid(id_) else "ID")
    return parse_address(workspace, spelled)


def _check_entry_id(model: Model, parent: Model, id_: str) -> None:
    """Refuse what is not the id of an entry.

    Raises:
        ConfigError: it is none.
    """
    if "/" not in id_ or not is_record_id(id_):
        raise ConfigError(
            f"`{id_}` is not the id of {model.one_of_them}.",
            f"It is the id of the {parent.words}, a slash, and the moment in UTC, like "
            "5f7f1d0e-8a80-4d8e-9d3c-3f1b6c0f1a11/2024-03-12T08:00:00Z.",
            [(f"stemctl get {parent.name} -o json", "prints the ids and their entries")],
            untouched=Untouched.NOTHING_SENT,
        )
    check_id(parent, parent_id(id_))


async def _detail(workspace: Workspace, model: Model, parent: Model | None, id_: str) -> Fields:
    async with connect(workspace) as link:
        if parent is None:
            return await link.reader().detail(model, id_)
        record = await link.reader().detail(parent, parent_id(id_))
    entry = dict(entries_in(model, record)).get(id_)
    if entry is None:
        raise ConfigError(
            f"This {parent.words} has no entry at {id_.partition('/')[2]}.",
            hints=[(f"stemctl get {parent.name} -o json", "prints its entries")],
            untouched=Untouched.NOTHING_CHANGED,
        )
    return entry
