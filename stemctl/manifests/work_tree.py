"""What git knows of the manifests: tracked files that are absent, and uncommitted changes.

Git is only read. A file that is tracked and cannot be read must not look deleted.
"""

from __future__ import annotations

import enum
import os
import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.git import errors
from stemctl.git.process import GitFailure, NoGit, NoRepository, user_git
from stemctl.manifests.discovery import CONFIG
from stemctl.manifests.entry_paths import Reach, Scope, scope_of
from stemctl.manifests.file_names import DEFAULTS, SUFFIXES
from stemctl.util.plural import first_few

CODE = "not-checked-out"

_SHOWN_PATHS = 3
_LINK, _SUBMODULE = "120000", "160000"
_STATUS = (
    *("status", "--porcelain=v2", "-z", "--untracked-files=all"),
    *("--no-renames", "--ignore-submodules=none"),
)
_PLAIN = b"H 100"
"""The beginning of the row of an ordinary file. Almost all rows are skipped by it."""


class AbsentReason(enum.Enum):
    """Why a file that git tracks is not in the work tree, although it was not deleted."""

    SPARSE = "excluded by a sparse checkout"
    SKIPPED = "missing, and marked skip-worktree"
    ASSUMED = "missing, and marked assume-unchanged"
    SUBMODULE = "in a submodule that is not checked out"
    UNMERGED = "in conflict, in a merge that is not finished"


class Tracked(Struct, frozen=True):
    """What the index of git says about the files that are read.

    `absent` files are tracked and cannot be read. `unwatched` files, path to blob, are there, but
    git does not check whether they changed. `targets` of links are read as well. `submodules` are
    those that contain files that are read. `plain` are the names of ordinary files, whatever they
    hold: git ignores none of them.
    """

    scope: Scope
    plain: Set[str] = frozenset()
    absent: Mapping[str, AbsentReason] = field(default_factory=dict)
    unwatched: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()

    def reads(self, path: str) -> bool:
        """Whether a file, or a file of a submodule, is read."""
        if self.scope.reads(path) or path in self.submodules:
            return True
        linked = any(path == target or path.startswith(f"{target}/") for target in self.targets)
        return linked and path.endswith(SUFFIXES)


def inspect(root: Path, entries: Sequence[str]) -> Tracked:
    """The tracked manifests. Takes one call of git, and one more for each submodule among them.

    Raises:
        StateError: git fails.
    """
    scope = scope_of(entries, CONFIG, DEFAULTS)
    special: list[_Row] = []
    files: list[_Row] = []
    plain: set[str] = set()
    for row in _rows(root, "", scope, plain):
        if row.mode not in (_LINK, _SUBMODULE):
            files.append(row)
        elif scope.reach(row.path) is not Reach.NONE:
            special.append(row)
    submodules = tuple(row.path for row in special if row.mode == _SUBMODULE)
    targets = (_target(root, row.path) for row in special if row.mode == _LINK)
    tracked = Tracked(scope, plain, targets=tuple(filter(None, targets)), submodules=submodules)
    files = [row for row in files if tracked.reads(row.path)]
    absent = _absent(root, [*special, *files])
    unwatched = {row.path: row.blob for row in files if row.tag != "H" and row.path not in absent}
    return replace(tracked, absent=absent, unwatched=unwatched)


def _absent(root: Path, rows: Iterable[_Row]) -> dict[str, AbsentReason]:
    """The rows whose files cannot be read."""
    absent: dict[str, AbsentReason] = {}
    for row in rows:
        reason = _reason(root, row)
        if reason is not None:
            absent[row.path] = reason
    skipped = [path for path, reason in absent.items() if reason is AbsentReason.SKIPPED]
    if skipped and _is_sparse(root):
        absent.update(dict.fromkeys(skipped, AbsentReason.SPARSE))
    return absent


def prefix(root: Path) -> str:
    """The path of a folder in its git repository; empty at the top, or without a repository."""
    output = _asked(root, "rev-parse", "--show-prefix") or b""
    return os.fsdecode(output).rstrip("\n").rstrip("/")


def uncommitted(root: Path, tracked: Tracked) -> tuple[str, ...]:
    """The files that are read and differ from HEAD: modified, added, deleted or untracked.

    Raises:
        StateError: git fails.
    """
    paths = [*tracked.scope.git_paths(), *tracked.targets, *tracked.submodules]
    found = {path for path in _changed(root, "", paths) if tracked.reads(path)}
    return tuple(sorted(found | _rewritten(root, tracked)))


class _Row(Struct, frozen=True):
    """A row of the index. Tag H is ordinary, S skip-worktree, a small letter assume-unchanged."""

    tag: str
    mode: str
    blob: str
    path: str


def _rows(root: Path, folder: str, scope: Scope, plain: set[str]) -> list[_Row]:
    """The rows that are not ordinary files, also those of submodules; `plain` gets the others."""
    found: list[_Row] = []
    for line in (_asked(root / folder, "ls-files", "-v", "--stage", "-z") or b"").split(b"\0")[:-1]:
        if line.startswith(_PLAIN):
            plain.add(folder + os.fsdecode(line[line.index(b"\t") + 1 :]))
            continue
        facts, _, name = line.partition(b"\t")
        tag, mode, blob, _ = facts.decode().split(" ")
        row = _Row(tag, mode, blob, folder + os.fsdecode(name))
        found.append(row)
        is_near = mode == _SUBMODULE and scope.reach(row.path) is not Reach.NONE
        if is_near and _is_checked_out(root, row.path):
            found += _rows(root, f"{row.path}/", scope, plain)
    return found


def _reason(root: Path, row: _Row) -> AbsentReason | None:
    """Why a file cannot be read; None if it can, or was deleted."""
    if row.tag in "Mm":
        return AbsentReason.UNMERGED
    if row.mode == _SUBMODULE and row.tag == "H":
        missing = (root / row.path).is_dir() and not _is_checked_out(root, row.path)
        return AbsentReason.SUBMODULE if missing else None
    if row.tag == "H" or os.path.lexists(root / row.path):
        return None
    return AbsentReason.SKIPPED if row.tag in "Ss" else AbsentReason.ASSUMED


def _is_checked_out(root: Path, submodule: str) -> bool:
    return os.path.lexists(root / submodule / ".git")


def _is_sparse(root: Path) -> bool:
    return (
        _asked(root, "config", "--type=bool", "--default=false", "--get", "core.sparseCheckout")
        == b"true\n"
    )


def _target(root: Path, link: str) -> str | None:
    """The target of a link, relative to the root; None if it is not below the root."""
    top, to = os.path.realpath(root), os.path.realpath(root / link)
    if not to.startswith(os.path.join(top, "")):
        return None
    return os.path.relpath(to, top).replace(os.sep, "/")


def _changed(root: Path, folder: str, paths: Sequence[str]) -> Iterator[str]:
    """The changed paths by git status, also inside submodules; relative to the root."""
    output = _asked(
        root / folder, "-c", "core.fileMode=false", "--literal-pathspecs", *_STATUS, "--", *paths
    )
    if not output:
        return
    here = os.fsencode(f"{prefix(root / folder)}/").lstrip(b"/")
    for line in output.split(b"\0")[:-1]:
        kind, _, rest = line.partition(b" ")
        words = rest.split(b" ", {b"1": 7, b"u": 9}.get(kind, 0))
        path = folder + os.fsdecode(words[-1].removeprefix(here))
        if kind == b"1" and words[1].startswith(b"S."):
            # The commit of the submodule is the expected one, but its files are not.
            yield from _changed(root, f"{path}/", ["."])
        elif path.endswith("/"):  # a repository that is not a submodule: git lists no files of it
            yield from (file.relative_to(root).as_posix() for file in (root / path).rglob("*.y*ml"))
        else:
            yield path


def _rewritten(root: Path, tracked: Tracked) -> set[str]:
    """The unwatched files that differ from the index."""
    names = [path for path in tracked.unwatched if "\n" not in path and (root / path).is_file()]
    if not names:
        return set()
    stdin = b"".join(os.fsencode(name) + b"\n" for name in names)
    blobs = (_asked(root, "hash-object", "--stdin-paths", stdin=stdin) or b"").decode().split()
    pairs = zip(names, blobs, strict=True)
    return {name for name, blob in pairs if tracked.unwatched[name] != blob}


def _asked(folder: Path, *words: str, stdin: bytes = b"") -> bytes | None:
    """The output of git; None without git, or without a repository.

    Raises:
        StateError: git fails for another reason.
    """
    try:
        return user_git(folder).run(*words, stdin=stdin)
    except (NoRepository, NoGit):
        return None
    except GitFailure as error:
        raise errors.unanswered(error.output, folder) from error


def absent_findings(absent: Mapping[str, AbsentReason]) -> Iterator[Diagnostic]:
    """One error for each reason."""
    for reason in AbsentReason:
        paths = sorted(path for path, found in absent.items() if found is reason)
        if paths:
            message = f"{first_few(paths)}: tracked by git, but not read: {reason.value}"
            yield Diagnostic(Severity.ERROR, CODE, message, remedy=_remedy(reason, paths))


def _remedy(reason: AbsentReason, paths: Sequence[str]) -> str:
    some = _as_words(paths)
    match reason:
        case AbsentReason.SPARSE:
            folders = _as_words(dict.fromkeys(posixpath.dirname(path) or path for path in paths))
            return f"run `git sparse-checkout add {folders}`, or `git sparse-checkout disable`"
        case AbsentReason.SKIPPED:
            return f"run `git update-index --no-skip-worktree {some} && git checkout -- {some}`"
        case AbsentReason.ASSUMED:
            return f"run `git update-index --no-assume-unchanged {some} && git checkout -- {some}`"
        case AbsentReason.SUBMODULE:
            return f"run `git submodule update --init {some}`"
        case AbsentReason.UNMERGED:
            return (
                f"resolve the conflict, and run `git add {some}`; `git status` shows how to go on"
            )


def _as_words(paths: Iterable[str]) -> str:
    """The first few paths, as words of a command."""
    return " ".join(shlex.quote(path) for path in list(paths)[:_SHOWN_PATHS])
