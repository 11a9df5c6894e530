"""Moving a state from a file to a branch, or back.

It is written to the new backend and read back, and only then removed from the old one.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from stemctl.commands.workspace import Workspace
from stemctl.config.config import NAME, Server
from stemctl.core.state import State
from stemctl.errors import ConfigError, Hint, StateError, Untouched
from stemctl.state.backend import StateBackend
from stemctl.state.file_backend import FileBackend
from stemctl.state.git_backend import GitBackend


class Moved(Struct, frozen=True):
    """The state, where it is now, and what to do next."""

    state: State
    to: str
    hints: Sequence[Hint]


def migrate(workspace: Workspace, backend: str) -> Moved:
    """Move the state to the backend that stemctl.yaml names, or finish a move that broke off.

    Raises:
        ConfigError: stemctl.yaml names another backend.
        StateError: there is no state to move, a run is on, or the new backend has another state.
    """
    server, root, store = workspace.server, workspace.config.root, workspace.store
    _check_configured(workspace, backend)
    git = GitBackend(root, server, workspace.environ)
    file = FileBackend.of(root, server)
    old: StateBackend = file if backend == "git" else git
    new: StateBackend = git if backend == "git" else file
    with store.lock.hold(workspace.owner):
        git.lock.refresh()
        if store.local.journal.exists() or git.lock.lease():
            raise StateError(
                "A run is in progress, or was interrupted.",
                "",
                [("stemctl apply", "waits for it, or recovers it")],
                Untouched.NOTHING_MOVED,
            )
        state = _move(old, new, server, workspace.owner, store.state.folder)
    commit = (
        f"git add -A && git commit -m 'State of {server.name}: {new.where}'",
        "commits the changed files",
    )
    return Moved(
        state, new.where, [commit, ("stemctl plan", "compares with the state in its new place")]
    )


def _check_configured(workspace: Workspace, backend: str) -> None:
    server = workspace.server
    if server.is_sandbox:
        raise ConfigError(
            "The state of a sandbox cannot be moved.",
            "It belongs to the database of the sandbox.",
            untouched=Untouched.NOTHING_MOVED,
        )
    if server.backend != backend:
        how = f"First write state: {{backend: git}} for {server.name} in {NAME}"
        if backend == "file":
            how = f"First remove state: of {server.name} from {NAME}"
        raise ConfigError(
            f"{NAME} keeps the state of {server.name} in {workspace.store.where}.",
            f"{how}. All commands use the backend named there.",
            untouched=Untouched.NOTHING_MOVED,
        )


def _move(
    old: StateBackend, new: StateBackend, server: Server, who: str, folder: str | None
) -> State:
    state, there = old.load(), new.load()
    if state is None:
        why = "Nothing has been applied yet." if there is None else f"It is already in {new.where}."
        raise StateError(
            f"There is no state of {server.name} in {old.where}.",
            why,
            untouched=Untouched.NOTHING_MOVED,
        )
    state = replace(state, folder=folder)
    if there is not None and (there.lineage, there.serial) != (state.lineage, state.serial):
        raise StateError(
            f"{new.where} already has another state of {server.name}.",
            f"Its serial is {there.serial}, and {old.where} is at serial {state.serial}.",
            untouched=Untouched.NOTHING_MOVED,
        )
    if there is None:
        new.save(state, who, f"the state, from {old.where}")
    try:
        _read_back(new, state, old)
        old.remove(who)
    except (StateError, OSError) as error:
        raise _half_moved(error, old, new, wrote=there is None) from error
    return state


def _read_back(new: StateBackend, state: State, old: StateBackend) -> None:
    if new.lock is not None:
        new.lock.refresh()
    if new.load() != state:
        raise StateError(
            f"The state in {new.where} differs from what was written.",
            f"{old.where} was not changed.",
        )


def _half_moved(
    error: StateError | OSError, old: StateBackend, new: StateBackend, wrote: bool
) -> StateError:
    """The state is in both backends, which the same command settles."""
    if isinstance(error, OSError):
        error = StateError(f"{old.where} cannot be removed: {error.strerror or error}.")
    if not wrote:
        failed = StateError(error.what, error.why, error.hints, error.untouched)
        failed.exit_code = error.exit_code
        return failed
    reasons = [error.why] if error.why else []
    why = "\n".join([*reasons, f"The state is now in both places: {old.where} and {new.where}."])
    failed = StateError(error.what, why, error.hints)
    failed.exit_code = 3
    return failed
