"""Changes of the state that send nothing: resolve a conflict, bind, forget and rename a record."""

from __future__ import annotations

import shlex

from msgspec.structs import replace

from stemctl.core.plan import Change, FieldChange, Held
from stemctl.core.records import Address
from stemctl.core.state import Entry, State
from stemctl.errors import StateError, Untouched
from stemctl.planning.values import assemble, elements_alike
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value


def resolve_conflict(state: State, change: Change, model: Model) -> State:
    """Take the server's values as the base of what is in conflict; the files' become an edit.

    Raises:
        StateError: the change is not a conflict.
    """
    if change.held is not Held.CONFLICT:
        raise StateError(
            f"{change.address} is not in conflict.", untouched=Untouched.NOTHING_CHANGED
        )
    address = change.previous_address or change.address
    entry = state.records[address]
    if change.pending_since is not None:
        return state.with_entry(address, _bound_to_twin(change, model, entry))
    applied, observed = dict(entry.applied), dict(entry.observed)
    for field in change.fields:
        if field.reason != "conflict":
            continue
        name, _, key = field.path.partition(".")
        row = model.fields[name]
        if row.keyed:
            applied[name] = _with_element(applied.get(name), key, field.before)
        else:
            applied[name] = _server_value(row, field, applied.get(name))
        observed.pop(name, None)
    return state.with_entry(address, replace(entry, applied=applied, observed=observed))


def _bound_to_twin(change: Change, model: Model, entry: Entry) -> Entry:
    """The entry bound to the live record that has the name of a creation in doubt.

    What the server holds becomes the base.
    """
    if change.id is None:
        raise StateError(
            f"{change.address} matches several records on the server.",
            "Only you can tell which one it is.",
            [
                (
                    f"stemctl plan {_quoted(change.address)}",
                    "shows them, and the command that binds each",
                )
            ],
            Untouched.NOTHING_CHANGED,
        )
    applied = dict(change.declared)
    for field in change.fields:
        row = model.fields[field.path]
        applied[field.path] = _server_value(row, field, change.declared.get(field.path))
    return Entry(change.id, applied, prevent_delete=entry.prevent_delete, run=entry.run)


def _server_value(row: Field, field: FieldChange, applied: Value) -> Value:
    """The server's value; of a set, our elements as far as the server has them."""
    if not row.merges:
        return field.before
    ours, live, files = elements_alike(row, applied, field.before, field.after)
    wanted = {**ours, **files}
    return assemble(row, {key: live[key] for key in wanted if key in live})


def _with_element(value: Value, key: str, element: Value) -> Value:
    """A map with one entry as the server has it, or without it."""
    rest = {name: other for name, other in (value or {}).items() if name != key}
    return rest if element is None else {**rest, key: element}


def bind(state: State, address: Address, id_: str) -> State:
    """Bind an address to a live record, without a base: the next plan shows what differs.

    Raises:
        StateError: the id belongs to another address, or the address to another id.
    """
    for other, entry in state.records.items():
        if entry.id == id_ and other != address:
            raise StateError(
                f"{id_} is already bound to {other}.",
                "An id can be bound to one address only.",
                untouched=Untouched.NOTHING_CHANGED,
            )
    bound = state.records.get(address)
    if bound is not None and bound.id not in (None, id_):
        raise StateError(
            f"{address} is already bound to {bound.id}.",
            hints=[(f"stemctl state rm {_quoted(address)}", "removes that binding")],
            untouched=Untouched.NOTHING_CHANGED,
        )
    return state.with_entry(address, replace(bound or Entry(), id=id_, approval=None, pending=()))


def remove(state: State, address: Address) -> State:
    """Forget an address; the server is not asked.

    Raises:
        StateError: the state does not have it.
    """
    _entry_of(state, address)
    return state.with_entry(address, None)


def rename(state: State, old: Address, new: Address, catalog: Catalog) -> State:
    """Give an entry another address of the same model. What is nested in its record follows.

    Raises:
        StateError: the state lacks the old address, or already has the new one.
    """
    entry = _entry_of(state, old)
    if new in state.records:
        raise StateError(f"{new} already exists in the state.", untouched=Untouched.NOTHING_CHANGED)
    if new.model != old.model:
        raise StateError(
            f"{old} cannot be renamed to {new}.",
            "The model of a record cannot change.",
            untouched=Untouched.NOTHING_CHANGED,
        )
    after = state.with_entry(old, None).with_entry(new, entry)
    below = {model.name: model for model in catalog.below(catalog.models.get(old.model))}
    records = dict(after.records)
    for address, child in after.records.items():
        model = below.get(address.model)
        if model is not None and _is_within(address, child, model, old, state):
            to = Address(address.model, new.key + address.key[len(old.key) :])
            if to not in records:
                del records[address]
                records[to] = child
    return replace(after, records=records)


def _is_within(address: Address, entry: Entry, model: Model, parent: Address, state: State) -> bool:
    """Whether a record is nested in that one. Keys may contain slashes, so another record, whose
    key continues that of `parent`, may be the one that holds it.
    """
    if not f"{address.key}/".startswith(f"{parent.key}/"):
        return False
    if model.parent is not None and entry.applied.get(model.parent) == parent.key:
        return True
    key = address.key
    while key != parent.key and Address(parent.model, key) not in state.records:
        key = key.rpartition("/")[0]
    return key == parent.key


def _quoted(address: Address) -> str:
    return shlex.quote(str(address))


def _entry_of(state: State, address: Address) -> Entry:
    if address not in state.records:
        raise StateError(
            f"{address} is not in the state.",
            hints=[("stemctl state list", "lists the records in the state")],
            untouched=Untouched.NOTHING_CHANGED,
        )
    return state.records[address]
