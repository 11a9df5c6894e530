"""What git knows of the files at hand: tracked and not here, or other than the commit has them. Git
is only read.
"""

from __future__ import annotations

import enum
import os
import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.git.errors import unanswered
from stemctl.git.process import GitFailure, NoGit, NoRepository, user_git
from stemctl.manifests.discovery import CONFIG, DEFAULTS
from stemctl.manifests.entry_paths import Reach, Scope, scope_of
from stemctl.util.plural import first_few

CODE = "not-checked-out"

_SHOWN_PATHS = 3
_LINK, _SUBMODULE = "120000", "160000"
_STATUS = (
    *("status", "--porcelain=v2", "-z", "--untracked-files=all"),
    *("--no-renames", "--ignore-submodules=none"),
)
_PLAIN = b"H 100"
"""How the row of a file begins of which there is nothing to say: almost all of them."""


class AbsentReason(enum.Enum):
    """Why a file that git tracks is not in the work tree, without anybody having deleted it."""

    SPARSE = "a sparse checkout leaves it out"
    SKIPPED = "it is marked skip-worktree, and missing"
    ASSUMED = "it is marked assume-unchanged, and missing"
    SUBMODULE = "it is a submodule that is not checked out"
    UNMERGED = "it is in conflict, and the merge is not finished"


@dataclass(frozen=True, slots=True)
class Tracked:
    """What the index says of the files that are read, where it is not that they are here as usual.

    `absent` are tracked and cannot be read. `unwatched`, path to blob, are here, but git does not
    look whether they changed. `targets` is what links lead to, and is read as well; `submodules`
    are those that files are read from.
    """

    scope: Scope
    absent: Mapping[str, AbsentReason] = field(default_factory=dict)
    unwatched: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()

    def reads(self, path: str) -> bool:
        """Whether a file is read, or a submodule is read from."""
        linked = any(path == target or path.startswith(f"{target}/") for target in self.targets)
        return (
            self.scope.reads(path)
            or path in self.submodules
            or (linked and path.endswith((".yaml", ".yml")))
        )


def inspect(root: Path, entries: Sequence[str]) -> Tracked:
    """What the index says of the manifests; one call of git, and one more for each submodule among
    them.

    Raises:
        StateError: git cannot tell.
    """
    scope = scope_of(entries, CONFIG, DEFAULTS)
    rows = _rows(root, "", scope)
    near = [
        row
        for row in rows
        if row.mode in (_LINK, _SUBMODULE) and scope.reach(row.path) is not Reach.NONE
    ]
    submodules = tuple(row.path for row in near if row.mode == _SUBMODULE)
    targets = tuple(filter(None, (_target(root, row.path) for row in near if row.mode == _LINK)))
    found = Tracked(scope, {}, {}, targets, submodules)
    absent: dict[str, AbsentReason] = {}
    unwatched: dict[str, str] = {}
    for row in [
        *near,
        *(row for row in rows if row.mode not in (_LINK, _SUBMODULE) and found.reads(row.path)),
    ]:
        why = _why(root, row)
        if why is not None:
            absent[row.path] = why
        elif row.tag != "H" and row.mode not in (_LINK, _SUBMODULE):
            unwatched[row.path] = row.blob
    if AbsentReason.SKIPPED in absent.values() and _is_sparse(root):
        absent = {
            path: AbsentReason.SPARSE if why is AbsentReason.SKIPPED else why
            for path, why in absent.items()
        }
    return replace(found, absent=absent, unwatched=unwatched)


def prefix(root: Path) -> str:
    """Where a folder is in its git repository; empty at the top, or where there is none."""
    told = _asked(root, "rev-parse", "--show-prefix") or b""
    return os.fsdecode(told).rstrip("\n").rstrip("/")


def uncommitted(root: Path, tracked: Tracked) -> tuple[str, ...]:
    """The files that are read, and are not what the commit of HEAD has: modified, added, deleted or
    untracked.

    Raises:
        StateError: git cannot tell.
    """
    paths = [*tracked.scope.heads(), *tracked.targets, *tracked.submodules]
    found = {path for path in _changed(root, "", paths) if tracked.reads(path)}
    return tuple(sorted(found | _rewritten(root, tracked)))


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the index: the tag is H for a usual one, S for skip-worktree, small letters for
    assume-unchanged.
    """

    tag: str
    mode: str
    blob: str
    path: str


def _rows(root: Path, folder: str, scope: Scope) -> list[_Row]:
    """The rows of which there may be something to say; also those of submodules that are read from."""
    found = []
    for line in (_asked(root / folder, "ls-files", "-v", "--stage", "-z") or b"").split(b"\0")[:-1]:
        if line.startswith(_PLAIN):
            continue
        facts, _, name = line.partition(b"\t")
        tag, mode, blob, _ = facts.decode().split(" ")
        row = _Row(tag, mode, blob, folder + os.fsdecode(name))
        found.append(row)
        if (
            mode == _SUBMODULE
            and scope.reach(row.path) is not Reach.NONE
            and _is_checked_out(root, row.path)
        ):
            found += _rows(root, f"{row.path}/", scope)
    return found


def _why(root: Path, row: _Row) -> AbsentReason | None:
    """Why a file is not here; None if it is, or was simply deleted."""
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
    """Where a link leads, relative to the root; None if not below it."""
    top, to = os.path.realpath(root), os.path.realpath(root / link)
    return (
        os.path.relpath(to, top).replace(os.sep, "/")
        if to.startswith(os.path.join(top, ""))
        else None
    )


def _changed(root: Path, folder: str, paths: Sequence[str]) -> Iterator[str]:
    """What git status tells of these paths, and of the insides of submodules; relative to the root."""
    told = _asked(
        root / folder, "-c", "core.fileMode=false", "--literal-pathspecs", *_STATUS, "--", *paths
    )
    if not told:
        return
    here = os.fsencode(f"{prefix(root / folder)}/").lstrip(b"/")
    for line in told.split(b"\0")[:-1]:
        kind, _, rest = line.partition(b" ")
        words = rest.split(b" ", {b"1": 7, b"u": 9}.get(kind, 0))
        path = folder + os.fsdecode(words[-1].removeprefix(here))
        if kind == b"1" and words[1].startswith(b"S."):
            yield from _changed(
                root, f"{path}/", ["."]
            )  # its commit is the one that is meant, its files are not
        elif path.endswith("/"):  # a repository that is no submodule: git says no more of it
            yield from (file.relative_to(root).as_posix() for file in (root / path).rglob("*.y*ml"))
        else:
            yield path


def _rewritten(root: Path, tracked: Tracked) -> set[str]:
    """The files that git was told not to look at, and that are not as it has them."""
    names = [path for path in tracked.unwatched if "\n" not in path and (root / path).is_file()]
    if not names:
        return set()
    given = b"".join(os.fsencode(name) + b"\n" for name in names)
    blobs = (_asked(root, "hash-object", "--stdin-paths", given=given) or b"").decode().split()
    return {
        name for name, blob in zip(names, blobs, strict=True) if tracked.unwatched[name] != blob
    }


def _asked(folder: Path, *words: str, given: bytes = b"") -> bytes | None:
    """What git answers; None where there is no git, or no repository.

    Raises:
        StateError: it cannot answer, which is not the same.
    """
    try:
        return user_git(folder).run(*words, given=given)
    except (NoRepository, NoGit):
        return None
    except GitFailure as error:
        raise unanswered(error.said, folder) from error


def absent_findings(absent: Mapping[str, AbsentReason]) -> Iterator[Diagnostic]:
    """One error for each reason."""
    for why in AbsentReason:
        paths = sorted(path for path, found in absent.items() if found is why)
        if paths:
            message = f"{first_few(paths)}: tracked by git, and not read: {why.value}"
            yield Diagnostic(Severity.ERROR, CODE, message, remedy=_remedy(why, paths))


def _remedy(why: AbsentReason, paths: Sequence[str]) -> str:
    some = _typed(paths)
    match why:
        case AbsentReason.SPARSE:
            folders = _typed(dict.fromkeys(posixpath.dirname(path) or path for path in paths))
            return f"git sparse-checkout add {folders}, or git sparse-checkout disable"
        case AbsentReason.SKIPPED:
            return f"git update-index --no-skip-worktree {some} && git checkout -- {some}"
        case AbsentReason.ASSUMED:
            return f"git update-index --no-assume-unchanged {some} && git checkout -- {some}"
        case AbsentReason.SUBMODULE:
            return f"git submodule update --init {some}"
        case AbsentReason.UNMERGED:
            return f"resolve it, git add {some}, and finish: git status says how"


def _typed(paths: Iterable[str]) -> str:
    """The first of them as words of a command; the same command helps the next ones."""
    return " ".join(shlex.quote(path) for path in list(paths)[:_SHOWN_PATHS])
