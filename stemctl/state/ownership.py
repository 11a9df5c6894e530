"""Which manifests a state on a branch belongs to: those of one folder of one repository.

Compared with other manifests, all of its records would look as if they had left the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stemctl.config.config import NAME, Server
from stemctl.core.records import Address
from stemctl.core.state import State
from stemctl.errors import Hint, StateError, Untouched
from stemctl.git.containment import is_contained
from stemctl.git.history import related
from stemctl.git.process import GitFailure, user_git
from stemctl.git.repository import head_commit
from stemctl.util.plural import first_few
from stemctl.util.safe_text import visible


@dataclass(frozen=True, slots=True)
class LocalManifests:
    """The manifests of this checkout: `folder` is where they are in their repository.

    `declared` reads them, `has_run` tells whether a run was made from this checkout. Both are only
    called if git cannot tell whose the state is.
    """

    root: Path
    folder: str
    server: Server
    where: str
    environ: Mapping[str, str] = field(repr=False)
    declared: Callable[[], Collection[Address]]
    has_run: Callable[[str], bool]

    def refuse_foreign(self, state: State) -> None:
        """Check that a state may be of these manifests.

        Raises:
            StateError: it is of others, with what to write.
        """
        theirs = state.folder
        if theirs not in (None, self.folder) and self._has_manifests(theirs or ""):
            raise self._foreign(
                f"It was applied from {_shown(theirs or '')}, which still has a {NAME}."
                f" You are in {_shown(self.folder)}."
            )
        head = head_commit(self.root)
        if state.commit is None:
            self._decide_by_content(state, "It was applied from files that were not committed")
        elif head is None:
            raise self._foreign(
                f"It was applied from commit {state.commit[:7]}, and this repository has no commit."
            )
        else:
            self._check_history(state, state.commit, head)

    def _check_history(self, state: State, applied: str, head: str) -> None:
        is_related = related(self.root, self.server.remote, applied, head, self.environ)
        if is_related is None:
            self._decide_by_content(
                state,
                f"Commit {applied[:7]}, the last one applied, is neither here nor on the remote",
            )
        elif not is_related and not self._has_content(state, applied, head):
            raise self._foreign(
                f"It was applied from commit {applied[:7]}, which has no commit in common with"
                " this repository.",
                [
                    (
                        f"git fetch {self.server.remote} {applied} && "
                        "git merge -s ours --allow-unrelated-histories FETCH_HEAD",
                        "only if these are the same manifests with a rewritten history",
                    )
                ],
            )

    def _has_content(self, state: State, applied: str, head: str) -> bool:
        folders = [self.folder if state.folder is None else state.folder]
        return is_contained(self.root, self.server.remote, applied, head, folders, self.environ)

    def _decide_by_content(self, state: State, reason: str) -> None:
        """Accept a state that was applied from this checkout, or has a record declared here.

        Raises:
            StateError: it has none of both.
        """
        if not state.records or (state.run is not None and self.has_run(state.run)):
            return
        if not state.records.keys() & set(self.declared()):
            names = first_few([str(address) for address in sorted(state.records)])
            raise self._foreign(f"{reason}. None of its records is declared here: {names}.")

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

    def _foreign(self, why: str, hints: list[Hint] | None = None) -> StateError:
        folder = self.folder.rpartition("/")[2] or self.root.name
        branch = f"{self.server.branch}-{_word(folder)}"
        return StateError(
            f"{self.where} holds the state of other manifests.",
            f"{visible(why)}\n"
            "Compared with these files, its records would look deleted.\n"
            f"In this {NAME}, rename {self.server.name}, or give its state its own branch:\n"
            f"state: {{{', '.join(self._state(branch))}}}",
            hints or [],
            Untouched.NOTHING_READ,
        )

    def _state(self, branch: str) -> Iterator[str]:
        yield "backend: git"
        if self.server.remote != "origin":
            yield f"remote: {self.server.remote}"
        yield f"branch: {branch}"


def _shown(folder: str) -> str:
    return f"the folder {folder}" if folder else "the top of the repository"


def _word(text: str) -> str:
    return re.sub("[^A-Za-z0-9_-]+", "-", text).strip("-") or "2"
