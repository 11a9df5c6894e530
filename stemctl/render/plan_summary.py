"""What a plan says of itself in a line: numbers, what it was compared with, what it leaves out."""

from __future__ import annotations

from msgspec.structs import replace

from stemctl.core.diagnostics import Severity
from stemctl.core.plan import NOT_HELD, Action, Held, Plan
from stemctl.util.plural import counted, inflected, joined
from stemctl.util.safe_text import visible


def plan_summary(plan: Plan) -> str:
    """The numbers, or a sentence where nothing is sent and nothing waits for the user."""
    if not plan.needs_attention() and not has_errors(plan):
        return _nothing_to_send(plan)
    numbers = plan.summary()
    words = [
        f"{numbers['create']:,} to create{_proposals(plan)}",
        f"{numbers['update']:,} to update",
        f"{numbers['delete']:,} to delete",
    ]
    if numbers["adopt"]:
        words.append(f"{numbers['adopt']:,} to adopt{_held_of_adoptions(plan)}")
    if numbers["forget"]:
        words.append(f"{numbers['forget']:,} to forget")
    for word in ("held", "unchanged"):
        if numbers[word]:
            words.append(f"{numbers[word]:,} {word}")
    is_silent = plan.actionable() and not any(change.sends for change in plan.actionable())
    return f"Plan: {', '.join(words)}.{' Nothing will be sent.' if is_silent else ''}"


def has_errors(plan: Plan) -> bool:
    """Whether the plan was made of files with errors."""
    return any(finding.severity is Severity.ERROR for finding in plan.diagnostics)


def _proposals(plan: Plan) -> str:
    creates = [change for change in plan.actionable() if change.action is Action.CREATE]
    number = sum(change.approval for change in creates)
    return f" ({number:,} as {inflected(number, 'a proposal', 'proposals')})" if number else ""


def _held_of_adoptions(plan: Plan) -> str:
    adoptions = [change for change in plan.actionable() if change.action is Action.ADOPT]
    number = sum(len(change.held_fields) for change in adoptions)
    return f" ({counted(number, 'field')} held)" if number else ""


def _nothing_to_send(plan: Plan) -> str:
    """That nothing will be sent, and how many records match the files."""
    numbers = plan.summary()
    differ = len({finding.address for finding in plan.diagnostics if finding.code == NOT_HELD})
    match = numbers["unchanged"] - differ
    where = "in the state" if plan.offline else "on the server"
    parts = []
    if match:
        verb = inflected(match, "matches", "match")
        parts.append(f"{counted(match, 'record')} {where} {verb} the files")
    if differ:
        parts.append(f"{differ:,} {inflected(differ, 'differs', 'differ')} on the server")
    if numbers["held"]:
        parts.append(f"{numbers['held']:,} held")
    if numbers["held"] or differ:
        return f"Nothing to send: {', '.join(parts)}."
    if any(finding.code == "incomplete-reading" for finding in plan.diagnostics):
        return f"Nothing to send: {', '.join([*parts, 'not all records could be read'])}."
    if match:
        return f"Nothing to do: {'' if match == 1 else 'all '}{parts[0]}."
    if plan.subset.left_out:
        return "Nothing to do: no record is selected."
    if any(note.address for note in plan.notes):
        return "Nothing to send: no managed record is visible to your account."
    return "Nothing to do: the files declare no records, and none is managed."


def offline_sentences(plan: Plan) -> tuple[str, ...]:
    """That no server was asked, and what is therefore not known; nothing for other plans."""
    if not plan.offline:
        return ()
    sentences = [
        f"Offline: compared with the state (serial {plan.serial}), not with the server. "
        "This plan cannot be applied.",
        "Changes made on the server since the last apply are not seen, "
        "and fields that were never applied count as empty.",
    ]
    is_new = [
        change.action is Action.CREATE and change.held is not Held.PENDING
        for change in plan.changes
    ]
    if is_new and all(is_new) and not plan.unchanged:
        sentences.append("All records here are new to the state.")
    if any(is_new):
        sentences.append(
            "A record that is new to the state may exist on the server already: "
            "apply adopts it then, instead of creating it."
        )
    if any(change.approval or change.held is Held.PENDING for change in plan.changes):
        sentences.append(
            "Proposals recorded in the state count as pending. Other proposals are not known."
        )
    return tuple(sentences)


def split_by_base(plan: Plan) -> tuple[Plan, Plan]:
    """The plan with the changes that the difference to its base explains, and with the others;
    without a base, all are explained.
    """
    own = tuple(change for change in plan.changes if change.explained is not False)
    others = tuple(change for change in plan.changes if change.explained is False)
    return replace(plan, changes=own), replace(plan, changes=others)


def why_others(plan: Plan) -> str:
    """Where the changes can come from that the difference to the base does not explain."""
    merged = "merged but not applied yet"
    return merged if plan.offline else f"{merged}, or changed on the server"


def remarks(plan: Plan) -> tuple[str, ...]:
    """What the numbers of a plan include, and what they leave out."""
    return tuple(text for text in (_not_from_here(plan), left_out(plan)) if text)


def _not_from_here(plan: Plan) -> str:
    """How much of the numbers the difference to the base does not explain."""
    if plan.base is None:
        return ""
    numbers = split_by_base(plan)[1].summary()
    words = {action.value: f"to {action.value}" for action in Action} | {"held": "held"}
    others = [f"{numbers[word]:,} {tail}" for word, tail in words.items() if numbers[word]]
    if not others:
        return ""
    number = sum(numbers[word] for word in words)
    verb = inflected(number, "does", "do")
    return (
        f"Of these, {joined(others)} {verb} not come from changes since {visible(plan.base.ref)}."
    )


def left_out(plan: Plan) -> str:
    """What a subset does not show."""
    subset = plan.subset
    parts = []
    if subset.only:
        parts.append(f"only {joined([visible(word) for word in subset.only])}")
    if subset.exclude:
        parts.append(f"without {joined([visible(word) for word in subset.exclude])}")
    if not parts:
        return ""
    if not subset.left_out:
        return "All records are selected; none was left out."
    records = f"{counted(subset.left_out, 'record')} {inflected(subset.left_out, 'was', 'were')}"
    return f"Partial plan: {', '.join(parts)}. {records} left out."
