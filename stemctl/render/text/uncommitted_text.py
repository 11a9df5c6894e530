"""Uncommitted changes, in the words of plans and runs: what was applied is not the commit alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stemctl.core.plan import Note, Plan
from stemctl.core.state import State
from stemctl.util.plural import counted, first_few, inflected


def commit_words(commit: str | None, uncommitted: Sequence[str]) -> str:
    """`commit abc1234 with uncommitted changes in records/a.yaml`."""
    if commit is None:
        return "no commit"
    return f"commit {commit}{and_changes(uncommitted)}"


def and_changes(uncommitted: Sequence[str]) -> str:
    """What follows the name of a commit; nothing where the files were as in that commit."""
    return f" with uncommitted changes in {first_few(uncommitted)}" if uncommitted else ""


def commit_notes(plan: Plan, state: State, still: Sequence[str]) -> Iterator[Note]:
    """What a plan says of files that differ from their commit, here and at the last apply.

    `still` are the files of the last apply that no commit has changed since.
    """
    if not (plan.changes or plan.state_changes):
        return
    if plan.commit and (number := len(plan.uncommitted)):
        files = f"{counted(number, 'file')} {inflected(number, 'differs', 'differ')}"
        yield Note(
            None,
            f"{files} from commit {plan.commit[:7]}: {first_few(plan.uncommitted)}. "
            "An apply sends the files as they are, and records that they were not committed",
        )
    last = state.uncommitted
    if last is not None and still:
        yield Note(
            None,
            f"Run {last.run} of {last.who} applied uncommitted changes in {first_few(still)} "
            f"(on top of commit {(state.commit or '')[:7]}). "
            "If your files do not have these changes, an apply undoes them on the server",
        )
