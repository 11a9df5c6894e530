"""The commits of a metadata repository, and the files in them.

git is only read: neither work tree nor index nor references change.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath

from stemctl.errors import ConfigError, Hint, Untouched
from stemctl.git import errors
from stemctl.git.process import GitFailure, NoGit, NoRepository, user_git
from stemctl.util.late_pattern import late_pattern

_YAML = (".yaml", ".yml")
_LINK = "120000"
_UNBORN = "does not have any commits yet"
_HASH = late_pattern("[0-9a-f]{40}|[0-9a-f]{64}")

_HEADER_BYTES = 200
"""More than the line that git prints before the content of a blob."""


def head_commit(root: Path) -> str | None:
    """The commit of HEAD; None without git, a repository or a first commit.

    Raises:
        StateError: git cannot tell.
    """
    git = user_git(root)
    try:
        found = git.query_or_stop("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if found is None:  # there is no commit yet, or HEAD is damaged: git log tells which
            found = git.run("log", "-1", "--no-show-signature", "--format=%H")
    except (NoRepository, NoGit):
        return None
    except GitFailure as error:
        if _UNBORN in error.output:
            return None
        raise errors.unanswered(error.output, root) from error
    return found.decode().strip()


def commit_of(root: Path, ref: str) -> str:
    """The commit of a branch, tag or hash.

    Raises:
        ConfigError: git is not installed, or there is no repository or no such commit.
        StateError: git cannot tell.
    """
    if ref.startswith("-"):
        raise ConfigError(
            f"{ref} is not the name of a commit.",
            "It begins with a dash.",
            untouched=Untouched.NOTHING_READ,
        )
    try:
        _query(root, "rev-parse", "--is-inside-work-tree")
    except NoRepository as error:
        raise ConfigError(
            f"{root} is not in a git repository.", untouched=Untouched.NOTHING_READ
        ) from error
    question = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    try:
        return _run(root, *question).decode().strip()
    except GitFailure as error:  # git works, so this name is the problem
        raise ConfigError(
            f"Commit {ref!r} not found.",
            f"It was not fetched, or has another name.{errors.quoted(error.output)}",
            _ways_to(root, ref),
            Untouched.NOTHING_READ,
        ) from error


def merge_base(root: Path, commit: str) -> str | None:
    """The last commit that HEAD and another one have in common, if git can tell.

    In a shallow clone it often cannot.
    """
    return _query(root, "merge-base", "HEAD", commit) if head_commit(root) else None


def export(root: Path, commit: str, folder: Path) -> None:
    """Write the YAML files that a commit has at and below `root` into an empty folder.

    The contents are those that were committed: no attribute or filter of the repository changes
    them. Links are written last, and only those that lead to a path inside, so that no file is
    written through one.

    Raises:
        ConfigError: git cannot read the commit, or the folder cannot be written.
    """
    entries = list(_listed(root, commit))
    contents = _contents(root, {blob for _, blob, _ in entries})
    try:
        for mode, blob, path in entries:
            if mode != _LINK and path.endswith(_YAML):
                _prepared(folder, path).write_bytes(contents[blob])
        for mode, blob, path in entries:
            if mode == _LINK:
                _write_link(folder, path, os.fsdecode(contents[blob]))
    except OSError as error:
        raise ConfigError(
            f"The files of {commit[:12]} cannot be written to a temporary folder.",
            f"{error.strerror or error}.",
        ) from error


def _write_link(folder: Path, path: str, target: str) -> None:
    leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if _stays_inside(leads_to):
        # A system without links has none in its work tree either.
        with contextlib.suppress(OSError):
            os.symlink(target, _prepared(folder, path))


def _prepared(folder: Path, path: str) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _listed(root: Path, commit: str) -> Iterator[tuple[str, str, str]]:
    """Mode, blob and path, relative to `root`, of the YAML files and links of a commit."""
    try:
        listing = _run(root, "ls-tree", "-r", "-z", "--end-of-options", commit)
    except GitFailure as error:
        raise ConfigError(
            f"git cannot list the files of {commit[:12]}.", errors.quoted(error.output).strip()
        ) from error
    for line in listing.split(b"\0")[:-1]:
        facts, _, name = line.partition(b"\t")
        mode, kind, blob = facts.decode().split(" ")
        path = os.fsdecode(name)
        is_read = mode == _LINK or path.endswith(_YAML)
        if kind == "blob" and is_read and _stays_inside(path):
            yield mode, blob, path


def _stays_inside(path: str) -> bool:
    """Whether a relative path leads inside only. A crafted tree can contain any name."""
    pure = PurePath(path)
    return not (pure.is_absolute() or pure.drive or path.startswith("/") or ".." in pure.parts)


def _contents(root: Path, blobs: Iterable[str]) -> Mapping[str, bytes]:
    """The contents of blobs by their ids."""
    question = "".join(f"{blob}\n" for blob in sorted(blobs))
    try:
        answer = _run(root, "cat-file", "--batch", stdin=question.encode())
    except GitFailure as error:
        raise ConfigError(
            "git cannot read the files of that commit.", errors.quoted(error.output).strip()
        ) from error
    contents: dict[str, bytes] = {}
    rest = memoryview(answer)
    while rest:
        end = bytes(rest[:_HEADER_BYTES]).find(b"\n")
        facts = bytes(rest[: max(0, end)]).decode().split(" ")
        if len(facts) != 3:
            raise ConfigError(
                "git cannot read a file of that commit.", f"It printed: {' '.join(facts)}."
            )
        start, size = end + 1, int(facts[2])
        contents[facts[0]] = bytes(rest[start : start + size])
        rest = rest[start + size + 1 :]
    return contents


def _ways_to(root: Path, ref: str) -> list[Hint]:
    """How to fetch a commit that is not here: by its hash, or as a branch of a remote."""
    remotes = (_query(root, "remote") or "").split()
    remote, _, branch = ref.partition("/")
    if remote not in remotes:
        remote, branch = "origin" if "origin" in remotes or not remotes else remotes[0], ref
    if not remotes or _query(root, "check-ref-format", f"refs/heads/{branch}") is None:
        return [("git branch --all", "lists the branches that exist")]
    there = f"{remote}/{branch}"
    again = (f"stemctl plan --base {shlex.quote(there)}", "compares with that branch")
    question = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{there}^{{commit}}")
    if there != ref and _query(root, *question):
        return [again]
    is_shallow = _query(root, "rev-parse", "--is-shallow-repository") == "true"
    depth = "--depth=1 " if is_shallow else ""
    if _HASH.fullmatch(ref):
        return [(f"git fetch {depth}{remote} {ref}", "fetches it, if the remote has it")]
    spec = shlex.quote(f"+{branch}:refs/remotes/{there}")
    return [
        (f"git fetch {depth}{remote} {spec}", "fetches it, if it is a branch there"),
        again,
    ]


def _query(root: Path, *args: str) -> str | None:
    """The one line that git answers; None if the answer is no.

    Raises:
        NoRepository: there is none to ask.
        ConfigError: git is not installed.
        StateError: git cannot answer.
    """
    try:
        found = user_git(root).query_or_stop(*args)
    except NoGit as error:
        raise _no_git(error) from error
    return None if found is None else os.fsdecode(found).strip()


def _run(root: Path, *args: str, stdin: bytes = b"") -> bytes:
    try:
        return user_git(root).run(*args, stdin=stdin)
    except NoGit as error:
        raise _no_git(error) from error


def _no_git(error: NoGit) -> ConfigError:
    return ConfigError(
        error.what, "stemctl reads the files of a commit with it.", untouched=Untouched.NOTHING_READ
    )
