"""The records of a repository as its page shows them: what each is called, when it was, what it can
be counted by, and what is not applied of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from stemctl.core.plan import Action, Change, Plan
from stemctl.core.records import Address, Record, Repository
from stemctl.core.state import State
from stemctl.render.change_view import location_text, waits
from stemctl.render.lab_groups import Group, grouped_by
from stemctl.render.values import shown
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import cut, visible

LONGEST = 2_000
"""Characters of a value that the page shows."""

LONGEST_NAME = 200
"""Characters of a name that the page shows."""

_DAY = late_pattern(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d)?")

APPLIED, WAITS = "applied", "waiting for others"
_TO_DO = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.DELETE: "to delete",
    Action.ADOPT: "to adopt",
    Action.FORGET: "to forget",
}


class LabRow(Struct, frozen=True):
    """A declared record. `when` is the day, or day and time, that it is about; `id` is empty where
    the state binds none; `groups` has what it is counted by; `changes` what a plan would send.
    """

    address: Address
    name: str
    place: str
    parent: Address | None
    id: str
    status: str
    when: str
    fields: tuple[tuple[str, str], ...]
    groups: Mapping[Group, tuple[str, ...]]
    changes: tuple[str, ...] = ()


def lab_rows(
    repository: Repository, state: State, plan: Plan, catalog: Catalog
) -> dict[Address, LabRow]:
    """A row for each declared record, in the order of the files."""
    changes = {change.address: change for change in plan.changes}
    ids = bound_ids(repository, state, plan)
    names = _Names(repository, state, ids)
    rows = {}
    for address, record in repository.records.items():
        model = catalog.models[address.model]
        change = changes.get(address)
        rows[address] = LabRow(
            address=address,
            name=name_of(model, record),
            place=location_text(record.location),
            parent=record.parent,
            id=visible(ids.get(address, "")),
            status=status_of(change),
            when=_when(model, record),
            fields=tuple(_fields(model, record, names)),
            groups=grouped_by(catalog, model, record, names.of),
            changes=tuple(_differences(change)),
        )
    return rows


def bound_ids(repository: Repository, state: State, plan: Plan) -> dict[Address, str]:
    """The id that each record has on the server, as far as files, state and plan know."""
    ids = {a: record.id for a, record in repository.records.items() if record.id}
    ids |= {address: entry.id for address, entry in state.records.items() if entry.id}
    ids |= {moved.address: moved.id for moved in plan.state_changes if moved.id}
    return ids | {change.address: change.id for change in plan.changes if change.id}


def status_of(change: Change | None) -> str:
    """Whether a record is applied, or what a plan would do with it."""
    if change is None:
        return APPLIED
    if change.held:
        return WAITS if waits(change) else f"held: {change.held}"
    return _TO_DO[change.action]


def name_of(model: Model, record: Record) -> str:
    """What people call a record; else its key."""
    row = model.fields.get(model.called or "")
    name = record.fields.get(row.name) if row and row.kind == "text" else None
    called = name if isinstance(name, str) and name else record.address.key
    return cut(visible(called), LONGEST_NAME)


def _when(model: Model, record: Record) -> str:
    for row in model.moments:
        value = record.fields.get(row.name)
        if isinstance(value, str) and (found := _DAY.match(value)):
            return found[0].replace("T", " ")
    return ""


class _Names:
    """What references stand for: the name of a record that is referred to by its id."""

    def __init__(self, repository: Repository, state: State, ids: Mapping[Address, str]) -> None:
        self._by_id = {
            (model, id_): name
            for model, names in state.names.items()
            for name, id_ in names.items()
        }
        self._by_id |= {
            (address.model, ids[address]): address.key
            for address in repository.records
            if address in ids
        }

    def of(self, model: str, text: str) -> str:
        return visible(self._by_id.get((model, text.lower()), text))


def _fields(model: Model, record: Record, names: _Names) -> Iterator[tuple[str, str]]:
    for name, value in record.fields.items():
        row = model.fields[name]
        if name == model.parent and record.parent is not None:
            continue  # it is its place in the file
        if row.to and isinstance(value, str):
            yield name, names.of(row.to, value)
        elif row.to and isinstance(value, list):
            yield name, ", ".join(names.of(row.to, str(item)) for item in value)
        else:
            yield visible(name), _text(value)


def _text(value: Value) -> str:
    return cut(visible(value) if isinstance(value, str) else shown(value), LONGEST)


def _differences(change: Change | None) -> Iterator[str]:
    """What a plan would change in a record that exists."""
    if change is None or change.action is Action.CREATE:
        return
    for field in change.fields:
        before, after = (cut(shown(value), LONGEST) for value in (field.before, field.after))
        yield f"{visible(field.path)}: {before} → {after}"
