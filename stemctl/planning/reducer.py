"""What a run did, folded into the state, whether the run ended or broke off."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from stemctl.core.apply_report import Outcome, Status
from stemctl.core.plan import Action, Change, StateChange
from stemctl.core.records import Address
from stemctl.core.run import Part, Run
from stemctl.core.state import Entry, PendingRequest, Proposed, State, Uncommitted
from stemctl.core.state_codec import ways_out
from stemctl.errors import StateError, Untouched
from stemctl.schema.catalog import Catalog
from stemctl.schema.value_shapes import fits
from stemctl.util.json_types import Fields


def reduce(state: State, run: Run) -> State:
    """The state after a run: new bases for what was done, pending requests for what has no answer.

    Reducing twice is reducing once: a state that already has the run stays as it is.
    """
    if state.run == run.id:
        return state
    entries = dict(state.records)
    for row in run.plan.state_changes:
        _apply_state_change(entries, row, run.id)
    for part in run.parts.values():
        _apply_part(entries, part, run.id)
    for outcome in run.outcomes.values():
        _apply_outcome(entries, outcome, run)
    for change in run.unanswered():
        _add_pending(entries, change, run)
    names = {model: dict(found) for model, found in state.names.items()}
    for model, found in run.plan.names.items():
        names.setdefault(model, {}).update(found)
    after = replace(state, lineage=run.lineage, run=run.id, names=names, records=entries)
    if run.folder is not None:
        after = replace(after, folder=run.folder)
    if run.plan.commit is None:
        return after
    files = run.plan.uncommitted
    uncommitted = Uncommitted(run.id, run.who, files) if files else None
    return replace(after, commit=run.plan.commit, uncommitted=uncommitted)


def check_state(state: State, catalog: Catalog, where: str) -> State:
    """The state, if its values have the shapes of their fields.

    Models and fields that the edition lacks are left alone.

    Raises:
        StateError: the state was edited, or is damaged.
    """
    if len(state.records) > _MANY and _usual(state, catalog):
        return state
    for address, entry in state.records.items():
        model = catalog.models.get(address.model)
        if model is None:
            continue
        for fields in _contents(entry):
            for name, value in fields.items():
                row = model.fields.get(name)
                if row is not None and not fits(row, value, planned=True):
                    raise StateError(
                        f"{where} has an invalid value for {name} of {address}.",
                        "The file was edited, or is damaged.",
                        ways_out(where),
                        Untouched.NOTHING_SENT,
                    )
    return state


_MANY = 500
"""Of fewer records, each is checked as fast as the types of their models are made."""


def _usual(state: State, catalog: Catalog) -> bool:
    """Whether all values have the usual shapes of their fields, which is checked in one go; if not,
    each is looked at.
    """
    from stemctl.schema.record_types import list_of_fields, names_and_kinds  # for many records

    contents: dict[str, list[Fields]] = {}
    for address, entry in state.records.items():
        found = contents.setdefault(address.model, [])
        if entry.observed or entry.pending or entry.approval:
            found += _contents(entry)
        else:
            found.append(entry.applied)
    try:
        for name, fields in contents.items():
            if name in catalog.models:
                msgspec.convert(fields, list_of_fields(names_and_kinds(catalog.models[name])))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def _contents(entry: Entry) -> Iterator[Fields]:
    """All field values that an entry remembers."""
    for pending in entry.pending:
        yield pending.body
        yield pending.declared
    yield entry.applied
    yield entry.observed
    if entry.approval:
        yield entry.approval.sent


def _apply_part(entries: dict[Address, Entry], part: Part, run: str) -> None:
    """Take what the first requests of a change did. What the others send has no base yet."""
    outcome, change = part.outcome, part.outcome.change
    rest = {name for later in change.requests[part.requests :] for name in later.body or {}}
    declared = {name: value for name, value in change.declared.items() if name not in rest}
    so_far = replace(change, declared=declared)
    _apply_change(entries, replace(outcome, change=so_far), run)


def _apply_outcome(entries: dict[Address, Entry], outcome: Outcome, run: Run) -> None:
    change = outcome.change
    if outcome.status is Status.APPLIED:
        _apply_change(entries, outcome, run.id)
    elif outcome.status is Status.PROPOSED and outcome.approval:
        entry = _take(entries, change.address, change.previous_address)
        approval = Proposed(outcome.approval, change.declared)
        entries[change.address] = replace(entry, approval=approval, run=run.id, pending=())
    elif outcome.status is Status.UNKNOWN and run.open_intent(change.address):
        _add_pending(entries, change, run)


def _apply_change(entries: dict[Address, Entry], outcome: Outcome, run: str) -> None:
    change = outcome.change
    if change.action in (Action.DELETE, Action.FORGET):
        entries.pop(change.address, None)
        return
    entry = _take(entries, change.address, change.previous_address)
    if entry.id not in (None, outcome.id):  # the old record is gone: none of its values is a base
        entry = Entry(prevent_delete=entry.prevent_delete)
    observed = {**outcome.observed, **change.observed}
    entries[change.address] = Entry(
        outcome.id,
        _new_applied(entry, change),
        _new_observed(entry, change, observed),
        _protection(entry, change),
        run=run,
    )


def _apply_state_change(entries: dict[Address, Entry], row: StateChange, run: str) -> None:
    if row.drop:
        entries.pop(row.address, None)
        return
    entry = _take(entries, row.address, row.previous_address)
    if row.approval is not None:
        approval = Proposed(row.approval, row.declared)
        entries[row.address] = replace(entry, approval=approval, run=run, pending=())
        return
    entries[row.address] = Entry(
        row.id,
        _new_applied(entry, row),
        _new_observed(entry, row, row.observed),
        _protection(entry, row),
        run=run,
    )


def _add_pending(entries: dict[Address, Entry], change: Change, run: Run) -> None:
    """Remember a request without an answer, in the entry that the address, or its old one, has."""
    intent = run.intents[change.address]
    previous = change.previous_address
    address = previous if previous in entries else change.address
    entry = entries.get(address, Entry())
    request = PendingRequest(intent.at, intent.method, intent.body, change.declared)
    entries[address] = replace(entry, pending=(*entry.pending, request))


def _take(
    entries: dict[Address, Entry], address: Address, previous_address: Address | None
) -> Entry:
    """The entry of an address, or of the address that the record had before."""
    if previous_address is not None and previous_address in entries:
        return entries.pop(previous_address)
    return entries.get(address, Entry())


def _new_applied(entry: Entry, change: Change | StateChange) -> Fields:
    kept = {name: value for name, value in entry.applied.items() if name not in change.released}
    return {**kept, **change.declared} if kept else change.declared


def _new_observed(entry: Entry, change: Change | StateChange, observed: Fields) -> Fields:
    """What was observed of the applied fields; what was just declared has only its new value."""
    kept = {
        name: value
        for name, value in entry.observed.items()
        if name in entry.applied and name not in change.released and name not in change.declared
    }
    return kept | {name: value for name, value in observed.items() if name in change.declared}


def _protection(entry: Entry, change: Change | StateChange) -> bool:
    if change.prevent_delete is None:
        return entry.prevent_delete
    return change.prevent_delete
