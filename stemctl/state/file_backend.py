"""The state of one server in a file beside stemctl.yaml; nobody else writes to it while we hold the
lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stemctl.core.lease import Lease
from stemctl.core.run import Run
from stemctl.core.state import State, from_json, to_json, ways_out
from stemctl.errors import StateError
from stemctl.util.atomic_file import replace_file


@dataclass(frozen=True, slots=True)
class FileBackend:
    """Where the state is: `<server>.state.json`, or below .stemctl/ for a sandbox. `where` is its
    path for people.
    """

    path: Path
    where: str

    def refresh(self) -> None:
        """Nothing is remembered of the file."""

    look_without_asking = refresh

    def load(self) -> State | None:
        """The state, None if there is no file.

        Raises:
            StateError: it is damaged, of a newer stemctl, or a link.
        """
        if (
            self.path.is_symlink()
        ):  # which the next write would replace, and a checkout can bring along
            why = "What is read there may be anything. Nothing was sent."
            raise StateError(f"{self.where} is a link.", why, [(f"rm {self.where}", "removes it")])
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

    def save(
        self, state: State, run: Run | None, lines: Callable[[], bytes], who: str, what: str
    ) -> None:
        """Replace the file; on the disk before this returns.

        Raises:
            OSError: the disk is full, or the folder may not be written.
        """
        replace_file(self.path, to_json(state))

    def remove(self, who: str) -> None:
        """Take the state away, after it was put elsewhere."""
        self.path.unlink(missing_ok=True)

    def claimed(self) -> Lease | None:
        """No machine but this one writes here, and here the lock tells."""
        return None

    def dead(self) -> bool:
        """Nobody's claim can be."""
        return False

    def claimed_run(self) -> Run:
        """There is none."""
        raise AssertionError("a state file has no claims")

    def still_claimed(self, run: str) -> bool:
        """A journal of this machine is ours to settle."""
        return True

    def claim(self, run: Run) -> None:
        """The lock is all it needs."""

    def release(self, run: str) -> None:
        """Nothing was claimed."""

    def past_runs(self) -> dict[str, bytes]:
        """Their records lie in .stemctl/ alone."""
        return {}
