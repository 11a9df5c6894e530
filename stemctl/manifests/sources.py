"""Where the records of a repository are written, for commands that edit files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from stemctl.core.records import Address, Repository
from stemctl.manifests import discovery, reader
from stemctl.manifests.document import Document, Node
from stemctl.manifests.file_names import DEFAULTS
from stemctl.manifests.record_keys import record_key
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Path, Value

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class RecordPlace(NamedTuple):
    """The file of a record, and the way to it through the values of the file."""

    file: str
    path: Path


class DefaultPlace(NamedTuple):
    """The defaults of a list of records: their file, and the way to them."""

    file: str
    path: Path
    values: Fields


class SourceFile(Struct, weakref=True):
    """One file as it was read."""

    file: str
    data: bytes
    document: Document
    records: Mapping[Address, Path]

    @property
    def values(self) -> dict[str, Value]:
        """What the file says."""
        value = self.document.root.value if self.document.root else None
        return value if isinstance(value, dict) else {}


class Sources(Struct, dict=True):
    """The manifests of a repository, valid, with the texts of those that are looked at."""

    root: FilePath
    entries: Sequence[str]
    catalog: Catalog
    repository: Repository
    time_zone: ZoneInfo | None = None
    read: Mapping[str, bytes] = field(default_factory=dict)
    """The files of the repository as they were when it was read: an editor may save meanwhile."""
    _files: dict[str, SourceFile] = field(default_factory=dict)

    def file(self, file: str) -> SourceFile:
        """A file with its text; an empty one if it is not there.

        Raises:
            OSError: it cannot be read.
        """
        if file not in self._files:
            data = self.read.get(file)
            if data is None:
                path = self.root / file
                data = path.read_bytes() if path.exists() else b""
            document = reader.parse(data, file)
            records = {address: path for address, path, _ in _records_of(document, self.catalog)}
            self._files[file] = SourceFile(file, data, document, records)
        return self._files[file]

    def data(self, file: str) -> bytes:
        """The content of a file."""
        return self.file(file).data

    def place(self, address: Address) -> RecordPlace:
        """Where a declared record is written.

        Raises:
            KeyError: no file declares it any more.
        """
        file = self.repository.records[address].location.file
        return RecordPlace(file, self.file(file).records[address])

    def written(self, address: Address) -> Fields:
        """The mapping of a record as it stands in its file, without defaults."""
        file, path = self.place(address)
        node = self.file(file).document.root
        assert node is not None  # the record was read from it
        value: Fields = node.at(path).value
        return value

    def defaults(self, address: Address) -> tuple[DefaultPlace, ...]:
        """The defaults that a record may take values from, the nearest first."""
        model = self.catalog.models[address.model]
        if model.embedded:
            return ()
        file = self.place(address).file
        places = [file, *self.folder_defaults(file)]
        found = (self._defaults_in(place, model.section) for place in places)
        return tuple(one for one in found if one is not None)

    def beside(self, place: DefaultPlace) -> Iterator[Address]:
        """The records that may take values from these defaults."""
        for address, record in self.repository.records.items():
            model = self.catalog.models[address.model]
            if model.embedded or model.section != place.path[-1]:
                continue
            file = record.location.file
            if file == place.file or place.file in self.folder_defaults(file):
                yield address

    def folder_defaults(self, file: str) -> tuple[str, ...]:
        """The file of the folder defaults that a file uses: those of the nearest folder."""
        for folder in discovery.folders_above(os.path.dirname(file)):
            if found := self._folders.get(folder):
                return (found,)
        return ()

    @cached_property
    def _folders(self) -> Mapping[str, str]:
        """The file of folder defaults in each folder that has one."""
        found = discovery.find_manifests(self.root, self.entries, ignore_gitignore=False)
        return {os.path.dirname(path): path for path in found.defaults if _is_defaults(path)}

    def _defaults_in(self, file: str, section: str) -> DefaultPlace | None:
        defaults = self.file(file).values.get("defaults")
        values = defaults.get(section) if isinstance(defaults, dict) else None
        if not isinstance(values, dict):
            return None
        return DefaultPlace(file, ("defaults", section), values)


def _is_defaults(path: str) -> bool:
    return os.path.basename(path) == DEFAULTS


def _records_of(document: Document, catalog: Catalog) -> Iterator[tuple[Address, Path, Node]]:
    """The records of a file with their addresses; of two with one address, the first."""
    root = document.root
    seen: set[Address] = set()
    for key, section in root.members.items() if root else ():
        model = catalog.by_list_key(key)
        if model is None:
            continue
        for found in _in_list(section, model, catalog, (key,), None):
            if found[0] not in seen:
                seen.add(found[0])
                yield found


def _in_list(
    section: Node, model: Model, catalog: Catalog, path: Path, parent: str | None
) -> Iterator[tuple[Address, Path, Node]]:
    for position, node in enumerate(section.items):
        key = record_key(node.value, model, parent)
        if key is None:
            continue
        yield Address(model.name, key), (*path, position), node
        for child in catalog.children(model):
            inner = node.members.get(child.section)
            if inner is not None:
                where = (*path, position, child.section)
                yield from _in_list(inner, child, catalog, where, key)
