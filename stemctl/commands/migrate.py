"""Moving a state from a file to a branch, or back: written there, read back, and only then taken
away here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stemctl.commands.workspace import Workspace
from stemctl.config.config import NAME, Server
from stemctl.core.state import State
from stemctl.errors import ConfigError, Hint, StateError
from stemctl.state.backend import StateBackend
from stemctl.state.store import file_place, git_place


@dataclass(frozen=True, slots=True)
class Moved:
    """The state, where it is now, and what to do next."""

    state: State
    to: str
    hints: Sequence[Hint]


def migrate(workspace: Workspace, backend: str) -> Moved:
    """Move the state to where stemctl.yaml says that it is kept; again, where an earlier move broke
    off.

    Raises:
        ConfigError: stemctl.yaml says something else.
        StateError: there is none to move, a run is on, or another state is there already.
    """
    server = workspace.server
    if server.is_sandbox:
        raise ConfigError("The state of a sandbox stays with it.", "Nothing was moved.")
    if server.backend != backend:
        wanted = (
            "state: {backend: git}" if backend == "git" else "no state:, or state: {backend: file}"
        )
        raise ConfigError(
            f"{NAME} keeps the state of {server.name} in {workspace.store.where}.",
            f"Write {wanted} for it in {NAME} first: that is where every command looks. Nothing was moved.",
        )
    git, file = (
        git_place(workspace.config.root, server, workspace.environ),
        file_place(workspace.config.root, server),
    )
    old, new = (file, git) if backend == "git" else (git, file)
    with workspace.store.locked(workspace.owner):
        git.refresh()
        if workspace.store.journal.exists() or git.claimed():
            raise StateError(
                "A run broke off, or is on.",
                "Nothing was moved.",
                [("stemctl apply", "settles it")],
            )
        state = _move(old, new, server, workspace.owner, workspace.store.folder)
    commit = (
        f"git add -A && git commit -m 'State of {server.name}: {new.where}'",
        "keeps the change of the files",
    )
    return Moved(state, new.where, [commit, ("stemctl plan", "compares as before")])


def _move(
    old: StateBackend, new: StateBackend, server: Server, who: str, folder: str | None
) -> State:
    state, there = old.load(), new.load()
    state = state if state is None else replace(state, folder=folder)
    if state is None:
        done = " It is there already." if there is not None else " Nothing was applied yet."
        raise StateError(
            f"There is no state of {server.name} in {old.where}.", f"Nothing was moved.{done}"
        )
    if there is not None and (there.lineage, there.serial) != (state.lineage, state.serial):
        raise StateError(
            f"{new.where} has another state of {server.name} already.",
            f"It is at serial {there.serial}, the one in {old.where} at {state.serial}. Nothing was moved.",
        )
    if there is None:
        new.save(state, None, bytes, who, f"the state, from {old.where}")
    try:
        new.refresh()
        if new.load() != state:
            raise StateError(
                f"What was written to {new.where} reads differently.",
                f"{old.where} was left as it is.",
            )
        old.remove(who)
    except (StateError, OSError) as error:
        raise _half_moved(error, old, new, wrote=there is None) from error
    return state


def _half_moved(
    error: StateError | OSError, old: StateBackend, new: StateBackend, wrote: bool
) -> StateError:
    """The state is in both places, which the same command settles."""
    if not isinstance(error, StateError):
        error = StateError(f"{old.where} cannot be removed: {error.strerror or error}.")
    why = f"{error.why}\nThe state is in {new.where} too now." if wrote else error.why
    failed = StateError(error.what, why.lstrip("\n"), error.hints)
    failed.exit_code = 3 if wrote else error.exit_code
    return failed
