"""What waits for proposals that were never sent: without a server, it may not have to wait."""

from __future__ import annotations

from msgspec.structs import replace

from stemctl.core.plan import Action, Held, Plan
from stemctl.core.records import Address


def without_unsent_proposals(plan: Plan) -> Plan:
    """The plan as it is if what waits for proposals alone, and none of them was sent, did not wait.

    Before the first apply a proposal is usually of something that the server has already, which
    only a plan that asks it can adopt.
    """
    waiting = {
        change.address: change
        for change in plan.changes
        if change.held is Held.BLOCKED
        and change.waits
        and change.pending_since is None
        and change.action is not Action.DELETE
    }
    sent = {change.address for change in plan.changes if change.held is None}
    dependents: dict[Address, list[Address]] = {}
    for address, change in waiting.items():
        for other in change.waits:
            dependents.setdefault(other, []).append(address)
    known = sent | waiting.keys()
    reached = [address for address in dependents if address not in known]
    really: set[Address] = set()
    while reached:
        found = [one for one in dependents.get(reached.pop(), ()) if one not in really]
        really.update(found)
        reached += found
    free = waiting.keys() - really
    changes = (
        replace(change, held=None, waits=()) if change.address in free else change
        for change in plan.changes
    )
    return replace(plan, changes=tuple(changes))
