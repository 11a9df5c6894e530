"""get: read records from the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stemctl.client import query
from stemctl.client.query import QueryResult
from stemctl.commands.connection import connect
from stemctl.commands.workspace import Workspace
from stemctl.errors import ConfigError


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
    model = query.find_model(workspace.catalog, request.model)
    if request.portal and request.portal not in model.read_portals:
        raise ConfigError(
            f"{model.name} cannot be read through the portal {request.portal}.",
            f"It can be read through {' or '.join(model.read_portals)}.",
        )
    asked = query.make_query(model, request.filters, request.sort, request.include)
    async with connect(workspace) as link:
        client = link.reader(request.portal)
        found = await query.find(client, model, request.name, asked)
        return await query.with_names(client, found) if with_names else found
