"""What was found out about requests whose answer was lost, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from stemctl.core.plan import Action, Change, Held, Settled, StateChange
from stemctl.core.records import Address
from stemctl.core.state import PendingRequest, State
from stemctl.planning.doubts import settles_at
from stemctl.planning.matching import Absent, Ambiguous, Binding, Bound, Identities, Unknown
from stemctl.planning.values import same
from stemctl.schema.catalog import Catalog, Model


def settled_rows(
    state: State,
    identities: Identities,
    changes: Iterable[Change],
    state_changes: Iterable[StateChange],
    catalog: Catalog,
    chosen: Set[Address],
) -> Iterator[Settled]:
    """One row for each chosen address that is in doubt: what the server shows, and what the plan
    makes of it.
    """
    found = {change.address: change for change in changes}
    noted = {row.address: row for row in state_changes}
    new = {old: address for address, old in identities.moved.items()}
    doubtful = sorted((old, entry) for old, entry in state.records.items() if entry.pending)
    for old, entry in doubtful:
        address = new.get(old, old)
        if old.model not in catalog.models or address not in chosen:
            continue
        binding, change, doubt = (
            identities.bindings.get(address),
            found.get(address),
            entry.pending[-1],
        )
        model = catalog.models[address.model]
        if isinstance(binding, Unknown):
            words = "could not be read", "stopped"
        elif model.approval is not None and doubt.method != "DELETE":
            words = _proposed(doubt, change, noted.get(address))
        elif doubt.method == "DELETE":
            words = _deleted(binding, change, noted.get(address))
        elif doubt.method == "POST":
            words = _created(doubt, binding, change)
        else:
            words = _changed(model, doubt, binding, change)
        yield Settled(address, *words)


def _then(change: Change | None, otherwise: str) -> str:
    if change is None:
        return otherwise
    return (
        "in the plan again"
        if change.request is not None
        else f"held: {change.held}"
        if change.held
        else otherwise
    )


def _created(
    doubt: PendingRequest, binding: Binding | None, change: Change | None
) -> tuple[str, str]:
    match binding:
        case Bound(found="sent"):
            return "on the server, as sent", "taken as created"
        case Ambiguous(lives=lives) if lives:
            return "on the server, but different" if len(
                lives
            ) == 1 else "several on the server", "stopped"
        case Ambiguous():
            return "not on the server yet", f"stopped until {settles_at(doubt)}"
        case Bound() | Absent():
            return "not on the server", _then(change, "nothing to send")
        case None if change is not None and change.action is Action.DELETE:
            return "on the server, as sent", _then(change, "nothing to send")
    return "not on the server", "not in the files any more"


def _changed(
    model: Model, doubt: PendingRequest, binding: Binding | None, change: Change | None
) -> tuple[str, str]:
    if not isinstance(binding, Bound):
        return "not found", _then(change, "nothing to send")
    live = binding.live
    sent = {
        name: value for name, value in doubt.body.items() if name in live and name in model.fields
    }
    if all(same(model.fields[name], value, live[name]) for name, value in sent.items()):
        return "on the server, as sent", "taken as updated"
    if change is not None and change.held is Held.CONFLICT:
        return "on the server, but different", "stopped"
    return "not as sent", _then(change, "nothing to send")


def _deleted(
    binding: Binding | None, change: Change | None, noted: StateChange | None
) -> tuple[str, str]:
    if (noted is not None and noted.drop) or isinstance(binding, Absent):
        return "gone", "taken as deleted"
    return "still on the server", _then(change, "stays, as the files say")


def _proposed(
    doubt: PendingRequest, change: Change | None, noted: StateChange | None
) -> tuple[str, str]:
    if noted is not None and noted.approval is not None:
        return f"approval {noted.approval[:8]}", "taken as proposed"
    if change is not None and change.pending_since is not None:
        return "not among the approvals yet", f"stopped until {settles_at(doubt)}"
    return "not among the approvals", _then(change, "nothing to send")
