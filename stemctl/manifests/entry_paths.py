"""Which paths the entries of `manifests:` match, by name alone: the files may be deleted."""

from __future__ import annotations

import enum
import fnmatch
import posixpath
from collections.abc import Iterator, Sequence

from msgspec import Struct

from stemctl.manifests.file_names import SUFFIXES

_WILD = frozenset("*?[")


class Reach(enum.Enum):
    """A path relative to an entry: unrelated, a folder above it, or the entry or below it."""

    NONE = 0
    ABOVE = 1
    INSIDE = 2


class Scope(Struct, frozen=True):
    """The files that are read: YAML at or below `entries`, the defaults above, and `config`."""

    entries: tuple[tuple[str, ...], ...]
    config: str
    defaults: str

    def reads(self, path: str) -> bool:
        """Whether the file at this path is read."""
        if path == self.config:
            return True
        is_hidden = any(part.startswith(".") for part in path.split("/"))
        if is_hidden or not path.endswith(SUFFIXES):
            return False
        if self.reach(path) is Reach.INSIDE:
            return True
        folder, name = posixpath.split(path)
        return name == self.defaults and self.reach(folder) is not Reach.NONE

    def reach(self, path: str) -> Reach:
        """The closest relation of a path to one of the entries."""
        parts = tuple(path.split("/")) if path else ()
        return max(
            (_reach(entry, parts) for entry in self.entries),
            key=lambda reach: reach.value,
            default=Reach.NONE,
        )

    def git_paths(self) -> Iterator[str]:
        """Paths that cover all files that are read.

        These are the entries up to their first pattern, and the defaults in the folders above.
        """
        yield self.config
        for entry in self.entries:
            patterns = (number for number, part in enumerate(entry) if _WILD & set(part))
            plain = next(patterns, len(entry))
            yield "/".join(entry[:plain]) or "."
            yield from ("/".join([*entry[:number], self.defaults]) for number in range(plain))


def scope_of(entries: Sequence[str], config: str, defaults: str) -> Scope:
    """The scope of `manifests:` entries. Entries that lead out of the repository are skipped."""
    parts = (
        tuple(part for part in entry.split("/") if part not in ("", "."))
        for entry in entries
        if entry[:1] != "/"
    )
    return Scope(tuple(entry for entry in parts if ".." not in entry), config, defaults)


def _reach(entry: tuple[str, ...], path: tuple[str, ...]) -> Reach:
    """Follow the path, with all positions in the entry that it may have reached."""
    at = _skipping({0}, entry)
    for part in path:
        if len(entry) in at:
            return Reach.INSIDE
        at = _skipping({after for position in at for after in _step(entry, position, part)}, entry)
    if len(entry) in at:
        return Reach.INSIDE
    return Reach.ABOVE if at else Reach.NONE


def _step(entry: tuple[str, ...], position: int, part: str) -> Iterator[int]:
    if entry[position] == "**":
        yield position
    elif _matches(entry[position], part):
        yield position + 1


def _matches(pattern: str, part: str) -> bool:
    if _WILD & set(pattern):
        return fnmatch.fnmatchcase(part, pattern)
    return part == pattern


def _skipping(positions: set[int], entry: tuple[str, ...]) -> set[int]:
    """The positions, and those that follow if a `**` matches no folder."""
    found = set(positions)
    for position in sorted(positions):
        while position < len(entry) and entry[position] == "**":
            position += 1
            found.add(position)
    return found
