"""A bare git repository of stemctl's own, below .stemctl/: nothing of it touches the user's work tree, index or refs.

It reaches the remote exactly as the user's repository does, and holds what was fetched from there. Nothing in it is
worth keeping: it can be removed at any time.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stemctl.branch import words
from stemctl.branch.command import Git, GitFailure, clean, configured, transport, user_git
from stemctl.errors import ConfigError
from stemctl.masking import masked

STATES = "git"
HISTORY = "history"
"""The folders of two of them, below .stemctl/: that of commits alone is a partial clone, which lacks all files."""

_PUSH_PATIENCE = 25.0
"""Seconds a push may take. A renewal that takes longer is tried again before the lease ends."""


class LostRace(Exception):
    """Somebody else's push came first."""


@dataclass(frozen=True, slots=True)
class OwnRepository:
    """The bare repository, and the remote that it reaches."""

    git: Git
    remote: str

    # reading

    def fetch(self, branch: str) -> str | None:
        """The commit that a branch of the remote is at, with all of its history; None if there is no such branch.

        Raises:
            StateError: the remote cannot be reached.
        """
        ref = _ref(self.remote, branch)
        try:
            for _ in range(5):
                said = self.git.text("ls-remote", self.remote, f"refs/heads/{branch}")
                there = said.partition("\t")[0]
                if not there:
                    self.git.run("update-ref", "-d", ref)
                    return None
                if self.last_seen(branch) != there:
                    self._fetch(f"+refs/heads/{branch}:{ref}")
                if self.last_seen(branch) == there:
                    return there
            return self.last_seen(branch)  # it moves faster than we look
        except GitFailure as error:
            raise words.not_reached(error.said, self.remote) from error

    def _fetch(self, *specs: str) -> None:
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules")
        options = [spec for spec in specs if spec.startswith("--")]
        self.git.run("fetch", *quiet, *options, self.remote, *(spec for spec in specs if spec not in options))

    def last_seen(self, branch: str) -> str | None:
        """The commit that the branch was at when it was last fetched; asks nobody."""
        try:
            return self.git.text("rev-parse", "--verify", "--quiet", _ref(self.remote, branch)) or None
        except GitFailure:
            return None

    def files(self, commit: str) -> dict[str, str]:
        """Path to blob, of all files of a commit."""
        rows = self.git.run("ls-tree", "-r", "-z", commit).decode(errors="surrogateescape").split("\0")
        found = {}
        for row in filter(None, rows):
            facts, _, path = row.partition("\t")
            found[path] = facts.split()[2]
        return found

    def read(self, blobs: Iterable[str]) -> list[bytes]:
        """The contents of blobs, in their order."""
        asked = list(blobs)
        output = self.git.run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in asked).encode())
        found, at = [], 0
        for _ in asked:
            end = output.index(b"\n", at)
            size = int(output[at:end].split()[2])
            found.append(output[end + 1 : end + 1 + size])
            at = end + 2 + size
        return found

    def first_parents(self, commit: str, *paths: str) -> list[tuple[str, str]]:
        """The commits from this one back along first parents, each with its subject; those that changed `paths`."""
        rows = self.git.text("log", "--first-parent", "--format=%H%x09%s", commit, "--", *paths)
        return [(sha, subject) for sha, _, subject in (row.partition("\t") for row in rows.splitlines())]

    def fetch_commits(self, *commits: str) -> None:
        """Have these commits and all before them here, without their files where the remote can leave them out.

        Raises:
            GitFailure: the remote does not have them, or cannot be reached.
        """
        specs = (f"+{commit}:refs/stemctl/commits/{commit}" for commit in commits if not self._has(commit))
        if wanted := list(specs):
            self._fetch("--filter=tree:0", *wanted)

    def _has(self, commit: str) -> bool:
        try:
            self.git.run("rev-parse", "--verify", "--quiet", f"refs/stemctl/commits/{commit}")
        except GitFailure:
            return False
        return True

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

        One process makes it all; no index and no work tree is needed. Nothing of it is known to the remote yet.
        """
        mine = f"refs/stemctl/made/{uuid.uuid4().hex}"
        name, mail = (re.sub(r"[<>\n\0]", "", text).strip() or "stemctl" for text in author)
        lines = [f"commit {mine}\nmark :1\ncommitter {name} <{mail}> {when} +0000\n".encode(), _data(message.encode())]
        for number, parent in enumerate(parents):
            lines.append(f"{'merge' if number else 'from'} {parent}\n".encode())
        if tree_of is not None:
            tree = self.git.text("rev-parse", "--verify", f"{tree_of}^{{tree}}")
            lines.append(f'M 040000 {tree} ""\n'.encode())
        for path, content in files.items():
            lines.append(f"D {path}\n".encode() if content is None else f"M 100644 inline {path}\n".encode())
            lines += [] if content is None else [_data(content)]
        stream = b"".join([b"feature done\n", *lines, b"\nget-mark :1\ndone\n"])
        made = self.git.run("fast-import", "--quiet", given=stream, alone=True).decode().strip()
        self.git.run("update-ref", "-d", mine, alone=True)
        return made

    def push(self, branch: str, new: str, old: str | None, alone: bool = False) -> None:
        """Have the remote's branch go from one commit (None: from not being there) to another, or not at all.

        Raises:
            LostRace: it is not at the old one any more.
            StateError: it may not be pushed to, or does not answer; when we looked again it had not moved.
        """
        target = f"refs/heads/{branch}"
        lease = f"--force-with-lease={target}:{old or ''}"
        try:
            self.git.run(
                "-c",
                f"core.hooksPath={os.devnull}",  # hooks of the user's for pushes are about their work
                "push",
                "--quiet",
                "--porcelain",
                lease,
                self.remote,
                f"{new}:{target}",
                alone=alone,
                patience=_PUSH_PATIENCE,
            )
        except GitFailure as error:
            if not self._arrived(branch, new, alone):
                if words.lost_race(error.said):
                    raise LostRace from error
                raise words.not_pushed(error.said, self.remote, branch) from error
        self.git.run("update-ref", _ref(self.remote, branch), new, alone=alone)

    def _arrived(self, branch: str, new: str, alone: bool) -> bool:
        """Whether a push whose answer was lost has moved the branch all the same."""
        try:
            said = self.git.run("ls-remote", self.remote, f"refs/heads/{branch}", alone=alone, patience=_PUSH_PATIENCE)
        except GitFailure:
            return False
        return said.decode().partition("\t")[0] == new


def _ref(remote: str, branch: str) -> str:
    return f"refs/stemctl/seen/{remote}/{branch}"


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def open_own(path: Path, root: Path, remote: str, environ: Mapping[str, str]) -> OwnRepository:
    """The own repository at `path`, made if it is not there, for a remote of the repository that `root` is in.

    Raises:
        ConfigError: `root` is in no git repository, or it has no such remote.
        StateError: there is no git on this machine.
    """
    user = user_git(root, environ)
    try:
        top = Path(user.text("rev-parse", "--show-toplevel"))
        remotes = user.text("remote").splitlines()
        settings = user.run("config", "--list", "-z", "--show-scope", "--includes")
    except GitFailure as error:
        said = masked(error.said).splitlines()[:1]
        raise ConfigError(
            f"{root} is not in a git repository that can be read.",
            f"The state of this server is kept in git. {''.join(said)}",
            [("git init && git remote add origin URL", "makes one")],
        ) from error
    if remote not in remotes:
        known = f"There is {', '.join(remotes)}." if remotes else "There is none at all."
        raise ConfigError(
            f"This git repository has no remote {remote!r}.",
            f"stemctl.yaml keeps the state on a branch of it. {known}",
            [(f"git remote add {remote} URL", "adds it")],
        )
    if not (path / "HEAD").exists():
        _make(path, clean(environ), top)
    known_settings = list(transport(settings, remote))
    return OwnRepository(Git((f"--git-dir={path}",), top, configured(clean(environ), known_settings)), remote)


def _make(path: Path, environ: Mapping[str, str], top: Path) -> None:
    """Make the repository at once: whoever finds it finds it whole."""
    fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    git = Git((), top, environ)
    kind = git.text("rev-parse", "--show-object-format")
    git.run("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(fresh))
    try:
        fresh.rename(path)
    except OSError:  # another process was quicker
        shutil.rmtree(fresh, ignore_errors=True)
