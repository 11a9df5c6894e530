"""What a run did, folded into the state: the same for a run that ended and for one that broke off.
Pure.
"""

from __future__ import annotations

from dataclasses import replace

from stemctl.core.plan import Action, Change, StateChange
from stemctl.core.records import Address
from stemctl.core.report import Outcome, Status
from stemctl.core.run import Run
from stemctl.core.state import Entry, PendingRequest, Proposed, State, Uncommitted, ways_out
from stemctl.errors import StateError
from stemctl.schema.catalog import Catalog
from stemctl.schema.value_shapes import fits
from stemctl.util.json_types import Fields


def fold(state: State, run: Run) -> State:
    """The state after a run: bases moved by what was done, doubts for what was sent without an answer.

    Folding twice is folding once: a state that has the run already stays as it is.
    """
    if state.run == run.id:
        return state
    entries = dict(state.records)
    for row in run.plan.state_changes:
        _note(entries, row, run.id)
    for outcome in run.outcomes.values():
        _settle(entries, outcome, run)
    for change in run.unanswered():
        _doubt(entries, change, run)
    names = {model: dict(found) for model, found in state.names.items()}
    for model, found in run.plan.names.items():
        names.setdefault(model, {}).update(found)
    known = replace(state, lineage=run.lineage, run=run.id, names=names, records=entries)
    known = known if run.folder is None else replace(known, folder=run.folder)
    if run.plan.commit is None:
        return known
    files = run.plan.uncommitted
    uncommitted = Uncommitted(run.id, run.who, files) if files else None
    return replace(known, commit=run.plan.commit, uncommitted=uncommitted)


def check_state(state: State, catalog: Catalog, where: str) -> State:
    """The state, if its values have the shapes of their fields; what the edition does not know is
    left alone.

    Raises:
        StateError: somebody wrote something else into it.
    """
    for address, entry in state.records.items():
        rows = catalog.models[address.model].fields if address.model in catalog.models else {}
        sent = [doubt.body for doubt in entry.pending] + [doubt.declared for doubt in entry.pending]
        sent += [entry.applied, entry.observed, entry.approval.sent if entry.approval else {}]
        known = ((name, value) for fields in sent for name, value in fields.items() if name in rows)
        wrong = next(
            (name for name, value in known if not fits(rows[name], value, planned=True)), None
        )
        if wrong is not None:
            raise StateError(
                f"{where} has a {wrong} of {address} that is none.",
                "It was edited, or is damaged. Nothing was sent.",
                ways_out(where),
            )
    return state


def _settle(entries: dict[Address, Entry], outcome: Outcome, run: Run) -> None:
    change = outcome.change
    if outcome.status is Status.APPLIED:
        _applied(entries, change, outcome, run.id)
    elif outcome.status is Status.PROPOSED and outcome.approval:
        entry = _take(entries, change.address, change.previous_address)
        approval = Proposed(outcome.approval, change.declared)
        entries[change.address] = replace(entry, approval=approval, run=run.id, pending=())
    elif outcome.status is Status.UNKNOWN and change.address in run.intents:
        _doubt(entries, change, run)


def _applied(entries: dict[Address, Entry], change: Change, outcome: Outcome, run: str) -> None:
    if change.action in (Action.DELETE, Action.FORGET):
        entries.pop(change.address, None)
        return
    entry = _take(entries, change.address, change.previous_address)
    if entry.id not in (
        None,
        outcome.id,
    ):  # another record than the one that is gone: nothing of it is a base
        entry = Entry(prevent_delete=entry.prevent_delete)
    observed = {**outcome.observed, **change.observed}
    entries[change.address] = _moved(
        entry, outcome.id, change.declared, observed, change.released, change.prevent_delete, run
    )


def _note(entries: dict[Address, Entry], row: StateChange, run: str) -> None:
    if row.drop:
        entries.pop(row.address, None)
        return
    entry = _take(entries, row.address, row.previous_address)
    if row.approval is not None:
        approval = Proposed(row.approval, row.declared)
        entries[row.address] = replace(entry, approval=approval, run=run, pending=())
        return
    entries[row.address] = _moved(
        entry, row.id, row.declared, row.observed, row.released, row.prevent_delete, run
    )


def _doubt(entries: dict[Address, Entry], change: Change, run: Run) -> None:
    """Remember that a request was sent, in the entry of the address, or of the one that it had before."""
    intent = run.intents[change.address]
    address = change.previous_address if change.previous_address in entries else change.address
    entry = entries.get(address, Entry())
    doubt = PendingRequest(intent.at, intent.method, intent.body, change.declared)
    entries[address] = replace(entry, pending=(*entry.pending, doubt))


def _take(entries: dict[Address, Entry], address: Address, was: Address | None) -> Entry:
    """The entry of an address, or of the one it had before."""
    if was is not None and was in entries:
        return entries.pop(was)
    return entries.get(address, Entry())


def _moved(
    entry: Entry,
    id_: str | None,
    declared: Fields,
    observed: Fields,
    released: tuple[str, ...],
    prevent_delete: bool | None,
    run: str,
) -> Entry:
    """An entry whose base is what was just declared and observed; no doubt is left about it."""
    applied = {name: value for name, value in entry.applied.items() if name not in released} | dict(
        declared
    )
    seen = {
        name: value
        for name, value in entry.observed.items()
        if name in applied and name not in declared
    }
    seen |= {name: value for name, value in observed.items() if name in declared}
    protects = entry.prevent_delete if prevent_delete is None else prevent_delete
    return Entry(id_, applied, seen, protects, None, run)
