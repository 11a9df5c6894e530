"""A plan in sentences, for a reader who decides about it and does not know the terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from stemctl.core.plan import Action, Change, Held, Plan
from stemctl.render.change_view import replaces
from stemctl.render.model_words import ModelWords
from stemctl.util.plural import counted, inflected, joined

WHY_HELD = {
    Held.CONFLICT: "changed both in your files and on the server",
    Held.REPLACE: "the server has a value that stemctl did not write",
    Held.REVERT: "changed on the server since the last apply",
    Held.DELETE: "no longer in the files, and the delete was not allowed",
    Held.CASCADE: "other records depend on it, and would be deleted too",
    Held.PROTECTED: "protected against deletion",
    Held.RENAME: "may be a record that was renamed",
    Held.PENDING: "proposed, and waiting for a BrainSTEM administrator",
    Held.REJECTED: "the proposal was rejected",
    Held.BLOCKED: "waiting for another record",
}
"""Why something is not sent, as the end of a sentence."""

WHAT_TO_DO = {
    Held.CONFLICT: "It is not sent until you decide: `stemctl resolve` asks whose values to keep.",
    Held.REPLACE: "It stays on the server. To replace it, plan with `--allow replace`; "
    "to keep it, write it in the file.",
    Held.REVERT: "It stays on the server. To undo it, plan with `--allow revert`; "
    "to keep it, write it in the file.",
    Held.DELETE: "It stays on the server. To delete it, plan with `--allow delete`, "
    "or list it under `deleted:`; to keep it unmanaged, list it under `forget:`.",
    Held.CASCADE: "It stays on the server. To delete all of them, plan with `--allow cascade`.",
    Held.PROTECTED: "To delete it, first apply it with `prevent_delete: false`.",
    Held.RENAME: "Say which in a manifest: `moved:` if it is the same record, "
    "`deleted:` if it is another one.",
    Held.PENDING: "You have nothing to do.",
    Held.REJECTED: "Change it, or propose it again with `--resubmit`.",
    Held.BLOCKED: "It is sent by a later apply, once the other record exists.",
}


def consequences(plan: Plan, words: ModelWords) -> list[str]:
    """What happens if the plan is applied, the riskiest first; then what does not."""
    sentences = [*_sent(plan.actionable(), words), *_kept(plan)]
    if not any(change.sends for change in plan.actionable()):
        sentences.insert(0, "Nothing is sent to the server.")
    sentences += _not_sent(plan)
    if plan.unchanged:
        verb = inflected(plan.unchanged, "is", "are")
        sentences.append(
            f"Nothing else is touched: {counted(plan.unchanged, 'other record')} {verb} unchanged."
        )
    return sentences


def _sent(changes: Sequence[Change], words: ModelWords) -> Iterator[str]:
    deletes = [change for change in changes if change.action is Action.DELETE]
    if deletes:
        yield f"{_passive(deletes, words)} deleted for good; a deleted id never comes back."
    risky = [change for change in changes if replaces(change)]
    if risky:
        yield f"What others did on the server is undone or replaced in {_counts(risky, words)}."
    others = [change for change in changes if not replaces(change)]
    proposed = [change for change in others if change.approval and change.sends]
    others = [change for change in others if not (change.approval and change.sends)]
    for action, what in _WHAT.items():
        of_action = [change for change in others if change.action is action]
        if of_action:
            yield f"{_passive(of_action, words)} {what}."
    if proposed:
        what = "proposed; a BrainSTEM administrator decides about that"
        yield f"{_passive(proposed, words)} {what}."


_WHAT = {
    Action.UPDATE: "updated",
    Action.ADOPT: "managed by these files from now on",
    Action.CREATE: "created",
    Action.FORGET: "kept on the server, but no longer managed",
}


def _passive(changes: Sequence[Change], words: ModelWords) -> str:
    """`12 sessions and 1 project are`."""
    return f"{_counts(changes, words)} {inflected(len(changes), 'is', 'are')}"


def _counts(changes: Sequence[Change], words: ModelWords) -> str:
    models = Counter(change.address.model for change in changes)
    return joined([words.count(model, number) for model, number in models.items()])


def _not_sent(plan: Plan) -> Iterator[str]:
    held = Counter(_why_held(change, change.held) for change in plan.held() if change.held)
    if not held:
        return
    number = sum(held.values())
    verb = inflected(number, "is", "are")
    reasons = [f"{why} ({count:,})" for why, count in held.most_common()]
    yield f"{counted(number, 'change')} {verb} not sent: {'; '.join(reasons)}."


def _why_held(change: Change, held: Held) -> str:
    stays = held is Held.BLOCKED and not change.waits_for_others
    return "not possible as written" if stays else WHY_HELD[held]


def _kept(plan: Plan) -> Iterator[str]:
    number = plan.summary()["held_fields"]
    if number:
        verb = inflected(number, "keeps its value", "keep their values")
        yield f"{counted(number, 'field')} of these records {verb} on the server."
