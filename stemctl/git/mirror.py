"""A bare git repository of stemctl's own, in the user's cache: nothing of it touches the user's
work tree, index or references, and nothing of a checkout is part of it.

It reaches the remote exactly as the user's repository does, and holds what was fetched from there.
Nothing in it is worth keeping: it can be removed at any time.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stemctl.errors import StateError
from stemctl.git import push_errors
from stemctl.git.process import Git, GitFailure, TooLate
from stemctl.git.push_url import TwoPlaces

_READ_BACK = (0, 0.5, 2)
"""Seconds to wait before each look for a push where the remote is read: a mirror may take a moment."""

_PUSH_PATIENCE = 25.0
"""Seconds a push may take. A renewal that takes longer is tried again before the lease ends."""


class LostRace(Exception):
    """Somebody else's push came first; `said` is what git printed."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True, slots=True)
class Mirror:
    """The bare repository at `path`, and the remote that it reaches. What only needs `path` raises
    Damaged if it is.
    """

    path: Path
    git: Git
    remote: str
    apart: TwoPlaces | None = None

    def _local(self, *words_: str, given: bytes = b"", alone: bool = False) -> bytes:
        try:
            return self.git.run(*words_, given=given, alone=alone)
        except GitFailure as error:
            raise self._damaged(error.said) from error

    def _damaged(self, said: str) -> push_errors.Damaged:
        return push_errors.damaged(said, self.path)

    def recreate(self) -> None:
        """Begin with an empty one: whatever is wrong with this one, nothing in it is worth keeping.

        Raises:
            Damaged: there cannot be one.
        """
        try:
            _remove(self.path)
            make(self.path, self.git)
        except GitFailure as error:
            raise self._damaged(error.said) from error

    # reading

    def fetch(self, branch: str) -> str | None:
        """The commit that a branch of the remote is at, with all of its history; None if there is
        no such branch.

        Raises:
            StateError: the remote cannot be reached.
            Damaged: it can, and what it sent is not here now.
        """
        ref = _ref(self.remote, branch)
        for _ in range(5):
            there = self._there(branch)
            if there is None:
                self._local("update-ref", "-d", ref)
                return None
            if self.last_seen(branch) != there:
                self._fetch_branch(branch)
            if self.last_seen(branch) == there:
                return there
        return self.last_seen(branch)  # it moves faster than we look

    def _there(self, branch: str) -> str | None:
        try:
            return self._ask(branch)
        except GitFailure as error:
            if self._is_one():
                raise push_errors.not_reached(error.said, self.remote) from error
            raise self._damaged(error.said) from error

    def _is_one(self) -> bool:
        return self._says("symbolic-ref", "HEAD") is not None

    def _says(self, *question: str) -> str | None:
        try:
            return self.git.text(*question) or None
        except GitFailure:
            return None

    def _ask(self, branch: str, alone: bool = False, patience: float | None = None) -> str | None:
        """Where the remote's branch is; only that one, whatever else ends in the same words."""
        name = f"refs/heads/{branch}"
        said = self.git.run("ls-remote", self.remote, name, alone=alone, patience=patience).decode(
            errors="replace"
        )
        rows = (row.split("\t") for row in said.splitlines())
        return next((row[0] for row in rows if row[1:] == [name]), None)

    def _fetch_branch(self, branch: str) -> None:
        before = self.last_seen(branch)
        try:
            self._fetch(f"+refs/heads/{branch}:{_ref(self.remote, branch)}")
        except GitFailure as error:
            if self.last_seen(branch) != before:
                return  # another process of this folder was quicker
            fresh = self._is_one() and not (self.path / "refs" / "stemctl").exists()
            if fresh or isinstance(error, TooLate):
                raise push_errors.not_reached(error.said, self.remote) from error
            raise self._damaged(error.said) from error

    def _fetch(self, *specs: str, options: Sequence[str] = ()) -> None:
        quiet = (
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
        )
        self.git.run("fetch", *quiet, *options, self.remote, *specs)

    def last_seen(self, branch: str) -> str | None:
        """The commit that the branch was at when it was last fetched; asks nobody."""
        return self._says("rev-parse", "--verify", "--quiet", _ref(self.remote, branch))

    def files(self, commit: str) -> dict[str, str]:
        """Path to blob, of all files of a commit."""
        rows = (
            self._local("ls-tree", "-r", "-z", commit).decode(errors="surrogateescape").split("\0")
        )
        found = {}
        for row in filter(None, rows):
            facts, _, path = row.partition("\t")
            found[path] = facts.split()[2]
        return found

    def read(self, blobs: Iterable[str]) -> list[bytes]:
        """The contents of blobs, each by its id or as `commit:path`, in their order."""
        asked = list(blobs)
        output = self._local(
            "cat-file", "--batch", given="".join(f"{blob}\n" for blob in asked).encode()
        )
        found, at = [], 0
        for _ in asked:
            end = output.index(b"\n", at)
            facts = output[at:end].split()
            if len(facts) != 3:
                raise self._damaged(output[at:end].decode(errors="replace"))
            size = int(facts[2])
            found.append(output[end + 1 : end + 1 + size])
            at = end + 2 + size
        return found

    def changed(self, commit: str, path: str) -> list[str]:
        """The commits from this one back along first parents that changed a file."""
        words_ = ("log", "--first-parent", "--format=%H", commit, "--", path)
        return self._local(*words_).decode().split()

    def last_without(self, commit: str, words_: str) -> str | None:
        """The first commit from this one back along first parents that has no line beginning with
        these words.
        """
        question = (
            "log",
            "--first-parent",
            "-1",
            "--format=%H",
            "--invert-grep",
            f"--grep=^{words_}",
            commit,
            "--",
        )
        return self._local(*question).decode().strip() or None

    def fetch_commits(self, *commits: str, without: str = "tree:0") -> None:
        """Have these commits and all before them here, without their files where the remote can
        leave them out.

        What is left out (`without`, a filter of git) is fetched by git where it turns out to be
        needed.

        Raises:
            GitFailure: the remote does not have them, or cannot be reached.
        """
        names = {commit: f"refs/stemctl/commits/{commit}" for commit in commits}
        lacking = [
            c
            for c, name in names.items()
            if self._says("rev-parse", "--verify", "--quiet", name) is None
        ]
        if lacking:
            self._fetch(
                *(f"+{commit}:{names[commit]}" for commit in lacking),
                options=(f"--filter={without}",),
            )

    # writing

    def commit(
        self,
        tree_of: str | None,
        parents: Iterable[str],
        message: str,
        files: Mapping[str, bytes | None],
        author: tuple[str, str],
        when: int,
    ) -> str:
        """Make a commit: the tree of another one with these files in it (None: without that one).

        One process makes it all; no index and no work tree is needed. Nothing of it is known to the
        remote yet.
        """
        mine = f"refs/stemctl/made/{uuid.uuid4().hex}"
        name, mail = (re.sub(r"[<>\n\0]", "", text).strip() or "stemctl" for text in author)
        lines = [
            f"commit {mine}\nmark :1\ncommitter {name} <{mail}> {when} +0000\n".encode(),
            _data(message.encode()),
        ]
        for number, parent in enumerate(parents):
            lines.append(f"{'merge' if number else 'from'} {parent}\n".encode())
        if tree_of is not None:
            tree = (
                self._local("rev-parse", "--verify", f"{tree_of}^{{tree}}", alone=True)
                .decode()
                .strip()
            )
            lines.append(f'M 040000 {tree} ""\n'.encode())
        for path, content in files.items():
            lines.append(
                f"D {path}\n".encode() if content is None else f"M 100644 inline {path}\n".encode()
            )
            lines += [] if content is None else [_data(content)]
        stream = b"".join([b"feature done\n", *lines, b"\nget-mark :1\ndone\n"])
        made = self._local("fast-import", "--quiet", given=stream, alone=True).decode().strip()
        self._local("update-ref", "-d", mine, alone=True)
        return made

    def push(self, branch: str, new: str, old: str | None, alone: bool = False) -> None:
        """Have the remote's branch go from one commit (None: from not being there) to another, or
        not at all.

        Raises:
            LostRace: it is not at the old one any more.
            StateError: it may not be pushed to, or does not answer; when we looked again it had not
            moved. Or it is
                pushed to another repository than it is read from.
        """
        try:
            self._push(branch, new, old, alone)
        except GitFailure as error:
            if not self._arrived(branch, new, alone):
                if push_errors.lost_race(error.said):
                    self._refuse_another_place(branch, old, alone)
                    raise LostRace(error.said) from error
                raise push_errors.not_pushed(error.said, self.remote, branch) from error
        else:
            self._read_back(branch, new, old, alone)
        with contextlib.suppress(GitFailure):  # it only saves the next fetch
            self.git.run("update-ref", _ref(self.remote, branch), new, alone=alone)

    def _push(self, branch: str, new: str | None, old: str | None, alone: bool) -> None:
        target = f"refs/heads/{branch}"
        lease = f"--force-with-lease={target}:{old or ''}"
        words_ = ("push", "--quiet", "--porcelain", lease, self.remote, f"{new or ''}:{target}")
        self.git.run(*words_, alone=alone, patience=_PUSH_PATIENCE)

    def _refuse_another_place(self, branch: str, old: str | None, alone: bool) -> None:
        """After a push that came too late: where it is read nothing may have moved, as that is
        another repository.
        """
        if self.apart is not None and not self.apart.proved:
            with contextlib.suppress(GitFailure):
                if self._ask(branch, alone, _PUSH_PATIENCE) == old:
                    raise self.apart.differ(branch)

    def _read_back(self, branch: str, new: str, old: str | None, alone: bool) -> None:
        """Look for the first push where the remote is read, if that is another address; take it
        back if it is not there.
        """
        if self.apart is None or self.apart.proved:
            return
        self.apart.proved = self._is_read(branch, new, alone)
        if self.apart.proved:
            return
        left = None
        try:
            self._push(branch, old, new, alone)
        except GitFailure as error:
            left = error.said
        raise self.apart.led_elsewhere(branch, left)

    def _is_read(self, branch: str, new: str, alone: bool) -> bool:
        """Whether the branch, where it is read, is at a commit that was pushed, or at a later one
        on top of it.
        """
        for pause in _READ_BACK:
            time.sleep(pause)
            try:
                there = self._ask(branch, alone, _PUSH_PATIENCE)
                if there == new:
                    return True
                self._fetch_branch(branch)
                if (
                    there is not None
                    and self.git.says("merge-base", "--is-ancestor", new, there) is not None
                ):
                    return True
            except (GitFailure, StateError):
                continue
        return False

    def _arrived(self, branch: str, new: str, alone: bool) -> bool:
        """Whether a push whose answer was lost has moved the branch all the same."""
        try:
            return self._ask(branch, alone, _PUSH_PATIENCE) == new
        except GitFailure:
            return False


def _ref(remote: str, branch: str) -> str:
    return f"refs/stemctl/seen/{remote}/{branch}"


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def make(path: Path, git: Git) -> None:
    """Make the repository at once: whoever finds it finds it whole."""
    fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    user = replace(git, arguments=())
    kind = user.text("rev-parse", "--show-object-format")
    user.run("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(fresh))
    try:
        fresh.rename(path)
    except OSError:  # another process was quicker
        shutil.rmtree(fresh, ignore_errors=True)


def _remove(path: Path) -> None:
    """Take a repository away at once; what cannot be deleted does not stand in the way."""
    away = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(away)
    shutil.rmtree(away, ignore_errors=True)
