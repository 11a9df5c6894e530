"""What a plan was compared with: with the state in place of the server, or with the files at
another commit.
"""

from __future__ import annotations

from dataclasses import replace

from stemctl.core.plan import Action, Held, Plan
from stemctl.util.plural import joined


def offline_sentences(plan: Plan) -> list[str]:
    """That no server was asked, and what is therefore not known; nothing for other plans."""
    if not plan.offline:
        return []
    said = [
        f"Offline: compared with the state of serial {plan.serial}, not with the server; it cannot be applied."
    ]
    said.append(
        "What changed on the server since is not seen; what was never applied is taken to be empty there."
    )
    new = [c.action is Action.CREATE and c.held is not Held.PENDING for c in plan.changes]
    if new and all(new) and not plan.unchanged:
        said.append("Everything here is new to the state.")
    if any(new):
        said.append(
            "What is new to the state may be on the server already: apply adopts it then, and creates nothing."
        )
    if any(c.approval or c.held is Held.PENDING for c in plan.changes):
        said.append(
            "Proposals that the state knows of are taken to be pending; others are not known."
        )
    return said


def split_by_base(plan: Plan) -> tuple[Plan, Plan]:
    """The plan with the changes that the difference to its base explains, and with the others;
    without a base, all are explained.
    """
    own = tuple(c for c in plan.changes if c.explained is not False)
    others = tuple(c for c in plan.changes if c.explained is False)
    return replace(plan, changes=own), replace(plan, changes=others)


def why_others(plan: Plan) -> str:
    """How the changes can have come about that the difference to the base does not explain."""
    return (
        "merged and not applied yet"
        if plan.offline
        else "merged and not applied yet, or changed on the server"
    )


def count_others(plan: Plan) -> str:
    """`1 to create and 2 held`, of the changes that the base does not explain; nothing if there are
    none.
    """
    numbers = split_by_base(plan)[1].summary()
    words = {action.value: f"to {action.value}" for action in Action} | {"held": "held"}
    return joined([f"{numbers[word]:,} {tail}" for word, tail in words.items() if numbers[word]])
