"""Entries: records inside a field of another one, which actions of that record write.

Their moment tells them apart: one time, or the start if entries of their type last.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from stemctl.sandbox import resources, serializer
from stemctl.sandbox.body_checks import Problems, check_fields
from stemctl.sandbox.calls import Call, Handler
from stemctl.sandbox.detail_checks import check_details
from stemctl.sandbox.field_values import Invalid, instant
from stemctl.sandbox.replies import Reply, invalid
from stemctl.sandbox.storage import Row
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Embedded, Model
from stemctl.util.json_types import Fields, Value

Entry = dict[str, Value]


def actions(catalog: Catalog, model: Model) -> dict[str, dict[str, Handler]]:
    """The actions that write the entries of a model's records, by name and method."""
    found: dict[str, dict[str, Handler]] = {}
    for entries in catalog.children(model):
        if embedded := entries.embedded:
            about = (model, entries, embedded)
            found[embedded.add] = {"PATCH": partial(_add, *about)}
            found[embedded.change] = {"PATCH": partial(_change, *about)}
            found[embedded.remove] = {"PATCH": partial(_remove, *about)}
    return found


def _add(model: Model, entries: Model, embedded: Embedded, call: Call, id: str) -> Reply:
    row = resources.changeable(model, call, id)
    others = row.body[embedded.within]
    entry = new_entry(call.storage.catalog, entries, row.body, call.body(), others)
    return _stored(model, embedded, call, row, [entry, *others])


def _change(model: Model, entries: Model, embedded: Embedded, call: Call, id: str) -> Reply:
    row = resources.changeable(model, call, id)
    catalog, body = call.storage.catalog, call.body()
    found = _found(catalog, entries, embedded, row, body)
    sent, problems = _checked(catalog, entries, row.body, body)
    if problems:
        raise _refused(embedded, problems)
    others = [entry for entry in row.body[embedded.within] if entry is not found]
    return _stored(model, embedded, call, row, [{**found, **sent}, *others])


def _remove(model: Model, entries: Model, embedded: Embedded, call: Call, id: str) -> Reply:
    row = resources.changeable(model, call, id)
    found = _found(call.storage.catalog, entries, embedded, row, call.body())
    left = [entry for entry in row.body[embedded.within] if entry is not found]
    return _stored(model, embedded, call, row, left)


def _stored(model: Model, embedded: Embedded, call: Call, row: Row, entries: list[Entry]) -> Reply:
    body = {**row.body, embedded.within: newest_first(embedded, entries)}
    return Reply(200, serializer.one(call, model, call.storage.replace(model, row, body)))


def newest_first(embedded: Embedded, entries: list[Entry]) -> list[Entry]:
    """Entries in the order in which the API shows them."""

    def moment(entry: Entry) -> str:
        return next(instant(entry[name]) for name in embedded.by if entry.get(name))

    return sorted(entries, key=moment, reverse=True)


def new_entry(
    catalog: Catalog, entries: Model, parent: Fields, body: Fields, others: list[Entry]
) -> Entry:
    """The entry of a body, with all fields that entries of its type have, beside the others.

    Raises:
        Refusal: 400 with all problems.
    """
    found, problems = _checked(catalog, entries, parent, body)
    key = key_of(catalog, entries, parent)
    if not found.get(key):
        problems.setdefault(key, ["This field is required."])
    elif _same(others, key, found[key]):
        problems[key] = ["There is an entry with this date and time."]
    assert entries.embedded is not None
    if problems:
        raise _refused(entries.embedded, problems)
    names = _names(catalog, entries, parent)
    return {name: found.get(name, entries.fields[name].empty) for name in names}


def key_of(catalog: Catalog, entries: Model, parent: Fields) -> str:
    """The field whose moment tells the entries of a record apart: a start, if they last."""
    assert entries.embedded is not None
    by = entries.embedded.by
    return by[-1] if _lasts(catalog, entries, parent) else by[0]


def _lasts(catalog: Catalog, entries: Model, parent: Fields) -> bool:
    """Whether entries in this parent have a start and an end, by the type of the parent."""
    for field in entries.fields.values():
        if field.details:
            selector = field.details.selector.rpartition(".")[2]
            known = catalog.details(field.details.group).types.get(parent.get(selector) or "")
            return known is not None and known.interval
    return False


def _names(catalog: Catalog, entries: Model, parent: Fields) -> list[str]:
    """The fields of entries in this parent: a moment, or a start and an end."""
    assert entries.embedded is not None
    moment = entries.embedded.by[0]
    lasts = key_of(catalog, entries, parent) != moment
    unused = {moment} if lasts else {field.name for field in entries.moments} - {moment}
    return [f.name for f in entries.managed if not f.to and f.name not in unused]


def _checked(
    catalog: Catalog, entries: Model, parent: Fields, body: Fields
) -> tuple[Entry, Problems]:
    """The fields of a body as stored, and all problems with them."""
    names = _names(catalog, entries, parent)
    found, problems = check_fields(catalog, entries, body)
    # A day alone is its midnight: what tells entries apart is a moment.
    found |= {
        field.name: instant(found[field.name]) for field in entries.moments if found.get(field.name)
    }
    for name in found.keys() - set(names):
        del found[name]
        problems[name] = ["Entries of this type do not have this field."]
    return found, {**check_details(entries, found, parent), **problems}


def _found(catalog: Catalog, entries: Model, embedded: Embedded, row: Row, body: Fields) -> Entry:
    """The entry that a body names by its moment."""
    key = key_of(catalog, entries, row.body)
    if body.get(key) is None:
        raise _refused(embedded, {key: ["This field is required."]})
    try:
        found = _same(row.body[embedded.within], key, body[key])
    except Invalid as error:
        raise _refused(embedded, {key: error.messages}) from error
    if found is None:
        raise _refused(embedded, {key: ["There is no entry with this date and time."]})
    return found


def _same(entries: list[Entry], key: str, moment: Value) -> Entry | None:
    wanted = instant(moment)
    return next((e for e in entries if e.get(key) and instant(e[key]) == wanted), None)


def _refused(embedded: Embedded, problems: Mapping[str, list[str]]) -> Exception:
    return invalid({embedded.within: dict(problems)})
