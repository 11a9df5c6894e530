"""A commit's name is not what was applied where files differed from it: in the words of plans and
runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stemctl.core.plan import Note, Plan
from stemctl.core.state import State
from stemctl.util.plural import first_few


def commit_words(commit: str | None, uncommitted: Sequence[str]) -> str:
    """`commit abc1234 with uncommitted changes in records/a.yaml`."""
    if commit is None:
        return "no commit"
    return f"commit {commit}{and_changes(uncommitted)}"


def and_changes(uncommitted: Sequence[str]) -> str:
    """What stands behind a commit; nothing where the files were as it has them."""
    return f" with uncommitted changes in {first_few(uncommitted)}" if uncommitted else ""


def commit_notes(plan: Plan, state: State, still: Sequence[str]) -> Iterator[Note]:
    """What a plan that does something says of files that differ from its commit, here and where it
    was applied last.

    `still` are those of the last apply which no commit has changed since.
    """
    if not (plan.changes or plan.state_changes):
        return
    if plan.commit and (number := len(plan.uncommitted)):
        differs = "1 file differs" if number == 1 else f"{number:,} files differ"
        yield Note(
            None,
            f"{differs} from commit {plan.commit[:7]}: {first_few(plan.uncommitted)}. "
            "An apply sends what they say now, and is recorded as one of uncommitted changes",
        )
    last = state.uncommitted
    if last is not None and still:
        yield Note(
            None,
            f"Run {last.run} of {last.who} applied uncommitted changes in {first_few(still)} (on top of commit "
            f"{(state.commit or '')[:7]}). Where the files here lack them, what looks like an edit takes them back",
        )
