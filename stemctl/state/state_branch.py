"""The branch of a git remote that states are kept on, and the files of one server on it.

The branch only grows, so it can be shared where history must not be rewritten. Each write is one
push that succeeds if the branch is where we saw it, and otherwise changes nothing. That is what
keeps machines apart.
"""

from __future__ import annotations

import datetime
import getpass
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from stemctl.config.config import Server
from stemctl.core.state import State
from stemctl.core.state_codec import from_json, shards_of, to_json, to_shards
from stemctl.errors import StateError, Untouched
from stemctl.git.errors import Damaged, stuck
from stemctl.git.mirror import Mirror, open_mirror
from stemctl.git.mirror_cache import STATES
from stemctl.git.process import GitFailure
from stemctl.git.push import LostRace, push
from stemctl.render import commit_message
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import visible

SHARDED_ABOVE = 2000
"""A state with more records is kept in shards, so that a run only writes what it changed."""

_TRIES = 20

Answer = TypeVar("Answer")
Files = dict[str, bytes | None]
"""Paths to their new content; None for a file that goes away."""

_EXPECTED = late_pattern(
    r"README\.md|[^/]+\.(?:state\.json|claim\.json|plan\.jsonl|run\.jsonl|state/[0-9a-f]{2}\.json)"
)
"""The paths that a state branch may have."""


class Tip(Struct, frozen=True):
    """The branch as it was fetched: its commit (None: there is no branch), and path to blob."""

    commit: str | None
    files: Mapping[str, str]

    def below(self, *prefixes: str) -> dict[str, str]:
        """The files whose paths begin with one of these prefixes."""
        return {path: blob for path, blob in self.files.items() if path.startswith(prefixes)}


@dataclass
class StateBranch:
    """The branch as this command sees it, and pushes to it."""

    root: Path
    server: Server
    environ: Mapping[str, str] = field(repr=False)
    clock: Callable[[], datetime.datetime]
    _tip: Tip | None = None
    _watched: tuple[str, float] = ("", 0.0)

    @property
    def where(self) -> str:
        """The branch, as shown to people."""
        return f"branch {self.server.branch} of {self.server.remote}"

    @cached_property
    def _mirror(self) -> Mirror:
        return open_mirror(STATES, self.root, self.server.remote, self.environ)

    # names

    @property
    def name(self) -> str:
        """The server that the files are of."""
        return self.server.name

    @property
    def state_path(self) -> str:
        """The state, or its head if it has shards."""
        return f"{self.name}.state.json"

    def shard_path(self, shard: str) -> str:
        """A part of a large state."""
        return f"{self.name}.state/{shard}.json"

    @property
    def lease_path(self) -> str:
        """The lease of the run that is on."""
        return f"{self.name}.claim.json"

    @property
    def plan_path(self) -> str:
        """The plan of that run."""
        return f"{self.name}.plan.jsonl"

    @property
    def run_path(self) -> str:
        """The record of the last run."""
        return f"{self.name}.run.jsonl"

    # reading

    @property
    def tip(self) -> Tip:
        """The branch as it was seen last; the first look fetches it."""
        if self._tip is None:
            self.refresh()
        assert self._tip is not None
        return self._tip

    def refresh(self) -> None:
        """Look at the remote again."""
        self._see(self._ask(lambda mirror: mirror.fetch(self.server.branch)))

    def use_last_seen(self) -> None:
        """Go by the branch as it was when it was last fetched on this machine."""
        try:
            self._see(self._mirror.last_seen(self.server.branch))
        except Damaged:
            self._see(None)

    def watched_for(self) -> datetime.timedelta:
        """How long this command has seen the same lease."""
        return datetime.timedelta(seconds=time.monotonic() - self._watched[1])

    def read(self, blobs: Iterable[str]) -> list[bytes]:
        """The contents of blobs, each by its id or as `commit:path`."""
        return self._ask(lambda mirror: mirror.read(blobs))

    def text(self, blob: str) -> str:
        """The content of a blob as text.

        Raises:
            StateError: it is not UTF-8.
        """
        (content,) = self.read([blob])
        try:
            return content.decode(errors="surrogatepass")
        except UnicodeDecodeError as error:
            raise StateError(
                f"A file on {self.where} is not UTF-8.",
                "It was edited.",
                untouched=Untouched.NOTHING_SENT,
            ) from error

    def versions(self, path: str, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
        """The contents that a file had, by commit, the latest first, as far as what the message of
        the commit says is wanted.
        """
        commit = self.tip.commit
        if commit is None:
            return {}
        messages = self._ask(lambda mirror: mirror.changed(commit, path))
        wanted = [sha for sha, message in messages.items() if is_wanted(message)]
        return dict(zip(wanted, self.read(f"{sha}:{path}" for sha in wanted), strict=True))

    def load_state(self) -> State | None:
        """The state of the server; None if the branch has none.

        Raises:
            StateError: it is damaged, or the remote cannot be reached.
        """
        files = self.tip.files
        blob = files.get(self.state_path)
        if blob is None:
            return None
        text = self.text(blob)
        shards = [files.get(self.shard_path(shard), "") for shard in shards_of(text)]
        where = f"{self.state_path} on {self.where}"
        return from_json(text, where, [self.text(shard) for shard in shards])

    def state_blobs(self) -> dict[str, str]:
        """The files that make up the state."""
        return self.tip.below(self.state_path, f"{self.name}.state/")

    def state_files(self, state: State) -> Files:
        """What a commit has to write for a state, and to remove of the one before."""
        if len(state.records) <= SHARDED_ABOVE:
            text, shards = "".join(to_json(state)), dict[str, str]()
        else:
            text, shards = to_shards(state)
        files: Files = dict.fromkeys(self.tip.below(f"{self.name}.state/"))
        files[self.state_path] = text.encode(errors="surrogatepass")
        for shard, part in shards.items():
            files[self.shard_path(shard)] = part.encode(errors="surrogatepass")
        return files

    def _ask(self, question: Callable[[Mirror], Answer]) -> Answer:
        """Ask the mirror; if it is damaged, recreate it and ask once more."""
        try:
            return question(self._mirror)
        except Damaged:
            self._mirror.recreate()
            self._mirror.fetch(self.server.branch)
            return question(self._mirror)

    def _see(self, commit: str | None) -> None:
        files = self._ask(lambda mirror: mirror.files(commit)) if commit else {}
        foreign = next((path for path in files if not _EXPECTED.fullmatch(path)), None)
        if foreign is not None:
            raise StateError(
                f"{self.where} contains files that are not states: {visible(foreign)}.",
                "The state needs its own branch.\n"
                f"Name another one in stemctl.yaml, under servers: {self.name}: state: branch.",
                untouched=Untouched.NOTHING_SENT,
            )
        mine = {path: blob for path, blob in files.items() if path.startswith(f"{self.name}.")}
        self._tip = Tip(commit, mine)
        lease = files.get(self.lease_path, "")
        if lease != self._watched[0]:
            self._watched = (lease, time.monotonic())

    # writing

    def push(self, make: Callable[[Tip], str], detached: bool = True) -> None:
        """Push what `make` commits onto the branch, again if someone else's push came first.

        `make` checks each time whether its commit still makes sense: the push of someone else may
        have been about another server.

        Raises:
            StateError: the branch cannot be pushed to; or what `make` raises.
        """
        seen = set()
        output = ""
        for _ in range(_TRIES):
            tip = self.tip
            seen.add(tip.commit)
            made = make(tip)
            try:
                push(self._mirror, self.server.branch, made, tip.commit, detached=detached)
            except LostRace as lost:
                self.refresh()
                output = lost.output
            else:
                self._see(made)
                return
        if len(seen) == 1:
            raise stuck(output, self.server.remote, self.server.branch)
        raise StateError(
            f"Pushing to {self.where} failed {_TRIES} times, because others pushed first.",
            "Try again in a minute.",
            untouched=Untouched.NOTHING_SENT,
        )

    def pack(self) -> None:
        """Pack the local copy of the branch, if it has grown."""
        self._mirror.pack()

    def commit(self, tip: Tip, message: str, files: Mapping[str, bytes | None]) -> str:
        """Make a commit on the branch.

        Along first parents, history shows one commit for each run. So the first parent of such a
        commit is the one before the lease of the run.
        """
        when, author = int(self.clock().timestamp()), self._author()

        def make(mirror: Mirror) -> str:
            below = tip.commit
            if below is None:
                readme: Files = {"README.md": commit_message.README.encode()}
                below = mirror.commit(None, [], commit_message.BEGINNING, readme, author, when)
            parents = [below]
            if not message.startswith(commit_message.CLAIM):
                first = mirror.last_without(below, commit_message.CLAIM) or below
                parents = list(dict.fromkeys([first, below]))
            return mirror.commit(below, parents, message, files, author, when)

        return self._ask(make)

    def _author(self) -> tuple[str, str]:
        """The user's name as git knows it; a machine without one must not fail for that."""
        found = []
        for setting in ("user.name", "user.email"):
            try:
                found.append(self._mirror.git.text("config", "--get", setting))
            except GitFailure:
                found.append("")
        return found[0] or "stemctl", found[1] or f"{_user()}@{platform.node() or 'localhost'}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "stemctl"
