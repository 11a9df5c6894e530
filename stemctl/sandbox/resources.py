"""List, detail, add, change and delete: the operations of every model, as its table allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from stemctl.sandbox import list_query, membership, serializer
from stemctl.sandbox.body_checks import (
    NOT_A_FIELD,
    Problems,
    check_fields,
    check_others,
    defaults,
    missing,
)
from stemctl.sandbox.calls import Call, Endpoint, Handler
from stemctl.sandbox.detail_checks import check_details, unpaired
from stemctl.sandbox.envelopes import every_model
from stemctl.sandbox.replies import Reply, forbidden, invalid, not_found
from stemctl.sandbox.storage import Row, Sql, Storage, relation, stored_relations, targets
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

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
    _may_write(model, call)
    found = checked(model, call, call.body())
    body = {**defaults(model), **found, **membership.of_new(model, call), **_stamps(model, call)}
    row = call.storage.add(model, body)
    # Checked on the new record with its references; a refusal rolls it back.
    _must(call.viewer.changes(model), model, call, row.id)
    _may_link(model, call, row)
    return Reply(201, serializer.one(call, model, row))


def change(model: Model, call: Call, id: str) -> Reply:
    """Replace the fields that are sent, and change members one by one."""
    before, body = visible(model, call, id), call.body()
    _may_change(model, call, before, body)
    found = checked(model, call, body, live=before)
    sent = {name: found.pop(name) for name in membership.fields(model) if name in found}
    _may_publish(model, call, before, found)
    members = {name: membership.changed(model, call, before, name, sent[name]) for name in sent}
    stamps = _stamps(model, call, changing=True)
    row = call.storage.replace(model, before, {**before.body, **found, **members, **stamps})
    membership.rename_group(call.storage, model, before, row)
    if found:
        # Checked again: a record must not move to where the user has no rights.
        _must(call.viewer.changes(model), model, call, row.id)
        _may_link(model, call, row)
    return Reply(200, serializer.one(call, model, row))


def _may_change(model: Model, call: Call, row: Row, body: Fields) -> None:
    """Managers change members, also where only owners change the record itself."""
    sent = body.keys() & set(membership.fields(model))
    if sent:
        _must(call.viewer.manages(model), model, call, row.id)
    if not sent or body.keys() - sent:
        _must(call.viewer.changes(model), model, call, row.id)


def delete(model: Model, call: Call, id: str) -> Reply:
    """Delete a record and the records that its table calls dependent."""
    if model.delete_by == "administrators" and not call.viewer.rules:
        raise forbidden()
    row = changeable(model, call, id)
    for reference in model.kept_by:
        user, _, _ = reference.partition(".")
        users = call.storage.rows_referring(reference, row.id)
        if users:
            words = call.storage.catalog.models[user].count(len(users))
            raise invalid(f"This {model.words} cannot be deleted: {words} refer to it.")
    erase(call.storage, model, row)
    return Reply(204)


def _may_write(model: Model, call: Call) -> None:
    if model.write_by == "administrators" and not call.viewer.rules:
        raise forbidden()


def _may_link(model: Model, call: Call, row: Row) -> None:
    """Some records can only be linked by who may change them, too."""
    for name in model.access.also if model.access else ():
        field = model.fields[name]
        target = call.storage.catalog.models.get(field.to or "")
        ids = set(targets(field, row.body))
        if target and call.storage.known(target, ids, call.viewer.changes(target)) != ids:
            raise forbidden()


def _may_publish(model: Model, call: Call, row: Row, found: Mapping[str, Value]) -> None:
    """Only owners change whether a record is public."""
    name = model.access.public if model.access and model.access.members else None
    if name and name in found and found[name] != row.body.get(name):
        _must(call.viewer.owns(model), model, call, row.id)


def _stamps(model: Model, call: Call, *, changing: bool = False) -> dict[str, Value]:
    """What the server sets by itself: who created a record, and when it was created or changed."""
    now = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    values = {"changed": now} if changing else {"changed": now, "created": now}
    if not changing:
        values["creator"] = str(call.user.id)
    fields = model.fields.values()
    return {f.name: values[f.stamp] for f in fields if f.stamp and f.stamp in values}


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
    _must(call.viewer.changes(model), model, call, row.id)
    return row


def _must(condition: Sql, model: Model, call: Call, id: str) -> None:
    if call.storage.find(model, id, condition) is None:
        raise forbidden()


def checked(
    model: Model, call: Call, body: dict[str, Value], *, live: Row | None = None
) -> dict[str, Value]:
    """The fields of a body as stored. `live` is the record that they change.

    Raises:
        Refusal: 400 with all problems.
    """
    if live is None:
        body = {name: value for name, value in body.items() if not _comes_later(model, name)}
    found, problems = check_fields(call.storage.catalog, model, body)
    if live is None:
        problems = {**missing(model, found), **problems}
    problems = {**unpaired(model, found), **check_details(model, found), **problems}
    problems |= check_others(model, found, call, live=(live.id, live.body) if live else None)
    refuse(model, problems)
    return found


def _comes_later(model: Model, name: str) -> bool:
    """Whether a POST ignores the field."""
    return name in model.fields and model.fields[name].after_create


def refuse(model: Model, problems: Problems) -> None:
    """Reply with the problems, if there are any, in the order of the table.

    Raises:
        Refusal: 400.
    """
    if problems:
        order = [*model.fields, NOT_A_FIELD]
        raise invalid({name: problems[name] for name in order if name in problems})


def erase(storage: Storage, model: Model, row: Row) -> None:
    """Delete a record from the database, and its id from all records that refer to it."""
    catalog = storage.catalog
    # The record itself goes first, so that a circle of dependent records ends.
    storage.remove(row)
    membership.rename_group(storage, model, row, None)
    for other, name in _dependents(catalog, model):
        for dependent in storage.rows_referring(f"{other.name}.{name}", row.id):
            erase(storage, other, dependent)
    for other in every_model(catalog):
        for field in (f for f in stored_relations(other) if f.to == model.name):
            for referring in storage.rows_referring(relation(other, field), row.id):
                value = referring.body[field.name]
                left = [id_ for id_ in value if id_ != row.id] if isinstance(value, list) else None
                storage.replace(other, referring, {**referring.body, field.name: left})


def _dependents(catalog: Catalog, model: Model) -> Iterator[tuple[Model, str]]:
    """The models whose records go with one of `model`, each with its reference to it."""
    for name in model.dependents:
        field = model.fields.get(name)
        other = catalog.models.get(field.to or "") if field else None
        if field and field.reverse and other:
            yield other, field.reverse
    for other in catalog.children(model):
        if other.parent and not other.embedded:
            yield other, other.parent
    for other in catalog.models.values():
        if other.joining and other.fields[other.joining.to].to == model.name:
            yield other, other.joining.to
