"""Which paths the manifests entries of stemctl.yaml mean, told from names: files may be gone."""

from __future__ import annotations

import enum
import fnmatch
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WILD = frozenset("*?[")


class Reach(enum.Enum):
    """How a path lies to an entry: nothing of it, a folder that leads there, or at or below it."""

    NONE = 0
    ABOVE = 1
    INSIDE = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """The files that are read: YAML at or below `entries`, the defaults above them, and
    stemctl.yaml (`config`).
    """

    entries: tuple[tuple[str, ...], ...]
    config: str
    defaults: str

    def reads(self, path: str) -> bool:
        """Whether a file of this path is read."""
        if path == self.config:
            return True
        if not path.endswith((".yaml", ".yml")) or any(
            part.startswith(".") for part in path.split("/")
        ):
            return False
        folder, name = posixpath.split(path)
        return self.reach(path) is Reach.INSIDE or (
            name == self.defaults and self.reach(folder) is not Reach.NONE
        )

    def reach(self, path: str) -> Reach:
        """How a path lies to the entry that is nearest to it."""
        parts = tuple(path.split("/")) if path else ()
        return max(
            (_reach(entry, parts) for entry in self.entries),
            key=lambda reach: reach.value,
            default=Reach.NONE,
        )

    def heads(self) -> Iterator[str]:
        """Paths that hold all that is read: entries up to their first pattern, and the single files
        above them.
        """
        yield self.config
        for entry in self.entries:
            plain = next(
                (number for number, part in enumerate(entry) if _WILD & set(part)), len(entry)
            )
            yield "/".join(entry[:plain]) or "."
            yield from ("/".join([*entry[:number], self.defaults]) for number in range(plain))


def scope_of(entries: Sequence[str], config: str, defaults: str) -> Scope:
    """The scope of manifests entries; those that lead out of the repository mean nothing in it."""
    parts = (
        tuple(part for part in entry.split("/") if part not in ("", "."))
        for entry in entries
        if entry[:1] != "/"
    )
    return Scope(tuple(entry for entry in parts if ".." not in entry), config, defaults)


def _reach(entry: tuple[str, ...], path: tuple[str, ...]) -> Reach:
    """One pass over the path, with all places of the entry that it may have come to."""
    at = _skipping({0}, entry)
    for part in path:
        if len(entry) in at:
            return Reach.INSIDE
        at = _skipping({after for location in at for after in _step(entry, location, part)}, entry)
    return Reach.INSIDE if len(entry) in at else Reach.ABOVE if at else Reach.NONE


def _step(entry: tuple[str, ...], location: int, part: str) -> Iterator[int]:
    if entry[location] == "**":
        yield location
    elif (
        fnmatch.fnmatchcase(part, entry[location])
        if _WILD & set(entry[location])
        else part == entry[location]
    ):
        yield location + 1


def _skipping(locations: set[int], entry: tuple[str, ...]) -> set[int]:
    """These places of an entry, and those behind a `**`, which may mean no folder at all."""
    found = set(locations)
    for location in sorted(locations):
        while location < len(entry) and entry[location] == "**":
            location += 1
            found.add(location)
    return found
