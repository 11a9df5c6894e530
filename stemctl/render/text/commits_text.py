"""The commits since the last apply, for people."""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.errors import Hint
from stemctl.git.history import Commit, CommitRange
from stemctl.util.safe_text import cut, visible

_LINES = 5


def since_text(since: CommitRange, applied: str | None) -> list[str]:
    """What a plan says of them, above its changes."""
    lines = []
    if since.contained:
        lines.append(
            f"Commit {(applied or '')[:7]}, applied last, is not in the history of HEAD, but what it changed is."
        )
    if since.brought_in:
        commits = _number(len(since.brought_in))
        lines += [
            f"Since commit {(applied or '')[:7]}, applied last: {commits}.",
            *commit_lines(since.brought_in),
        ]
    if since.missing:
        lines += [
            f"{behind_words(since)}:",
            *commit_lines(since.missing),
            "Apply refuses that without --allow-behind.",
        ]
    return lines


def behind_words(since: CommitRange) -> str:
    """What is wrong with the commit at hand."""
    if not since.known:
        return f"The history here is cut off before {since.missing[0].id[:7]}, the commit that was applied last"
    if not since.found:
        return f"Commit {since.missing[0].id[:7]}, which was applied last, is neither here nor on the remote"
    number = len(since.missing)
    return f"{_number(number)} that {'were' if number > 1 else 'was'} applied {'are' if number > 1 else 'is'} not in HEAD"


def ways_forward(since: CommitRange) -> Hint:
    """The command that helps."""
    if not since.known:
        return ("git fetch --unshallow", "gets the rest of the history")
    if not since.found:
        return (
            "stemctl runs list",
            "says who applied it: it was not pushed, or its branch is gone",
        )
    if since.only_here:
        return (
            f"git merge {since.missing[0].id[:12]}",
            "brings them in: no branch of the remote has them",
        )
    return ("git pull", "brings them in, if they are on this branch of the remote")


def commit_lines(commits: Sequence[Commit]) -> list[str]:
    """The latest of them, a line each."""
    lines = [f"  {one.id[:7]} {cut(visible(one.subject), 80)}".rstrip() for one in commits[:_LINES]]
    return [*lines, f"  and {len(commits) - _LINES} more"] if len(commits) > _LINES else lines


def _number(number: int) -> str:
    return f"{number:,} commit{'' if number == 1 else 's'}"
