"""The YAML files that a pattern of `manifests:` matches, found in one walk over the tree.

`Path.glob` visits a folder once for each way in which the pattern leads there. With several `**`,
these are too many. Here, each folder is visited once, with all parts of the pattern that may match
below it.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

from stemctl.manifests.file_names import SUFFIXES, corrected

_MAX_PARTS = 100
_MAX_LINKS = 1000
"""Links to folders that one pattern follows. Links may lead in circles."""

_Parts = list[Callable[[str], bool] | None]
"""Tests of a name, one for each part; None for `**`, which matches any number of folders."""

_States = frozenset[int]
"""Numbers of the parts that may come next; `len(parts)` says that all of them have matched."""


class InvalidPattern(ValueError):
    """A pattern that cannot be used. The message says what to write instead."""


class _Visit(Struct, frozen=True):
    """A folder, relative to the root. `whole`: everything in it matches."""

    folder: str
    states: _States
    whole: bool


def is_pattern(entry: str) -> bool:
    """Whether an entry is a pattern, and not the name of a file or folder."""
    return any(character in entry for character in "*?[")


def inside(root: Path, path: str) -> bool:
    """Whether a path, with its links followed, is below the root."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def matches(pattern: PurePosixPath, file: PurePosixPath) -> bool:
    """Whether a pattern matches a file, or a folder that it is in, whether or not it is there."""
    try:
        parts = _compiled(pattern)
    except InvalidPattern:
        return False
    states = _closed(parts, {0})
    for name in file.parts:
        if len(parts) in states:
            return True
        matched = {at + 1 for at in states if at < len(parts) and _matches(parts[at], name)}
        states = _closed(
            parts, matched | {at for at in states if at < len(parts) and not parts[at]}
        )
    return len(parts) in states


def files_matching(root: Path, pattern: PurePosixPath) -> Iterator[str]:
    """The YAML files that a pattern matches, and those in folders that it matches.

    The paths are relative to the root. Hidden files are skipped, and links that lead out of the
    root are not followed. A file that should be called otherwise is found by its right name.

    Raises:
        InvalidPattern: the pattern is malformed, or follows too many links.
    """
    parts, links = _compiled(pattern), 0
    visits = [_Visit("", _closed(parts, {0}), False)]
    while visits:
        visit = visits.pop()
        whole = visit.whole or len(parts) in visit.states
        for entry in _entries(root, visit.folder):
            path = f"{visit.folder}/{entry.name}" if visit.folder else entry.name
            name = corrected(entry.name) or entry.name
            matched = {
                at + 1 for at in visit.states if at < len(parts) and _matches(parts[at], name)
            }
            if not _leads_to(entry.is_dir):
                named = whole or (len(parts) in matched and _leads_to(entry.is_file))
                if named and name.endswith(SUFFIXES) and _stays_inside(root, entry):
                    yield path
            elif not entry.is_symlink():
                goes_on = _closed(
                    parts,
                    matched | {at for at in visit.states if at < len(parts) and not parts[at]},
                )
                if goes_on or whole:
                    visits.append(_Visit(path, goes_on, whole))
            elif matched and inside(root, entry.path):
                links += 1
                if links > _MAX_LINKS:
                    raise InvalidPattern(
                        "name the folders themselves: the pattern follows too many links"
                    )
                visits.append(_Visit(path, _closed(parts, matched), False))


def covers(entry: str, path: str) -> bool:
    """Whether a file with this path, relative to the root, would be found by an entry of
    `manifests:`. The path is one that is not hidden, and that ends like a manifest.
    """
    pattern, names = PurePosixPath(entry.replace(os.sep, "/")), path.split("/")
    if not is_pattern(entry):
        return tuple(names[: len(pattern.parts)]) == pattern.parts
    try:
        parts = _compiled(pattern)
    except InvalidPattern:
        return False
    states = _closed(parts, {0})
    for name in names:
        stays = {at for at in states if at < len(parts) and not parts[at]}
        matched = {at + 1 for at in states if at < len(parts) and _matches(parts[at], name)}
        states = _closed(parts, stays | matched)
        if len(parts) in states:
            return True
    return False


def _compiled(pattern: PurePosixPath) -> _Parts:
    if len(pattern.parts) > _MAX_PARTS:
        raise InvalidPattern(f"write a pattern of at most {_MAX_PARTS} parts")
    return [_part(part) for part in pattern.parts]


def _part(part: str) -> Callable[[str], bool] | None:
    if part == "**":
        return None
    if "**" in part:
        raise InvalidPattern("write ** as a part of its own, as in records/**/*.yaml")
    if not is_pattern(part):
        return part.__eq__
    flags = re.IGNORECASE if os.name == "nt" else 0
    expression = re.compile(fnmatch.translate(part), flags)  # which cannot backtrack for long
    return lambda name: expression.match(name) is not None


def _matches(part: Callable[[str], bool] | None, name: str) -> bool:
    return part is not None and part(name)


def _closed(parts: _Parts, states: set[int]) -> _States:
    """The states, and those that follow if `**` matches no folder."""
    found = set(states)
    for at in sorted(states):
        while at < len(parts) and parts[at] is None:
            at += 1
            found.add(at)
    return frozenset(found)


def _entries(root: Path, folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(root / folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError:  # it cannot be read, or was deleted meanwhile
        return []


def _leads_to(what: Callable[[], bool]) -> bool:
    """Whether an entry, or the target of a link, is of a kind. A broken link is of none."""
    try:
        return what()
    except OSError:
        return False


def _stays_inside(root: Path, entry: os.DirEntry[str]) -> bool:
    return not entry.is_symlink() or inside(root, entry.path)
