"""get: read records from the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from stemctl.client import children, query
from stemctl.client.children import Children
from stemctl.client.query import QueryResult
from stemctl.commands.connection import connect
from stemctl.commands.workspace import Workspace
from stemctl.errors import ConfigError, Untouched
from stemctl.schema.find_model import find_model
from stemctl.schema.models import Model


class Request(Struct, frozen=True):
    """Which records to read, as the options say."""

    model: str
    name: str | None
    portal: str | None
    filters: Sequence[str]
    sort: Sequence[str]
    include: Sequence[str]


class Found(Struct, frozen=True):
    """The records, and those inside them if a manifest is to have these: then with the keys that
    the state knows, by model and id.
    """

    result: QueryResult
    children: tuple[Children, ...] = ()
    keys: Mapping[tuple[str, str], str] = {}

    @property
    def complete(self) -> bool:
        """Whether these are all that match."""
        return self.result.complete and children.all_complete(self.children)


async def get(
    workspace: Workspace, request: Request, with_names: bool, nested: bool = False
) -> Found:
    """Read records, and with `with_names` also the names that ids in them stand for.

    With `nested`, included records that a manifest writes inside these are read for it.

    Raises:
        ConfigError: an unknown model, portal or field.
    """
    model, name = requested(workspace, request)
    catalog = workspace.catalog
    include, wanted = children.split(catalog, model, request.include)
    if not nested:
        include = tuple(children.relation(catalog, model, word) for word in request.include)
    asked = query.make_query(model, request.filters, request.sort, include)
    async with connect(workspace) as link:
        client = link.reader(request.portal)
        found = await query.find(client, model, name, asked)
        found = await query.with_names(client, found) if with_names else found
        inside = await children.read(client, found, wanted) if nested else ()
    known = workspace.store.read().records if inside else {}
    keys = {(at.model, entry.id): at.key for at, entry in known.items() if entry.id}
    return Found(found, inside, keys)


def requested(workspace: Workspace, request: Request) -> tuple[Model, str | None]:
    """The model, and the name or id of one record if it is one.

    Raises:
        ConfigError: there is no such model, or it cannot be listed through this portal.
    """
    model, name = _named(workspace, request)
    parent = workspace.catalog.parent_of(model) if model.embedded else None
    if parent is not None:
        raise ConfigError(
            f"The server does not list {model.count(2)[2:]}.",
            f"They are inside {parent.count(2)[2:]}.",
            [(f"stemctl get {parent.name} -o json", "prints these with their entries")],
            untouched=Untouched.NOTHING_READ,
        )
    if request.portal and request.portal not in model.read_portals:
        raise ConfigError(
            f"{model.name} cannot be read through the portal {request.portal}.",
            f"It can be read through {' or '.join(model.read_portals)}.",
        )
    return model, name


def _named(workspace: Workspace, request: Request) -> tuple[Model, str | None]:
    """The model, and the name or id of one record if it is one. A word that is no model may be the
    name of the only record that has it, as far as the state knows.
    """
    if request.name is None and workspace.catalog.find(request.model) is None:
        state = workspace.store.read()
        keys = [address for address in state.records if address.key == request.model]
        if len(keys) == 1 and keys[0].model in workspace.catalog.models:
            entry = state.records[keys[0]]
            return workspace.catalog.models[keys[0].model], entry.id or keys[0].key
    return find_model(workspace.catalog, request.model), request.name
