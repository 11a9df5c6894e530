"""The method and path of each request, built from model, action and id. Nothing else decides where
a request goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from stemctl.core.plan import METHODS, Action, Change, Method, Request
from stemctl.core.records import Address
from stemctl.schema.catalog import Model
from stemctl.util.json_types import Fields


def request_of(
    model: Model, action: Action, address: Address, *, id_: str | None, body: Fields | None
) -> Request:
    """The request that carries out an action; `id_` is None for a record to be created."""
    path = f"{model.app}/{model.name}/"
    if action is not Action.CREATE:
        path += f"{id_ or unknown_id(address)}/"
    return Request(METHODS[action], path, body)


def unknown_id(address: Address) -> str:
    """What stands in a path for the id of a record that does not exist yet."""
    return f"{{{address}}}"


def expected_requests(change: Change, model: Model) -> Iterator[tuple[Method | None, str]]:
    """The method and path that each request of a change must have."""
    for number, sent in enumerate(change.requests):
        action = change.action if number == 0 else Action.UPDATE
        if action not in METHODS:
            yield None, ""
            continue
        made = request_of(model, action, change.address, id_=change.id, body=sent.body)
        yield made.method, made.path
