"""The state file of a server: read, locked, replaced at once."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import filelock

from stemctl.config import Server
from stemctl.errors import StateError
from stemctl.state import State, from_json, to_json

FOLDER = ".stemctl"
"""Sandbox database and its state, locks; holds its own .gitignore."""


def own_folder(root: Path) -> Path:
    """The folder for what is not committed, made with a .gitignore of its own."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


class FileStore:
    """The state of one server in one file: `<server>.state.json`, or below .stemctl/ for a sandbox."""

    def __init__(self, root: Path, server: Server) -> None:
        self.root = root
        self.server = server
        name = f"{server.name}.state.json"
        self.path = root / FOLDER / name if server.is_sandbox else root / name

    @property
    def where(self) -> str:
        """The path as people see it, relative to the repository."""
        return self.path.relative_to(self.root).as_posix()

    def read(self) -> State:
        """The state, or an empty one where there is no file.

        Raises:
            StateError: it is damaged, newer than this program, or belongs to another server.
        """
        server = self.server
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return State(server.url, server.portal, server.edition)
        except UnicodeDecodeError as error:
            raise StateError(f"{self.where} is not a state file.", f"It is not UTF-8: {error}.") from error
        state = from_json(text, self.where)
        if state.url != server.url:
            raise StateError(
                f"{self.where} belongs to another server.",
                f"It was written for {state.url}, and {server.name} is {server.url}. Nothing was sent.\n"
                "If the server only moved, change the url in the state; else give the server another name.",
            )
        return state

    def write(self, state: State) -> State:
        """Replace the file by this state, with its serial counted up; on disk before this returns.

        Raises:
            StateError: the disk is full, or the folder may not be written.
        """
        fresh = replace(
            state,
            lineage=state.lineage or str(uuid.uuid4()),
            serial=state.serial + 1,
            url=self.server.url,
            portal=self.server.portal,
            edition=self.server.edition,
        )
        if self.server.is_sandbox:
            own_folder(self.root)
        try:
            _replace(self.path, to_json(fresh))
        except OSError as error:
            failed = StateError(
                f"{self.where} cannot be written: {error.strerror or error}.",
                "What was sent until now is on the server, and the next plan finds it by its names.",
                [("stemctl plan", "once the file can be written")],
            )
            failed.exit_code = 3
            raise failed from error
        return fresh

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other applies of this repository and server out; the lock dies with its process.

        Raises:
            StateError: another process holds it.
        """
        lock = filelock.FileLock(own_folder(self.root) / f"{self.server.name}.lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise StateError(
                f"Another stemctl is applying to {self.server.name} from this folder.",
                "Nothing was sent. Wait until it has finished.",
            ) from error
        try:
            yield
        finally:
            lock.release()


def _replace(path: Path, text: str) -> None:
    """Write a file at once: whoever reads it finds the old text or the new one."""
    temporary = path.with_name(path.name + ".new")
    with open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where a folder can be synced (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
