"""Changes of the state that send nothing: conflicts settled, records bound, entries dropped and
renamed.
"""

from __future__ import annotations

from dataclasses import replace

from stemctl.core.plan import Change, FieldChange, Held
from stemctl.core.records import Address
from stemctl.core.state import Entry, State
from stemctl.errors import StateError
from stemctl.planning.values import assemble, elements_alike
from stemctl.schema.catalog import Field, Model
from stemctl.util.json_types import Value


def resolve_conflict(state: State, change: Change, model: Model) -> State:
    """Take the server's present values as the base of what is in conflict, so that the files'
    become an edit.

    Raises:
        StateError: the change is no conflict.
    """
    if change.held is not Held.CONFLICT:
        raise StateError(f"{change.address} is not in conflict.", "Nothing was changed.")
    entry = state.records[change.previous_address or change.address]
    if change.pending_since is not None:
        return _take_as_ours(state, change, model, entry)
    applied, observed = dict(entry.applied), dict(entry.observed)
    for f in change.fields:
        if f.reason != "conflict":
            continue
        name, _, key = f.path.partition(".")
        row = model.fields[name]
        if row.kind == "map":
            applied[name] = _with(applied.get(name), key, f.before)
        else:
            applied[name] = _server(row, f, applied.get(name))
        observed.pop(name, None)
    return state.with_entry(
        change.previous_address or change.address,
        replace(entry, applied=applied, observed=observed),
    )


def _take_as_ours(state: State, change: Change, model: Model, entry: Entry) -> State:
    """Bind the record that has the name of one whose creation is in doubt; what the server holds
    becomes the base.
    """
    if change.id is None:
        hint = (f"stemctl show {change.address}", "what may be it")
        raise StateError(
            f"{change.address} may be several records.",
            "Bind one of them with stemctl import.",
            [hint],
        )
    applied = dict(change.declared)
    for f in change.fields:
        applied[f.path] = _server(model.fields[f.path], f, change.declared.get(f.path))
    fresh = Entry(change.id, applied, prevent_delete=entry.prevent_delete, run=entry.run)
    return state.with_entry(change.previous_address or change.address, fresh)


def _server(row: Field, f: FieldChange, applied: Value) -> Value:
    """The server's value; of a list of items, ours as far as the server has them."""
    if not row.merges:
        return f.before
    ours, live, files = elements_alike(row, applied, f.before, f.after)
    wanted = {**ours, **files}
    return assemble(row, {key: live[key] for key in wanted if key in live})


def _with(value: Value, key: str, element: Value) -> Value:
    """A map with one entry as the server has it, or without it."""
    rest = {k: v for k, v in (value or {}).items() if k != key}
    return rest if element is None else {**rest, key: element}


def bind(state: State, address: Address, id_: str) -> State:
    """Bind an address to a live record, without a base: what differs is shown by the next plan.

    Raises:
        StateError: the id belongs to another address, or the address to another id.
    """
    for other, entry in state.records.items():
        if entry.id == id_ and other != address:
            raise StateError(
                f"{id_} is bound to {other} already.",
                "An id belongs to one address. Nothing was changed.",
            )
    bound = state.records.get(address)
    if bound is not None and bound.id not in (None, id_):
        hint = (f"stemctl state rm {address}", "forgets that binding")
        raise StateError(f"{address} is bound to {bound.id}.", "Nothing was changed.", [hint])
    return state.with_entry(address, replace(bound or Entry(), id=id_, approval=None, pending=()))


def drop(state: State, address: Address) -> State:
    """Forget an address; the server is not asked.

    Raises:
        StateError: the state does not have it.
    """
    _known(state, address)
    return state.with_entry(address, None)


def rename(state: State, old: Address, new: Address) -> State:
    """Give an entry another address of the same model.

    Raises:
        StateError: the state lacks the one, or has the other.
    """
    entry = _known(state, old)
    if new in state.records:
        raise StateError(f"The state has {new} already.", "Nothing was changed.")
    if new.model != old.model:
        raise StateError(
            f"{old} cannot become {new}.", "A record keeps its model. Nothing was changed."
        )
    return state.with_entry(old, None).with_entry(new, entry)


def _known(state: State, address: Address) -> Entry:
    if address not in state.records:
        hint = ("stemctl state list", "shows what it has")
        raise StateError(f"The state does not have {address}.", "Nothing was changed.", [hint])
    return state.records[address]
