"""The entries of `moved` as they are written, for commands that rename and remove records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from stemctl.core.address_patterns import is_pattern, literal
from stemctl.core.records import Address, Directive, Location
from stemctl.manifests.draft import Draft
from stemctl.manifests.moved_patterns import Move, expand, pattern
from stemctl.manifests.sources import Sources
from stemctl.schema.catalog import Catalog

MOVED = "moved"


class WrittenMove(Struct, frozen=True):
    """One entry: its file, its number there, and what it means."""

    file: str
    position: int
    old: Address
    new: Address
    move: Move


def written_moves(files: Sources) -> list[WrittenMove]:
    """All entries, in the order of the files."""
    repository = files.repository
    # A file may have a pattern that fits only records which others have moved on: so all of them.
    return [found for file in repository.files for found in _in_file(files, file)]


def _in_file(files: Sources, file: str) -> Iterator[WrittenMove]:
    entries = files.file(file).values.get(MOVED)
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        old = _address(str(entry["from"]), files.catalog)
        new = _address(str(entry["to"]), files.catalog)
        yield WrittenMove(file, position, old, new, move_of(old, new, Location(file, position, 0)))


def move_of(old: Address, new: Address, location: Location) -> Move:
    """What an entry means, in the spelling of files."""
    if is_pattern(str(old)) and (found := pattern(old, new, location)):
        return found
    return Directive(literal(str(old)), location, Address(new.model, literal(new.key)))


def take_stale(
    draft: Draft, moves: Iterable[WrittenMove], more: Iterable[Move], declared: Collection[Address]
) -> None:
    """Take out the entries that lead to no declared record any more, with `more` new ones."""
    written = list(moves)
    found = expand([*(one.move for one in written), *more], declared, complete=True)
    stale = {problem.location for problem in found.problems}
    stale |= {entry.location for entry in found.entries if entry.to not in declared}
    for one in written:
        if one.move.location in stale:
            draft.take_directive(MOVED, one.file, one.position)


def _address(text: str, catalog: Catalog) -> Address:
    address = Address.parse(text)
    model = catalog.find(address.model)
    return Address(model.name, address.key) if model else address
