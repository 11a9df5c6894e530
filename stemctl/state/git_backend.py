"""The state of one server on a branch of a git remote, and the claim of the run that writes to it.

The branch only grows, so that it can be shared where nobody may rewrite history. Each write is one
push that succeeds if the branch is where we saw it, and else changes nothing: that is the lock
between machines.
"""

from __future__ import annotations

import datetime
import getpass
import platform
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from stemctl.config.config import Server
from stemctl.core.lease import Lease, lease_json, lease_of, plan_lines, read_lease, run_of
from stemctl.core.run import Run
from stemctl.core.state import State, from_json, shards_of, to_json, to_shards
from stemctl.errors import LeaseEnded, StateError
from stemctl.git.ci_job import job_url
from stemctl.git.mirror import LostRace, Mirror
from stemctl.git.mirror_cache import STATES
from stemctl.git.mirror_opening import open_own
from stemctl.git.process import GitFailure
from stemctl.git.push_errors import Damaged, stuck
from stemctl.render import commit_message
from stemctl.state.backend import Busy, moved_on
from stemctl.state.lease_holder import LeaseHolder, Moment
from stemctl.util.safe_text import visible
from stemctl.util.timestamps import utc_now

SHARDED_ABOVE = 2000
"""Records in a state from which on it is kept in pieces, so that a run writes what it changed."""

_TRIES = 20

Answer = TypeVar("Answer")

_OURS = re.compile(
    r"README\.md|[^/]+\.(?:state\.json|claim\.json|plan\.jsonl|run\.jsonl|state/[0-9a-f]{2}\.json)"
)


@dataclass(frozen=True, slots=True)
class Tip:
    """The branch as it was fetched: its commit (None: there is no branch), and its files, path to blob."""

    commit: str | None
    files: Mapping[str, str]

    def of(self, *prefixes: str) -> dict[str, str]:
        """The files whose paths begin so."""
        return {path: blob for path, blob in self.files.items() if path.startswith(prefixes)}


@dataclass
class GitBackend:
    """Where the state of one server is kept, with the claim on it."""

    root: Path
    server: Server
    environ: Mapping[str, str]
    clock: Callable[[], datetime.datetime] = utc_now
    _tip: Tip | None = None
    _watched: tuple[str, float] = ("", 0.0)

    @property
    def where(self) -> str:
        """The place as people see it."""
        return f"branch {self.server.branch} of {self.server.remote}"

    @cached_property
    def _own(self) -> Mirror:
        return open_own(STATES, self.root, self.server.remote, self.environ)

    # reading

    def _asked(self, question: Callable[[Mirror], Answer]) -> Answer:
        """What our repository answers; where it is damaged, a new one is asked, once."""
        try:
            return question(self._own)
        except Damaged:
            self._own.recreate()
            self._own.fetch(self.server.branch)
            return question(self._own)

    def refresh(self) -> None:
        """Look at the remote again."""
        self._see(self._asked(lambda own: own.fetch(self.server.branch)))

    def look_without_asking(self) -> None:
        """Take the branch as it was when somebody last looked at the remote from here."""
        try:
            self._see(self._own.last_seen(self.server.branch))
        except Damaged:
            self._see(None)

    def _see(self, commit: str | None) -> None:
        files = self._asked(lambda own: own.files(commit)) if commit else {}
        foreign = next((path for path in files if not _OURS.fullmatch(path)), None)
        if foreign is not None:
            raise StateError(
                f"{self.where} holds something else than states: {visible(foreign)}.",
                "The state needs a branch of its own. Nothing was sent.\n"
                f"Name another one in stemctl.yaml, under servers: {self._name}: state: branch.",
            )
        self._tip = Tip(
            commit,
            {path: blob for path, blob in files.items() if path.startswith(f"{self._name}.")},
        )
        blob = files.get(self._claim_path, "")
        if blob != self._watched[0]:
            self._watched = (blob, time.monotonic())

    @property
    def tip(self) -> Tip:
        """The branch as this command sees it."""
        if self._tip is None:
            self.refresh()
        assert self._tip is not None
        return self._tip

    def load(self) -> State | None:
        """The state as it is on the branch; None if it holds none of this server.

        Raises:
            StateError: it is damaged, or the remote cannot be reached.
        """
        blob = self.tip.files.get(self._state_path)
        if blob is None:
            return None
        text = self._text(blob)
        shards = [self.tip.files.get(self._shard_path(shard), "") for shard in shards_of(text)]
        return from_json(
            text, f"{self._state_path} on {self.where}", [self._text(blob) for blob in shards]
        )

    def _read(self, blobs: Iterable[str]) -> list[bytes]:
        return self._asked(lambda own: own.read(blobs))

    def _text(self, blob: str) -> str:
        (content,) = self._read([blob])
        try:
            return content.decode(errors="surrogatepass")
        except UnicodeDecodeError as error:
            raise StateError(
                f"A file on {self.where} is not UTF-8.", "It was edited. Nothing was sent."
            ) from error

    def claimed(self) -> Lease | None:
        """The claim on this server, of a run that is on or died."""
        blob = self.tip.files.get(self._claim_path)
        return read_lease(self._text(blob), self.where) if blob else None

    def dead(self) -> bool:
        """Whether the owner of the claim is known to send nothing more."""
        claim = self.claimed()
        watched = datetime.timedelta(seconds=time.monotonic() - self._watched[1])
        return claim is not None and claim.has_ended(self.clock(), watched)

    def claimed_run(self) -> Run:
        """The run of the claim as far as the branch knows it: each of its requests may have been sent.

        Raises:
            StateError: its plan is damaged.
        """
        claim, blob = self.claimed(), self.tip.files.get(self._plan_path)
        assert claim is not None
        (content,) = self._read([blob]) if blob else (b"",)
        return run_of(claim, content, f"{self._plan_path} on {self.where}", self.clock())

    def still_claimed(self, run: str) -> bool:
        """Whether a run of this machine still holds its claim; if not, somebody else has settled it."""
        claim = self.claimed()
        return claim is not None and claim.run == run

    def past_runs(self) -> dict[str, bytes]:
        """The records of all runs, by commit, the latest first."""
        commit = self.tip.commit
        if commit is None:
            return {}
        found = self._asked(lambda own: own.changed(commit, self._run_path))
        return dict(zip(found, self._read(f"{sha}:{self._run_path}" for sha in found), strict=True))

    # writing

    def save(
        self, state: State, run: Run | None, lines: Callable[[], bytes], who: str, what: str
    ) -> None:
        """Put a state on the branch; of a run, with its story, and without its claim.

        Raises:
            StateMoved: somebody else's state came first; nothing was changed.
            StateError: the branch cannot be pushed to, or a run of somebody else is on.
        """
        last = self.load() if run is not None else None
        before, claim_before = self._mine(), self.tip.files.get(self._claim_path)

        def make(tip: Tip) -> str:
            if self._mine() != before:
                raise moved_on(self.where)
            if run is not None and not self.still_claimed(run.id):
                raise moved_on(self.where)  # settled by somebody else
            if (
                run is not None
                and run.lease is not None
                and tip.files[self._claim_path] != claim_before
            ):
                raise moved_on(self.where)  # it seemed dead, and has renewed its claim
            if run is None and (claim := self.claimed()):
                raise Busy(claim, self.where)
            since = last.commit if last else None
            message = (
                commit_message.run_message(self._name, run, since, job_url(self.environ))
                if run is not None
                else commit_message.state_message(self._name, state, who, what)
            )
            files = self._state_files(state)
            if run is not None:
                files |= {self._claim_path: None, self._plan_path: None, self._run_path: lines()}
            return self._commit(tip, message, files)

        self._push(make)

    def _state_files(self, state: State) -> dict[str, bytes | None]:
        if len(state.records) <= SHARDED_ABOVE:
            text, shards = "".join(to_json(state)), dict[str, str]()
        else:
            text, shards = to_shards(state)
        gone: dict[str, bytes | None] = dict.fromkeys(self.tip.of(f"{self._name}.state/"))
        written = {
            self._state_path: text,
            **{self._shard_path(shard): part for shard, part in shards.items()},
        }
        return gone | {path: part.encode(errors="surrogatepass") for path, part in written.items()}

    def remove(self, who: str) -> None:
        """Take the state off the branch, after it was put elsewhere. The story stays."""

        def make(tip: Tip) -> str:
            message = f"{self._name}: the state was moved elsewhere [skip ci]\n\nBy {who}.\n"
            return self._commit(tip, message, dict.fromkeys(self._mine()))

        if self._mine():
            self._push(make)

    def claim(self, run: Run) -> LeaseHolder:
        """Claim the server for a run, before its first write. The state must be the one that its
        plan was made from.

        Raises:
            Busy: another run holds a claim.
            StateMoved: the state is another one by now.
            StateError: the branch cannot be pushed to.
        """
        claim = lease_of(run, self.clock())
        self.refresh()

        def make(tip: Tip) -> str:
            if other := self.claimed():
                raise Busy(other, self.where)
            state = self.load()
            if (
                (state.lineage, state.serial) != (run.plan.lineage, run.plan.serial)
                if state
                else run.plan.serial
            ):
                raise moved_on(self.where)
            files: dict[str, bytes | None] = {
                self._claim_path: lease_json(claim).encode(),
                self._plan_path: plan_lines(run).encode(errors="surrogatepass"),
            }
            return self._commit(
                tip, commit_message.lease_message(self._name, claim, renewed=False), files
            )

        started = Moment(self.clock)
        self._push(make, alone=False)
        return LeaseHolder(claim, started, self.where, self.renew, self.release)

    def renew(self, claim: Lease) -> None:
        """Push a claim again with its new lease.

        Raises:
            LeaseEnded: it is not ours any more.
            StateError: the remote does not answer.
        """

        def make(tip: Tip) -> str:
            if not self.still_claimed(claim.run):
                raise LeaseEnded(f"The claim on {self.where} was taken over: its lease had ended.")
            files: dict[str, bytes | None] = {self._claim_path: lease_json(claim).encode()}
            return self._commit(
                tip, commit_message.lease_message(self._name, claim, renewed=True), files
            )

        self._push(make)

    def release(self, run: str) -> None:
        """Give a claim back of a run that changed nothing.

        Raises:
            StateMoved: somebody else has settled that run.
        """

        def make(tip: Tip) -> str:
            if not self.still_claimed(run):
                raise moved_on(self.where)
            message = commit_message.release_message(self._name, run)
            return self._commit(tip, message, {self._claim_path: None, self._plan_path: None})

        self._push(make)

    def _push(self, make: Callable[[Tip], str], alone: bool = True) -> None:
        """Push what `make` commits onto the branch as it is now; again, where somebody else was quicker.

        `make` looks whether what it does still makes sense: on the same branch there may be other
        servers.
        """
        seen = set()
        for _ in range(_TRIES):
            tip = self.tip
            seen.add(tip.commit)
            made = make(tip)
            try:
                self._own.push(self.server.branch, made, tip.commit, alone)
            except LostRace as lost:
                self.refresh()
                said = lost.said
            else:
                self._see(made)
                return
        if len(seen) == 1:
            raise stuck(said, self.server.remote, self.server.branch)
        raise StateError(
            f"{self.where} moves too fast to be pushed to.",
            "Nothing was sent. Try again in a minute.",
        )

    def _commit(self, tip: Tip, message: str, files: Mapping[str, bytes | None]) -> str:
        """A commit on the branch. Along first parents it shows one commit for each run: what a
        claim was about is told by the run's own commit, whose first parent is the one before the
        claim.
        """
        when, author = int(self.clock().timestamp()), self._author()

        def made(own: Mirror) -> str:
            below = tip.commit
            if below is None:
                below = own.commit(
                    None,
                    [],
                    commit_message.BEGINNING,
                    {"README.md": commit_message.README.encode()},
                    author,
                    when,
                )
            parents = [below]
            if not message.startswith(commit_message.CLAIM):
                parents = list(
                    dict.fromkeys([own.last_without(below, commit_message.CLAIM) or below, below])
                )
            return own.commit(below, parents, message, files, author, when)

        return self._asked(made)

    def _author(self) -> tuple[str, str]:
        """The user's name as git knows it; a machine without one is no reason to fail."""
        found = []
        for setting in ("user.name", "user.email"):
            try:
                found.append(self._own.git.text("config", "--get", setting))
            except GitFailure:
                found.append("")
        return found[0] or "stemctl", found[1] or f"{_user()}@{platform.node() or 'localhost'}"

    # names

    @property
    def _name(self) -> str:
        return self.server.name

    @property
    def _state_path(self) -> str:
        return f"{self._name}.state.json"

    def _shard_path(self, shard: str) -> str:
        return f"{self._name}.state/{shard}.json"

    @property
    def _claim_path(self) -> str:
        return f"{self._name}.claim.json"

    @property
    def _plan_path(self) -> str:
        return f"{self._name}.plan.jsonl"

    @property
    def _run_path(self) -> str:
        return f"{self._name}.run.jsonl"

    def _mine(self) -> dict[str, str]:
        """The files that make up the state."""
        return self.tip.of(self._state_path, f"{self._name}.state/")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "stemctl"
