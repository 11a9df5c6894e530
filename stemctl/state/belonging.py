"""Which manifests a state on a branch belongs to: those of one folder of one repository, and no
others.

Seen from other manifests all of its records look as if they had left the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stemctl.config.config import NAME, Server
from stemctl.core.records import Address
from stemctl.core.state import State
from stemctl.errors import Hint, StateError
from stemctl.git.containment import is_contained
from stemctl.git.history import related
from stemctl.git.process import GitFailure, user_git
from stemctl.git.repository import head_commit
from stemctl.util.plural import first_few
from stemctl.util.safe_text import visible


@dataclass(frozen=True, slots=True)
class Here:
    """The manifests at hand: `folder` is where they are in their repository.

    `declared` reads them, `has_run` tells whether a run was made from this checkout: both are asked
    in doubt only.
    """

    root: Path
    folder: str
    server: Server
    where: str
    environ: Mapping[str, str]
    declared: Callable[[], Collection[Address]]
    has_run: Callable[[str], bool]

    def refuse_others(self, state: State) -> None:
        """See whether a state may be of these manifests.

        Raises:
            StateError: it is of others, with what to write.
        """
        theirs = state.folder
        if theirs not in (None, self.folder) and self._has_manifests(theirs or ""):
            raise self._of_others(
                f"It was applied from {_named(theirs or '')}, where {NAME} still is, and this is {_named(self.folder)}."
            )
        head = head_commit(self.root)
        if state.commit is None:
            self._in_doubt(state, "It was applied from files that were not committed")
        elif head is None:
            raise self._of_others(
                f"It was applied from commit {state.commit[:7]}, and nothing is committed here yet."
            )
        else:
            self._check_history(state, state.commit, head)

    def _check_history(self, state: State, applied: str, head: str) -> None:
        args = (self.root, self.server.remote, applied, head, self.environ)
        found = related(*args)
        if found is None:
            self._in_doubt(
                state,
                f"Commit {applied[:7]}, which was applied last, is neither here nor on the remote",
            )
        elif not found and not self._has_content(state, applied, head):
            raise self._of_others(
                f"It was applied from commit {applied[:7]}, which has no commit in common with what is here.",
                [
                    (
                        f"git fetch {self.server.remote} {applied} && "
                        "git merge -s ours --allow-unrelated-histories FETCH_HEAD",
                        "only if these are the same manifests, and their history was written anew",
                    )
                ],
            )

    def _has_content(self, state: State, applied: str, head: str) -> bool:
        folders = [self.folder if state.folder is None else state.folder]
        return is_contained(self.root, self.server.remote, applied, head, folders, self.environ)

    def _in_doubt(self, state: State, said: str) -> None:
        """Git cannot tell: what was applied from this checkout is ours, and so is what is declared here."""
        if not state.records or (state.run is not None and self.has_run(state.run)):
            return
        if not state.records.keys() & set(self.declared()):
            names = first_few([str(address) for address in sorted(state.records)])
            raise self._of_others(f"{said}, and none of its records is declared here: {names}.")

    def _has_manifests(self, folder: str) -> bool:
        git = user_git(self.root, self.environ)
        path = f"{folder}/{NAME}" if folder else NAME
        try:
            top = Path(os.fsdecode(git.run("rev-parse", "--show-toplevel").removesuffix(b"\n")))
            if os.path.lexists(top / path):
                return True
            git.run("cat-file", "-e", f"HEAD:{path}")
        except GitFailure:
            return False
        return True

    def _of_others(self, why: str, hints: list[Hint] | None = None) -> StateError:
        branch = f"{self.server.branch}-{_word(self.folder.rpartition('/')[2] or self.root.name)}"
        return StateError(
            f"{self.where} holds the state of other manifests.",
            f"{visible(why)}\n"
            "Seen from here, its records would look as if they had left the files. Nothing was read or sent.\n"
            f"In the {NAME} here, give {self.server.name} another name, or its state a branch of its own:\n"
            f"state: {{{', '.join(self._state(branch))}}}",
            hints or [],
        )

    def _state(self, branch: str) -> Iterator[str]:
        yield "backend: git"
        if self.server.remote != "origin":
            yield f"remote: {self.server.remote}"
        yield f"branch: {branch}"


def _named(folder: str) -> str:
    return f"the folder {folder}" if folder else "the top of the repository"


def _word(text: str) -> str:
    return re.sub("[^A-Za-z0-9_-]+", "-", text).strip("-") or "2"
