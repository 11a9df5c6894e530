"""List, detail, add, change and delete: the operations of every model, as its table allows."""

from __future__ import annotations

from functools import partial

from stemctl.sandbox import list_query, serializer
from stemctl.sandbox.body_checks import Problems, check_fields, check_others, defaults, missing
from stemctl.sandbox.calls import Call, Endpoint, Handler
from stemctl.sandbox.envelopes import every_model
from stemctl.sandbox.replies import Reply, forbidden, invalid, not_found
from stemctl.sandbox.storage import Row, Sql, Storage, relation, stored_relations
from stemctl.sandbox.users import are_members, merged_members, sole_owner
from stemctl.schema.catalog import Model
from stemctl.util.json_types import Value

_ADDRESSES = {
    "list": ("many", "GET"),
    "add": ("many", "POST"),
    "detail": ("one", "GET"),
    "change": ("one", "PATCH"),
    "delete": ("one", "DELETE"),
}


def endpoint(model: Model, **instead: Handler) -> Endpoint:
    """The URLs of a model; `instead` replaces the handlers of operations."""
    plain: dict[str, Handler] = {
        name: partial(handler, model)
        for name, handler in (
            ("list", list_),
            ("add", add),
            ("detail", detail),
            ("change", change),
            ("delete", delete),
        )
    }
    handlers: dict[str, dict[str, Handler]] = {"many": {}, "one": {}}
    for operation in model.operations:
        shape, method = _ADDRESSES[operation]
        handlers[shape][method] = instead.get(operation, plain[operation])
    return Endpoint(model.read_portals, model.write_portals, handlers)


def list_(model: Model, call: Call, _: str) -> Reply:
    """One page of the records that the user may see."""
    page = list_query.page(call.parameters)
    found = list_query.condition(call.storage.catalog, model, call.parameters)
    everything = call.storage.listing(
        model, Sql.every([call.viewer.sees(model), found]), list_query.order(model, call.parameters)
    )
    rows = call.storage.rows(everything[page.offset : page.offset + page.limit])
    included = list_query.includes(model, call.parameters)
    return Reply(200, serializer.many(call, model, rows, included, page, len(everything)))


def detail(model: Model, call: Call, id: str) -> Reply:
    """One record."""
    row = visible(model, call, id)
    included = list_query.includes(model, call.parameters)
    return Reply(200, serializer.one(call, model, row, included))


def add(model: Model, call: Call, _: str) -> Reply:
    """Create a record. If the model has members, the user becomes the only owner."""
    body = {**defaults(model), **checked(model, call, call.body(), live=None)}
    if model.access and model.access.members:
        body[model.access.members] = sole_owner(call.user)
    row = call.storage.add(model, body)
    # Checked on the new record with its references; a refusal rolls it back.
    _must_change(model, call, row.id)
    return Reply(201, serializer.one(call, model, row))


def change(model: Model, call: Call, id: str) -> Reply:
    """Replace the fields that are sent."""
    row = changeable(model, call, id)
    found = checked(model, call, call.body(), live=row.id)
    members = model.access.members if model.access else None
    if members in found:
        found[members] = _merged(members, row.body[members], found[members])
    row = call.storage.replace(model, row, {**row.body, **found})
    # Checked again: a record must not move to where the user has no rights.
    _must_change(model, call, row.id)
    return Reply(200, serializer.one(call, model, row))


def _merged(name: str, members: Value, sent: Value) -> Value:
    if not are_members(sent):
        raise invalid(
            {name: ["Expected an object of e-mail addresses, each with an object of rights."]}
        )
    return merged_members(members, sent)


def delete(model: Model, call: Call, id: str) -> Reply:
    """Delete a record and the records that its table calls dependent."""
    if model.delete_by == "administrators" and not call.user.administrator:
        raise forbidden()
    erase(call.storage, model, changeable(model, call, id))
    return Reply(204)


def visible(model: Model, call: Call, id: str) -> Row:
    """The record, if the user may see it.

    Raises:
        Refusal: 404, also if the record exists.
    """
    row = call.storage.find(model, id.lower(), call.viewer.sees(model))
    if row is None:
        raise not_found()
    return row


def changeable(model: Model, call: Call, id: str) -> Row:
    """The record, if the user may change it.

    Raises:
        Refusal: 404 if the user may not see it, else 403.
    """
    row = visible(model, call, id)
    _must_change(model, call, row.id)
    return row


def _must_change(model: Model, call: Call, id: str) -> None:
    if call.storage.find(model, id, call.viewer.changes(model)) is None:
        raise forbidden()


def checked(
    model: Model, call: Call, body: dict[str, Value], *, live: str | None
) -> dict[str, Value]:
    """The fields of a body as stored. `live` is the id of the record that they change.

    Raises:
        Refusal: 400 with all problems.
    """
    found, problems = check_fields(model, body)
    if live is None:
        problems = {**missing(model, found), **problems}
    problems |= check_others(model, found, call, but=live)
    refuse(model, problems)
    return found


def refuse(model: Model, problems: Problems) -> None:
    """Reply with the problems, if there are any, in the order of the table.

    Raises:
        Refusal: 400.
    """
    if problems:
        raise invalid({name: problems[name] for name in model.fields if name in problems})


def erase(storage: Storage, model: Model, row: Row) -> None:
    """Delete a record from the database, and its id from all records that refer to it."""
    catalog = storage.catalog
    # The record itself goes first, so that a circle of dependent records ends.
    storage.remove(row)
    for field in (model.fields[name] for name in model.dependents if name in model.fields):
        other = catalog.models.get(field.to or "")
        if other and field.reverse:
            for dependent in storage.rows_referring(f"{other.name}.{field.reverse}", row.id):
                erase(storage, other, dependent)
    for other in every_model(catalog):
        for field in (f for f in stored_relations(other) if f.to == model.name):
            for referring in storage.rows_referring(relation(other, field), row.id):
                value = referring.body[field.name]
                left = [id_ for id_ in value if id_ != row.id] if isinstance(value, list) else None
                storage.replace(other, referring, {**referring.body, field.name: left})
