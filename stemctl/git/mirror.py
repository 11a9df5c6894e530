"""A bare git repository of stemctl's own, in the user's cache.

It does not touch the user's work tree, index or references, and nothing of a checkout is part of
it. It reaches the remote exactly as the user's repository does, and holds what was fetched from
there. It can be removed at any time.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from stemctl.errors import ConfigError
from stemctl.git import errors, mirror_cache, transport
from stemctl.git.process import Git, GitFailure, NoRepository, TooLate, clean, user_git
from stemctl.git.push_address import TwoAddresses, two_addresses
from stemctl.util.redact import remember

Files = Mapping[str, bytes | None]
"""Paths to their content in a commit; None for a file that goes away."""

_LOOKS = 5
"""How often a branch is fetched that moves each time."""

_LOOSE = 1000
"""Loose objects above which a mirror is packed; they take 4 KiB each, or more."""


class Mirror(Struct, frozen=True):
    """The bare repository at `path`, and the remote that it reaches.

    What only needs `path` raises Damaged if the repository does not work.
    """

    path: Path
    git: Git
    remote: str
    addresses: TwoAddresses | None = None

    def recreate(self) -> None:
        """Start again with an empty repository, whatever is wrong with this one.

        Raises:
            Damaged: it cannot be created.
        """
        try:
            _remove(self.path)
            _create(self.path, self.git)
        except GitFailure as error:
            raise self._damaged(error.output) from error

    # fetching

    def fetch(self, branch: str) -> str | None:
        """The commit of a branch of the remote, with all of its history; None if it has no such
        branch.

        Raises:
            StateError: the remote cannot be reached.
            Damaged: it can, and what it sent is not here now.
        """
        for _ in range(_LOOKS):
            there = self._ask_or_stop(branch)
            if there is None:
                self._run("update-ref", "-d", self.seen_ref(branch))
                return None
            if self.last_seen(branch) != there:
                self.fetch_branch(branch)
            if self.last_seen(branch) == there:
                return there
        return self.last_seen(branch)

    def fetch_branch(self, branch: str) -> None:
        """Fetch a branch that the remote has.

        Raises:
            StateError: the remote cannot be reached.
            Damaged: it can, and what it sent is not here now.
        """
        before = self.last_seen(branch)
        try:
            self._fetch(f"+refs/heads/{branch}:{self.seen_ref(branch)}")
        except GitFailure as error:
            if self.last_seen(branch) != before:
                return  # another process of this folder was faster
            is_new = self._works() and not (self.path / "refs" / "stemctl").exists()
            if is_new or isinstance(error, TooLate):
                raise errors.not_reached(error.output, self.remote) from error
            raise self._damaged(error.output) from error

    def fetch_commits(self, *commits: str, without: str = "tree:0") -> None:
        """Fetch commits and all before them, without their files if the remote can leave them out.

        git fetches what was left out (`without`, a filter of git) when it needs it.

        Raises:
            GitFailure: the remote does not have the commits, or cannot be reached.
        """
        refs = {commit: f"refs/stemctl/commits/{commit}" for commit in commits}
        missing = [commit for commit, ref in refs.items() if self._commit_at(ref) is None]
        if missing:
            specs = [f"+{commit}:{refs[commit]}" for commit in missing]
            self._fetch(*specs, options=(f"--filter={without}",))
            self.pack()

    def ask(self, branch: str, detached: bool = False, timeout: float | None = None) -> str | None:
        """Where the remote's branch is; None if it has no such branch.

        Raises:
            GitFailure: the remote cannot be reached.
        """
        name = f"refs/heads/{branch}"
        listed = self.git.run("ls-remote", self.remote, name, detached=detached, timeout=timeout)
        for line in listed.decode(errors="replace").splitlines():
            commit, _, ref = line.partition("\t")
            if ref == name:  # git also lists longer names that end in this one
                return commit
        return None

    def last_seen(self, branch: str) -> str | None:
        """The commit that the branch was at when it was last fetched; needs no network."""
        return self._commit_at(self.seen_ref(branch))

    def seen_ref(self, branch: str) -> str:
        """The reference that keeps where the remote's branch was."""
        return f"refs/stemctl/seen/{self.remote}/{branch}"

    # reading

    def files(self, commit: str) -> dict[str, str]:
        """Path to blob, of all files of a commit."""
        listing = self._run("ls-tree", "-r", "-z", commit).decode(errors="surrogateescape")
        found = {}
        for row in filter(None, listing.split("\0")):
            facts, _, path = row.partition("\t")
            found[path] = facts.split()[2]
        return found

    def read(self, blobs: Iterable[str]) -> list[bytes]:
        """The contents of blobs, each by its id or as `commit:path`, in their order."""
        asked = list(blobs)
        question = "".join(f"{blob}\n" for blob in asked).encode()
        output = self._run("cat-file", "--batch", stdin=question)
        contents, start = [], 0
        for _ in asked:
            end = output.index(b"\n", start)
            facts = output[start:end].split()
            if len(facts) != 3:
                raise self._damaged(output[start:end].decode(errors="replace"))
            size = int(facts[2])
            contents.append(output[end + 1 : end + 1 + size])
            start = end + 2 + size
        return contents

    def changed(self, commit: str, path: str) -> dict[str, str]:
        """The commits from this one back along first parents that changed a file, each with what
        its message says below the subject.
        """
        question = ("log", "--first-parent", "-z", "--format=%H%b", commit, "--", path)
        rows = self._run(*question).decode(errors="replace").split("\0")
        width = len(commit)
        return {row[:width]: row[width:] for row in rows if row}

    def last_without(self, commit: str, text: str) -> str | None:
        """The first commit from this one back along first parents with no line that begins so."""
        question = ("log", "--first-parent", "-1", "--format=%H", "--invert-grep")
        found = self._run(*question, f"--grep=^{text}", commit, "--")
        return found.decode().strip() or None

    # writing

    def commit(
        self,
        tree_of: str | None,
        parents: Iterable[str],
        message: str,
        files: Files,
        author: tuple[str, str],
        when: int,
    ) -> str:
        """Make a commit: the tree of another one (None: an empty one) with these files in it.

        One git makes it all, without index and work tree. The remote knows nothing of it yet.
        """
        ref = f"refs/stemctl/made/{uuid.uuid4().hex}"
        name, mail = (re.sub(r"[<>\n\0]", "", text).strip() or "stemctl" for text in author)
        stream = [
            b"feature done\n",
            f"commit {ref}\nmark :1\ncommitter {name} <{mail}> {when} +0000\n".encode(),
            _data(message.encode()),
        ]
        for number, parent in enumerate(parents):
            stream.append(f"{'merge' if number else 'from'} {parent}\n".encode())
        if tree_of is not None:
            question = ("rev-parse", "--verify", f"{tree_of}^{{tree}}")
            tree = self._run(*question, detached=True).decode().strip()
            stream.append(f'M 040000 {tree} ""\n'.encode())
        for path, content in files.items():
            if content is None:
                stream.append(f"D {path}\n".encode())
            else:
                stream += [f"M 100644 inline {path}\n".encode(), _data(content)]
        stream.append(b"\nget-mark :1\ndone\n")
        made = self._run("fast-import", "--quiet", stdin=b"".join(stream), detached=True)
        self._run("update-ref", "-d", ref, detached=True)
        return made.decode().strip()

    def pack(self) -> None:
        """Pack loose objects if there are many: each run leaves about eight.

        It saves space only, so nothing fails if it cannot be done.
        """
        settings = ("-c", f"gc.auto={_LOOSE}", "-c", "gc.autoDetach=false")
        with contextlib.suppress(GitFailure):
            self.git.run(*settings, "gc", "--auto", "--quiet", detached=True)

    # calling git

    def _run(self, *args: str, stdin: bytes = b"", detached: bool = False) -> bytes:
        """What a command prints that needs no remote."""
        try:
            return self.git.run(*args, stdin=stdin, detached=detached)
        except GitFailure as error:
            raise self._damaged(error.output) from error

    def _fetch(self, *specs: str, options: Sequence[str] = ()) -> None:
        self.git.run(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            *options,
            self.remote,
            *specs,
        )

    def _ask_or_stop(self, branch: str) -> str | None:
        try:
            return self.ask(branch)
        except GitFailure as error:
            if self._works():
                raise errors.not_reached(error.output, self.remote) from error
            raise self._damaged(error.output) from error

    def _works(self) -> bool:
        return self._text("symbolic-ref", "HEAD") is not None

    def _commit_at(self, ref: str) -> str | None:
        return self._text("rev-parse", "--verify", "--quiet", ref)

    def _text(self, *args: str) -> str | None:
        try:
            return self.git.text(*args) or None
        except GitFailure:
            return None

    def _damaged(self, output: str) -> errors.Damaged:
        return errors.damaged(output, self.path)


def open_mirror(kind: str, root: Path, remote: str, environ: Mapping[str, str]) -> Mirror:
    """The mirror of a kind (such as `mirror_cache.STATES`) for a remote of the user's repository
    around `root`; created if it does not exist.

    Raises:
        ConfigError: `root` is in no git repository, or that has no such remote.
        StateError: git is not installed.
    """
    user = user_git(root, environ)
    try:
        top = Path(os.fsdecode(user.run("rev-parse", "--show-toplevel")).removesuffix("\n"))
        remotes = user.text("remote").splitlines()
        theirs = transport.read_settings(user.run("config", "--list", "-z", "--includes"))
        addresses = two_addresses(user, remote, theirs) if remote in remotes else None
    except NoRepository as error:
        raise ConfigError(
            f"{root} is not in a git repository.",
            f"The state of this server is kept in git.{errors.quoted(error.output, 1)}",
            [("git init && git remote add origin URL", "creates one")],
        ) from error
    except GitFailure as error:
        raise errors.unanswered(error.output, root) from error
    if remote not in remotes:
        known = f"Its remotes: {', '.join(remotes)}." if remotes else "It has no remote at all."
        raise ConfigError(
            f"This git repository has no remote {remote!r}.",
            f"stemctl.yaml keeps the state on a branch of it. {known}",
            [(f"git remote add {remote} URL", "adds it")],
        )
    urls = [value for key, value in theirs if key == f"remote.{remote}.url"]
    path = mirror_cache.folder_for(root, top, remote, urls) / kind
    return Mirror(path, _git_for(path, top, remote, environ, theirs), remote, addresses)


def _git_for(
    path: Path,
    top: Path,
    remote: str,
    environ: Mapping[str, str],
    theirs: Sequence[transport.Setting],
) -> Git:
    """A git for the repository at `path` that reaches a remote as the user's does."""
    for secret in transport.secrets(theirs):
        remember(secret)
    plain = Git((f"--git-dir={path}",), top, transport.unconfigured(clean(environ)))
    try:
        if not (path / "HEAD").exists():
            _create(path, plain)
        ours = transport.read_settings(plain.run("config", "--list", "-z", "--includes"))
    except GitFailure:
        ours = []  # its first use will find it damaged
    missing = transport.missing_settings(theirs, ours, remote)
    return replace(plain, environ=transport.configured(plain.environ, missing))


def _create(path: Path, git: Git) -> None:
    """Create the repository in one step, so that other processes find it complete."""
    fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    user = replace(git, arguments=())
    kind = user.text("rev-parse", "--show-object-format")
    user.run("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(fresh))
    try:
        fresh.rename(path)
    except OSError:  # another process was faster
        shutil.rmtree(fresh, ignore_errors=True)


def _remove(path: Path) -> None:
    """Remove a repository in one step, even if not all of its files can be deleted."""
    away = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(away)
    shutil.rmtree(away, ignore_errors=True)


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"
