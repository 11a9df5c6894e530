"""The commits since the last apply, for people."""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.errors import Hint
from stemctl.git.history import Commit, CommitRange
from stemctl.util.plural import counted, inflected
from stemctl.util.safe_text import cut, visible

_LINES = 5


def since_text(since: CommitRange, applied: str | None) -> list[str]:
    """What a plan says of them, above its changes."""
    lines = []
    last = f"commit {(applied or '')[:7]}, the last one applied"
    if since.contained:
        lines.append(f"HEAD does not contain {last}, but it contains the same changes.")
    if since.brought_in:
        commits = counted(len(since.brought_in), "commit")
        lines += [f"Since {last}: {commits}.", *commit_lines(since.brought_in)]
    if since.missing:
        refused = "Apply refuses this without --allow-behind."
        lines += [f"{behind_words(since)}:", *commit_lines(since.missing), refused]
    return lines


def behind_words(since: CommitRange) -> str:
    """What is wrong with the current commit."""
    if not since.known:
        last = since.missing[0].id[:7]
        return f"The history here is too short: it does not reach {last}, the last commit applied"
    if not since.found:
        last = since.missing[0].id[:7]
        return f"Commit {last}, the last one applied, is neither here nor on the remote"
    number = len(since.missing)
    was = inflected(number, "was", "were")
    verb = inflected(number, "is", "are")
    return f"{counted(number, 'commit')} that {was} applied {verb} not in HEAD"


def ways_forward(since: CommitRange) -> Hint:
    """The command that helps."""
    if not since.known:
        return ("git fetch --unshallow", "gets the rest of the history")
    if not since.found:
        return (
            "stemctl runs list",
            "shows who applied it: it was not pushed, or its branch was deleted",
        )
    if since.only_here:
        return (
            f"git merge {since.missing[0].id[:12]}",
            "brings them in: no branch of the remote has them",
        )
    return ("git pull", "brings them in, if they are on this branch of the remote")


def commit_lines(commits: Sequence[Commit]) -> list[str]:
    """The latest of them, a line each."""
    lines = []
    for commit in commits[:_LINES]:
        lines.append(f"  {commit.id[:7]} {cut(visible(commit.subject), 80)}".rstrip())
    if len(commits) > _LINES:
        lines.append(f"  and {len(commits) - _LINES:,} more")
    return lines
