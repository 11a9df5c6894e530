"""Loads manifests: finds, reads and validates the files, and checks them against each other."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, in_order
from stemctl.core.records import Address, Directive, Record, Repository
from stemctl.manifests import (
    cross_file,
    discovery,
    duplicates,
    file_names,
    moved_patterns,
    second_core,
    suspicions,
)
from stemctl.manifests.document import Document
from stemctl.manifests.file_contents import FileContents
from stemctl.manifests.file_loader import FileLoader, read_file
from stemctl.manifests.schema_errors import validator_of
from stemctl.schema.catalog import Catalog
from stemctl.util import gc_pause
from stemctl.util.steps import Steps, at_once, each
from stemctl.util.timestamps import utc_now

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_AS_ON_DISK: Mapping[str, bytes] = {}
_UNREAD: Mapping[str, Document] = {}

MANY_FILES, MANY_BYTES = 2_000, 500_000
"""From here on, loading takes a third of a second, and a second core is of use."""

_PARTS = 100
"""So many that both cores end at about the same time, and that a step takes some milliseconds."""


def loading_repository(
    root: FilePath,
    entries: Sequence[str],
    catalog: Catalog,
    ignore_gitignore: bool = False,
    time_zone: ZoneInfo | None = None,
    today: datetime.date | None = None,
    texts: Mapping[str, bytes] = _AS_ON_DISK,
    kept: dict[str, bytes] | None = None,
    documents: Mapping[str, Document] = _UNREAD,
    tracked: Set[str] = frozenset(),
) -> Steps[tuple[Repository, tuple[Diagnostic, ...]]]:
    """Everything that the manifests below `root` declare, and what is wrong with them.

    The repository has only usable records. The content of a file never raises an exception. With
    `ignore_gitignore`, git-ignored files are read as well. Times without an offset are read in
    `time_zone`; if it is None, they are errors. Dates far from `today` are warnings. `texts` are
    files that are to have another content than on the disk, or are to be there. `kept` gets what
    the files have on the disk. `documents` are those of `texts` that were read already.
    `tracked` files are known to git, which does not ignore them.
    """
    found = discovery.find_manifests(root, entries, ignore_gitignore, tracked).with_files(texts)
    validator = validator_of(catalog, local_times=time_zone is not None)
    latest = suspicions.latest_plausible(today or utc_now().date())
    loader = FileLoader(
        root, catalog, validator, time_zone, latest, texts, documents, kept is not None
    )
    with gc_pause.paused():
        contents = loader.defaults(found.defaults)
        for part in (yield from _loaded(loader, found.manifests)):
            contents.add(part)
    if kept is not None:
        kept.update(contents.kept)
    declared = [record for record, _ in contents.records]
    problems = [*contents.problems, *found.problems]
    complete = contents.complete and all(p.code != file_names.CODE for p in found.problems)
    problems += duplicates.check_unique(declared, catalog)
    directives = _checked_directives(contents, declared, complete, problems)
    usable: dict[Address, Record] = {}
    for record, is_usable in contents.records:
        if is_usable:
            usable.setdefault(record.address, record)
    repository = Repository(usable, files=found.manifests, seen=contents.seen, **directives)
    return repository, with_lines(root, in_order(problems), texts)


load_repository = at_once(loading_repository)


def _loaded(loader: FileLoader, files: Sequence[str]) -> Steps[Sequence[FileContents]]:
    """What the files say, in their order. Many files are loaded in steps, by two cores if they are
    there.
    """
    if not _are_many(loader.root, files):
        return [loader.manifests(files)]
    length = -(-len(files) // _PARTS)
    parts = [files[start : start + length] for start in range(0, len(files), length)]
    if second_core.is_there():
        return (yield from second_core.shared(loader.manifests, parts))
    return (yield from each(loader.manifests, parts))


def _are_many(root: FilePath, files: Sequence[str]) -> bool:
    if len(files) >= MANY_FILES:
        return True
    return len(files) > 1 and sum(_sizes(root, files)) >= MANY_BYTES


def _sizes(root: FilePath, files: Iterable[str]) -> Iterator[int]:
    for file in files:
        try:
            yield os.stat(os.path.join(root, file)).st_size
        except (OSError, ValueError):
            yield 0  # reading it will tell what is wrong


def _checked_directives(
    contents: FileContents, declared: Sequence[Record], complete: bool, problems: list[Diagnostic]
) -> dict[str, tuple[Directive, ...]]:
    """All directives. Each record that a pattern of `moved` means gets its entry."""
    single = [move for move in contents.moves if isinstance(move, Directive)]
    addresses = [record.address for record in declared]
    found = moved_patterns.expand(contents.moves, addresses, complete)
    directives = {**contents.directives, "moved": found.entries}
    problems += found.problems
    problems += cross_file.check_directives(declared, directives, complete, single)
    return {name: tuple(written) for name, written in directives.items()}


def with_lines(
    root: FilePath,
    diagnostics: Iterable[Diagnostic],
    texts: Mapping[str, bytes] = _AS_ON_DISK,
) -> tuple[Diagnostic, ...]:
    """Diagnostics with the line of each, read from its file where it is not known yet."""
    documents: dict[str, Document] = {}

    def completed(finding: Diagnostic) -> Diagnostic:
        if finding.location is None or finding.line:
            return finding
        file, number, column = finding.location
        if file not in documents:
            documents[file] = read_file(root, file, texts)
        line = documents[file].line(number)
        length = finding.length
        if length > 1 and line[column - 1 : column] in ("'", '"'):
            length += 2
        return replace(finding, line=line, length=max(1, length))

    return tuple(completed(finding) for finding in diagnostics)
