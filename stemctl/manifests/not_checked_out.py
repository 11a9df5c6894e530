"""Findings about files that git tracks and that are not here: what is not read must not look
deleted. Pure.
"""

from __future__ import annotations

import enum
import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stemctl.core.diagnostics import Diagnostic, Severity

CODE = "not-checked-out"

_SHOWN = 3


class Why(enum.Enum):
    """Why a file that git tracks is not in the work tree, without anybody having deleted it."""

    SPARSE = "a sparse checkout leaves it out"
    SKIPPED = "it is marked skip-worktree, and missing"
    ASSUMED = "it is marked assume-unchanged, and missing"
    SUBMODULE = "it is a submodule that is not checked out"
    UNMERGED = "it is in conflict, and the merge is not finished"


def absent_findings(absent: Mapping[str, Why]) -> Iterator[Diagnostic]:
    """One error for each reason."""
    for why in Why:
        paths = sorted(path for path, found in absent.items() if found is why)
        if paths:
            message = f"{few(paths)}: tracked by git, and not read: {why.value}"
            yield Diagnostic(Severity.ERROR, CODE, message, remedy=_remedy(why, paths))


def few(names: Sequence[str]) -> str:
    """The first names, and how many there are beside them."""
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")


def _remedy(why: Why, paths: Sequence[str]) -> str:
    some = _typed(paths)
    match why:
        case Why.SPARSE:
            folders = _typed(dict.fromkeys(posixpath.dirname(path) or path for path in paths))
            return f"git sparse-checkout add {folders}, or git sparse-checkout disable"
        case Why.SKIPPED:
            return f"git update-index --no-skip-worktree {some} && git checkout -- {some}"
        case Why.ASSUMED:
            return f"git update-index --no-assume-unchanged {some} && git checkout -- {some}"
        case Why.SUBMODULE:
            return f"git submodule update --init {some}"
        case Why.UNMERGED:
            return f"resolve it, git add {some}, and finish: git status says how"


def _typed(paths: Iterable[str]) -> str:
    """The first of them as words of a command; the same command helps the next ones."""
    return " ".join(shlex.quote(path) for path in list(paths)[:_SHOWN])
