"""The method, path and body of each request, from model, action and id. Nothing else decides where
a request goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from stemctl.core.entry_ids import parent_id, selector
from stemctl.core.placeholders import is_placeholder, text_of
from stemctl.core.plan import METHODS, Action, Change, Method, Request
from stemctl.core.records import Address
from stemctl.schema.models import Embedded, Model
from stemctl.util.json_types import Fields, Value

_NOTHING: Fields = {}


def request_of(
    model: Model,
    action: Action,
    address: Address,
    *,
    id_: str | None,
    body: Fields | None,
    live: Fields = _NOTHING,
) -> Request:
    """The request that carries out an action; `id_` is None for a record to be created.

    An entry is named by its moment as the server has it, in `live`.
    """
    if model.embedded is not None and action is not Action.CREATE:
        body = {**selector(model, live), **(body or {})}
    method, path = _target(model, action, address, id_=id_, body=body or {})
    return Request(method, path, body)


def expected_requests(change: Change, model: Model) -> Iterator[tuple[Method | None, str]]:
    """The method and path that each request of a change must have."""
    for number, sent in enumerate(change.requests):
        action = change.action if number == 0 else Action.UPDATE
        if action not in METHODS:
            yield None, ""
            continue
        yield _target(model, action, change.address, id_=change.id, body=sent.body or {})


def action_of(embedded: Embedded, action: Action) -> str:
    """The action of the parent that carries out an action on one of its entries."""
    if action is Action.CREATE:
        return embedded.add
    return embedded.remove if action is Action.DELETE else embedded.change


def _target(
    model: Model, action: Action, address: Address, *, id_: str | None, body: Fields
) -> tuple[Method, str]:
    if model.embedded is not None and model.parent is not None:
        within = parent_id(id_) if id_ else _id_in_path(body.get(model.parent))
        parent = model.fields[model.parent].to
        path = f"{model.app}/{parent}/{within}/{action_of(model.embedded, action)}/"
        return "PATCH", path
    path = f"{model.app}/{model.name}/"
    if action is not Action.CREATE:
        path += f"{id_ or f'{{{address}}}'}/"
    return METHODS[action], path


def _id_in_path(value: Value) -> str:
    """An id, or in braces the address of a record that has none yet."""
    return f"{{{text_of(value)}}}" if is_placeholder(value) else str(value)
