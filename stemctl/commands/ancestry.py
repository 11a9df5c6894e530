"""The commits since the last apply, and the refusal to apply if HEAD lacks some of them."""

from __future__ import annotations

from msgspec.structs import replace

from stemctl.commands.workspace import Workspace
from stemctl.core.state import State
from stemctl.errors import StateError, Untouched
from stemctl.git import containment
from stemctl.git.history import CommitRange, changed_between, commit_range
from stemctl.manifests.work_tree import prefix
from stemctl.render.text.commits_text import behind_words, commit_lines, ways_forward


def since_applied(workspace: Workspace, state: State, commit: str | None) -> CommitRange:
    """The commits between the one that was applied last and this one; none without git."""
    if state.commit is None or commit is None:
        return CommitRange()
    root, remote = workspace.config.root, workspace.server.remote
    commits = commit_range(root, remote, state.commit, commit, workspace.environ)
    if not commits.missing:
        return commits
    folders = [prefix(root)]
    if state.folder is not None and state.folder not in folders:
        folders.append(state.folder)
    if containment.is_contained(root, remote, state.commit, commit, folders, workspace.environ):
        return replace(commits, missing=(), contained=True)
    return commits


def not_committed_since(workspace: Workspace, state: State, commit: str | None) -> tuple[str, ...]:
    """The files that were applied with uncommitted changes and that no commit has changed since."""
    if state.uncommitted is None:
        return ()
    files = state.uncommitted.files
    if state.commit is None or commit in (None, state.commit):
        return files
    changed = changed_between(workspace.config.root, state.commit, commit, workspace.environ)
    return tuple(file for file in files if file not in changed)


def refuse_behind(commits: CommitRange) -> None:
    """Refuse to apply from a commit that lacks what was applied before.

    Raises:
        StateError: with the commits that it lacks.
    """
    if not commits.missing:
        return
    lines = [*commit_lines(commits.missing), "Applying from here could undo what they did."]
    raise StateError(
        f"{behind_words(commits)}.",
        "\n".join(lines),
        [ways_forward(commits), ("stemctl apply --allow-behind", "if that is what you want")],
        Untouched.NOTHING_SENT,
    )
