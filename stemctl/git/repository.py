"""What git knows of a metadata repository: commits, and the files that they hold. Asked of git
itself, which writes nothing for it: neither work tree nor index nor references move.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath

from stemctl.errors import ConfigError, Hint
from stemctl.git.errors import quoted, unanswered
from stemctl.git.process import GitFailure, NoGit, NoRepository, user_git

_YAML = (".yaml", ".yml")
_LINK = "120000"
_UNBORN = "does not have any commits yet"
_HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def head_commit(root: Path) -> str | None:
    """The commit that the work tree of a repository stands on; None without git, a repository or a
    first commit.

    Raises:
        StateError: git cannot tell.
    """
    git = user_git(root)
    try:
        found = git.answer("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if found is None:  # before the first commit, or HEAD is damaged: git log says which
            found = git.run("log", "-1", "--no-show-signature", "--format=%H")
    except (NoRepository, NoGit):
        return None
    except GitFailure as error:
        if _UNBORN in error.said:
            return None
        raise unanswered(error.said, root) from error
    return found.decode().strip()


def commit_of(root: Path, ref: str) -> str:
    """The commit that a name, tag or hash means.

    Raises:
        ConfigError: there is no git, no repository, or no such commit; with what to type.
        StateError: git cannot tell.
    """
    if ref.startswith("-"):
        raise ConfigError(
            f"{ref} is no name of a commit.", "It begins with a dash. Nothing was read."
        )
    try:
        _answer(root, "rev-parse", "--is-inside-work-tree")
    except NoRepository as error:
        raise ConfigError(
            "This is no git repository.", f"Looked in {root}. Nothing was read."
        ) from error
    why = "It was not fetched, or is called otherwise. Nothing was read."
    try:
        return (
            _run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
            .decode()
            .strip()
        )
    except GitFailure as error:  # it answers: so it is this name that it cannot make a commit of
        raise ConfigError(
            f"git knows no commit {ref!r} here.", f"{why}{quoted(error.said)}", _ways_to(root, ref)
        ) from error


def merge_base(root: Path, commit: str) -> str | None:
    """The last commit that HEAD and another one have in common, if git can tell it; a shallow clone
    often cannot.
    """
    return _answer(root, "merge-base", "HEAD", commit) if head_commit(root) else None


def export(root: Path, commit: str, folder: Path) -> None:
    """Write the YAML files that a commit has at and below `root` into an empty folder.

    The contents are those that were committed: no attribute and no filter of the repository changes
    them. Links come last, and only those that lead nowhere else, so that nothing is written through
    one.

    Raises:
        ConfigError: git cannot read the commit, or the folder cannot be written.
    """
    entries = list(_listed(root, commit))
    contents = _contents(root, {oid for _, oid, _ in entries})
    links = [(path, contents[oid]) for mode, oid, path in entries if mode == _LINK]
    try:
        for mode, oid, path in entries:
            if mode != _LINK and path.endswith(_YAML):
                _prepared(folder, path).write_bytes(contents[oid])
        for path, target in links:
            to = posixpath.normpath(posixpath.join(posixpath.dirname(path), os.fsdecode(target)))
            if _stays_inside(to):
                with contextlib.suppress(
                    OSError
                ):  # a system without links has none in its work tree either
                    os.symlink(os.fsdecode(target), _prepared(folder, path))
    except OSError as error:
        raise ConfigError(
            f"The files of {commit[:12]} cannot be laid out.", str(error.strerror or error)
        ) from error


def _prepared(folder: Path, path: str) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _listed(root: Path, commit: str) -> Iterator[tuple[str, str, str]]:
    """Mode, id and path, relative to `root`, of the YAML files and links of a commit."""
    try:
        listing = _run(root, "ls-tree", "-r", "-z", "--end-of-options", commit)
    except GitFailure as error:
        raise ConfigError(
            f"git cannot list the files of {commit[:12]}.", quoted(error.said).strip()
        ) from error
    for line in listing.split(b"\0")[:-1]:
        facts, _, name = line.partition(b"\t")
        mode, kind, oid = facts.decode().split(" ")
        path = os.fsdecode(name)
        if kind == "blob" and (mode == _LINK or path.endswith(_YAML)) and _stays_inside(path):
            yield mode, oid, path


def _stays_inside(path: str) -> bool:
    """Whether a relative path leads to nothing but what is below; a tree that somebody made may
    hold any name.
    """
    pure = PurePath(path)
    return not (pure.is_absolute() or pure.drive or path.startswith("/") or ".." in pure.parts)


def _contents(root: Path, oids: Iterable[str]) -> Mapping[str, bytes]:
    """Ids of blobs to their contents."""
    asked = "".join(f"{oid}\n" for oid in sorted(oids))
    try:
        answer = _run(root, "cat-file", "--batch", given=asked.encode())
    except GitFailure as error:
        raise ConfigError(
            "git cannot read the files of that commit.", quoted(error.said).strip()
        ) from error
    found: dict[str, bytes] = {}
    rest = memoryview(answer)
    while rest:
        end = bytes(rest[:200]).find(b"\n")
        words = bytes(rest[: max(0, end)]).decode().split(" ")
        if len(words) != 3:
            raise ConfigError(
                "git cannot read a file of that commit.", f"It says: {' '.join(words)}."
            )
        start, size = end + 1, int(words[2])
        found[words[0]] = bytes(rest[start : start + size])
        rest = rest[start + size + 1 :]
    return found


def _ways_to(root: Path, ref: str) -> list[Hint]:
    """What gets a commit that is not here: by its hash, or as a branch of a remote under the name
    that it has here.
    """
    remotes = (_answer(root, "remote") or "").split()
    remote, _, branch = ref.partition("/")
    if remote not in remotes:
        remote, branch = "origin" if "origin" in remotes or not remotes else remotes[0], ref
    if not remotes or _answer(root, "check-ref-format", f"refs/heads/{branch}") is None:
        return [("git branch --all", "shows the names that there are")]
    there = f"{remote}/{branch}"
    again = (f"stemctl plan --base {shlex.quote(there)}", "tells the changes apart")
    if there != ref and _answer(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{there}^{{commit}}"
    ):
        return [again]
    depth = "--depth=1 " if _answer(root, "rev-parse", "--is-shallow-repository") == "true" else ""
    if _HASH.fullmatch(ref):
        return [(f"git fetch {depth}{remote} {ref}", "gets it, if the remote has it")]
    return [
        (
            f"git fetch {depth}{remote} {shlex.quote(f'+{branch}:refs/remotes/{there}')}",
            "gets it, if it is a branch there",
        ),
        again,
    ]


def _answer(root: Path, *words: str) -> str | None:
    """The one line that git answers; None if it answers no.

    Raises:
        NoRepository: there is none to ask.
        ConfigError: there is no git.
        StateError: git cannot answer.
    """
    try:
        found = user_git(root).answer(*words)
    except NoGit as error:
        raise _no_git(error) from error
    return None if found is None else os.fsdecode(found).strip()


def _run(root: Path, *words: str, given: bytes = b"") -> bytes:
    try:
        return user_git(root).run(*words, given=given)
    except NoGit as error:
        raise _no_git(error) from error


def _no_git(error: NoGit) -> ConfigError:
    return ConfigError(error.what, "The files of a commit are read with it. Nothing was read.")
