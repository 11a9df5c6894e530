"""From which commit an apply goes on: the range since the last one, and the refusal where HEAD lacks part of it."""

from __future__ import annotations

from stemctl.branch.history import compare
from stemctl.errors import StateError
from stemctl.render.since import behind_words, commit_lines, ways_forward
from stemctl.since import Range
from stemctl.state import State
from stemctl.workspace import Workspace


def since_applied(space: Workspace, state: State, commit: str | None) -> Range:
    """The commits between the one that was applied last and the one that is about to be; none where git knows none."""
    if state.commit is None or commit is None:
        return Range()
    return compare(space.config.root, space.server.remote, state.commit, commit, space.environ)


def refuse_behind(since: Range) -> None:
    """Refuse to apply from a commit that lacks what was applied already.

    Raises:
        StateError: with the commits that it lacks.
    """
    if since.missing:
        raise StateError(
            f"{behind_words(since)}.",
            "\n".join(
                [*commit_lines(since.missing), "An apply from here could take back what they did. Nothing was sent."]
            ),
            [ways_forward(since), ("stemctl apply --allow-behind", "if that is what you want")],
        )
