"""From which commit an apply goes on: the range since the last one, and the refusal where HEAD
lacks part of it.
"""

from __future__ import annotations

from dataclasses import replace

from stemctl.commands.workspace import Workspace
from stemctl.core.state import State
from stemctl.errors import StateError
from stemctl.git.commit_range import CommitRange
from stemctl.git.containment import is_contained
from stemctl.git.history import changed_between, compare
from stemctl.manifests.work_tree import prefix
from stemctl.render.text.commits_text import behind_words, commit_lines, ways_forward


def since_applied(workspace: Workspace, state: State, commit: str | None) -> CommitRange:
    """The commits between the one that was applied last and the one that is about to be; none where
    git knows none.
    """
    if state.commit is None or commit is None:
        return CommitRange()
    root, remote = workspace.config.root, workspace.server.remote
    since = compare(root, remote, state.commit, commit, workspace.environ)
    if not since.missing:
        return since
    folders = tuple(
        dict.fromkeys([prefix(root), *([] if state.folder is None else [state.folder])])
    )
    if is_contained(root, remote, state.commit, commit, folders, workspace.environ):
        return replace(since, missing=(), contained=True)
    return since


def not_committed_since(workspace: Workspace, state: State, commit: str | None) -> tuple[str, ...]:
    """The files that were applied with uncommitted changes, and that no commit has changed since."""
    if state.uncommitted is None:
        return ()
    files = state.uncommitted.files
    if state.commit is None or commit in (None, state.commit):
        return files
    changed = changed_between(workspace.config.root, state.commit, commit, workspace.environ)
    return tuple(file for file in files if file not in changed)


def refuse_behind(since: CommitRange) -> None:
    """Refuse to apply from a commit that lacks what was applied already.

    Raises:
        StateError: with the commits that it lacks.
    """
    if since.missing:
        raise StateError(
            f"{behind_words(since)}.",
            "\n".join(
                [
                    *commit_lines(since.missing),
                    "An apply from here could take back what they did. Nothing was sent.",
                ]
            ),
            [ways_forward(since), ("stemctl apply --allow-behind", "if that is what you want")],
        )
