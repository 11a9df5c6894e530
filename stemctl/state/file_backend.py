"""The state of one server in a file beside stemctl.yaml. The lock of this machine protects it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from stemctl.config.config import Server
from stemctl.core.state import State
from stemctl.core.state_codec import from_json, to_json, ways_out
from stemctl.errors import StateError
from stemctl.state.local_folder import refuse_link, state_file
from stemctl.util.atomic_file import replace_file


class FileBackend(Struct, frozen=True):
    """A state file; `where` is its path for people."""

    path: Path
    where: str

    @classmethod
    def of(cls, root: Path, server: Server) -> FileBackend:
        """The state file of a server."""
        return cls(*state_file(root, server))

    @property
    def lock(self) -> None:
        """No other machine writes here."""

    def load(self) -> State | None:
        """The state, None if there is no file.

        Raises:
            StateError: it is damaged, of a newer stemctl, or a link.
        """
        refuse_link(self.path, self.where)
        try:
            text = self.path.read_bytes().decode(errors="surrogatepass")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise StateError(
                f"{self.where} is not a state file.",
                f"It is not UTF-8: {error}.",
                ways_out(self.where),
            ) from error
        return from_json(text, self.where)

    def save(self, state: State, who: str, what: str) -> None:
        """Replace the file; it is on the disk before this returns.

        Raises:
            OSError: the disk is full, or the folder is not writable.
        """
        replace_file(self.path, to_json(state))

    def remove(self, who: str) -> None:
        """Delete the file, after the state was moved to another backend."""
        self.path.unlink(missing_ok=True)
