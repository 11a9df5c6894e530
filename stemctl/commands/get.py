"""get: read records from the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stemctl.client import query
from stemctl.client.query import QueryResult
from stemctl.commands.connection import connect
from stemctl.commands.workspace import Workspace
from stemctl.errors import ConfigError
from stemctl.schema.catalog import Model


@dataclass(frozen=True, slots=True)
class Request:
    """Which records to read, as the options say."""

    model: str
    name: str | None
    portal: str | None
    filters: Sequence[str]
    sort: Sequence[str]
    include: Sequence[str]


async def get(workspace: Workspace, request: Request, with_names: bool) -> QueryResult:
    """Read records, and with `with_names` also the names that ids in them stand for.

    Raises:
        ConfigError: an unknown model, portal or field.
    """
    model, name = _wanted(workspace, request)
    if request.portal and request.portal not in model.read_portals:
        raise ConfigError(
            f"{model.name} cannot be read through the portal {request.portal}.",
            f"It can be read through {' or '.join(model.read_portals)}.",
        )
    asked = query.make_query(model, request.filters, request.sort, request.include)
    async with connect(workspace) as link:
        client = link.reader(request.portal)
        found = await query.find(client, model, name, asked)
        return await query.with_names(client, found) if with_names else found


def _wanted(workspace: Workspace, request: Request) -> tuple[Model, str | None]:
    """The model, and the name or id of one record if it is one. A word that is no model may be the
    name of the only record that has it, as far as the state knows.
    """
    if request.name is None and workspace.catalog.find(request.model) is None:
        state = workspace.store.read()
        keys = [address for address in state.records if address.key == request.model]
        if len(keys) == 1 and keys[0].model in workspace.catalog.models:
            entry = state.records[keys[0]]
            return workspace.catalog.models[keys[0].model], entry.id or keys[0].key
    return query.find_model(workspace.catalog, request.model), request.name
