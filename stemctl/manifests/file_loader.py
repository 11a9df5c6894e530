"""Loads one file after the other: what it declares, its defaults, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.address_patterns import is_pattern, literal
from stemctl.core.diagnostics import Severity
from stemctl.core.records import Address, Directive, Record
from stemctl.manifests import (
    discovery,
    local_times,
    moved_patterns,
    reader,
    suspicions,
    typed_details,
    validation,
)
from stemctl.manifests.declared_record import declared_record, in_file, written_layer
from stemctl.manifests.document import Document, Node
from stemctl.manifests.file_contents import FileContents
from stemctl.manifests.layers import Layer
from stemctl.manifests.record_keys import record_key
from stemctl.manifests.schema_errors import ManifestValidator
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Path

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Layers = Mapping[str, Layer]
"""Defaults by list key."""


def read_file(
    root: FilePath, file: str, texts: Mapping[str, bytes], kept: dict[str, bytes] | None = None
) -> Document:
    """A file as `texts` have it, or as it is on the disk: `kept` gets its content there."""
    if file in texts:
        return reader.parse(texts[file], file)
    return reader.read(os.path.join(root, file), file, kept)


class FileLoader(Struct):
    """Reads files one by one. Only their contents are kept, and the defaults of folders."""

    root: FilePath
    catalog: Catalog
    validator: ManifestValidator
    time_zone: ZoneInfo | None = None
    latest: str = ""
    """The last day that a record may plausibly have."""
    texts: Mapping[str, bytes] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    keeps_bytes: bool = False
    folders: dict[str, Layers] = field(default_factory=dict)
    nearest: dict[str, Layers] = field(default_factory=dict)
    """The defaults that apply in a folder, once these are all read."""
    found: FileContents = field(default_factory=FileContents)
    """The contents of the files that are being read."""

    def defaults(self, files: Iterable[str]) -> FileContents:
        """Read folder defaults, for all manifests that follow."""
        self.found = FileContents()
        for file in files:
            self._read_defaults(file)
        return self.found

    def manifests(self, files: Iterable[str]) -> FileContents:
        """Read manifests."""
        self.found = FileContents()
        for file in files:
            self._read_manifest(file)
        return self.found

    def _read_defaults(self, file: str) -> None:
        """Folder defaults."""
        document, broken = self._validated(file)
        if document is None:
            return
        self.found.problems += validation.only_defaults(document)
        self.folders[os.path.dirname(file)] = {
            key: in_file(self._checked_defaults(document, key, layer, {}), file)
            for key, layer in self._layers(document, broken).items()
        }

    def _read_manifest(self, file: str) -> None:
        """Records and directives of one file."""
        document, broken = self._validated(file)
        if document is None or document.root is None:
            return
        layers = self._layers_for(document, broken)
        for key, section in document.root.members.items():
            model = self.catalog.by_list_key(key)
            if model:
                self._read_records(document, section, _List((key,), model, layers, broken))
            elif key in self.found.directives:
                for position, node in enumerate(section.items):
                    if (key, position) not in broken:
                        self._read_directive(document, key, node)

    def _read_records(self, document: Document, section: Node, where: _List) -> None:
        """The records of one list, each followed by those inside it."""
        file, model, parent, below = document.file, where.model, where.parent, where.defaults
        children = self.catalog.children(model)
        self.found.seen[file] = self.found.seen.get(file, 0) + len(section.items)
        for position, node in enumerate(section.items):
            path = (*where.path, position)
            key = record_key(node.value, model, parent.address.key if parent else None)
            if key is None:
                self.found.complete = False
                continue
            address = Address(model.name, key)
            layer = written_layer(node, model)
            if below is not _NO_LAYER:
                layer = layer.over(below, model.fields)
            for name in layer.idle:
                self.found.problems.append(
                    validation.idle_field(document, node, name, str(address))
                )
            is_usable = where.is_usable and not below.broken and path not in where.broken
            if parent:
                layer = layer.inside(model.parent or "", parent.address.key, node.value)
                wrong = validation.other_parent(document, node, address, parent, self.catalog)
                if wrong and is_usable:
                    self.found.problems.append(wrong)
                    is_usable = False
            if model.detailed:
                layer, is_sound = self._with_details(document, node, path, layer, where)
                is_usable &= is_sound
            record = declared_record(address, node, layer, file, parent)
            self.found.records.append((record, is_usable))
            for child in children:
                inner = node.members.get(child.section)
                if inner is not None:
                    inside = where.inside(path, child, record, is_usable)
                    self._read_records(document, inner, inside)

    def _with_details(
        self, document: Document, node: Node, path: Path, layer: Layer, where: _List
    ) -> tuple[Layer, bool]:
        """A record with its details as the server has them, and whether they can be used."""
        model, parent = where.model, where.parent
        is_sound = path not in where.broken
        if is_sound:
            found = list(
                typed_details.check(
                    document,
                    node,
                    path,
                    layer=layer,
                    model=model,
                    catalog=self.catalog,
                    parent=parent,
                )
            )
            self.found.problems += found
            is_sound = not found
        stored = typed_details.stored(layer, model, parent)
        return replace(layer, fields={**layer.fields, **stored}) if stored else layer, is_sound

    def _validated(self, file: str) -> tuple[Document | None, set[Path]]:
        """A document, and the paths in it that cannot be used."""
        kept = self.found.kept if self.keeps_bytes else None
        document = self.documents.get(file) or read_file(self.root, file, self.texts, kept)
        read = list(validation.located(document, self.catalog))
        if document.root is None:
            self.found.problems += read
            self.found.complete = False
            return None, set()
        findings, broken = validation.check_document(document, self.validator, self.catalog)
        wrong = {finding.location for finding in findings}
        # What is wrong here anyway is fixed in another way than a doubt.
        self.found.problems += (
            p for p in read if p.severity is Severity.ERROR or p.location not in wrong
        )
        if self.time_zone is not None:
            for path, problem in local_times.add_offsets(document, self.catalog, self.time_zone):
                broken.add(path)
                findings.append(problem)
        self.found.problems += findings
        self.found.problems += [
            warning
            for warning in suspicions.in_document(document, self.catalog, self.latest)
            if all(warning.location != problem.location for problem in findings)
        ]
        return document, broken

    def _layers_for(self, document: Document, broken: set[Path]) -> Layers:
        """The defaults of a file: its own over those of the nearest folder."""
        below = self._folder_defaults(document.file.rpartition("/")[0])
        if document.root is None or "defaults" not in document.root.members:
            return below
        own = self._layers(document, broken)
        own = {key: self._checked_defaults(document, key, own[key], below) for key in own}
        models = {key: self.catalog.by_list_key(key) for key in own}
        joined = {
            key: own[key].over(below[key], model.fields)
            for key, model in models.items()
            if model and key in below
        }
        for key, layer in joined.items():
            written = document.root.members["defaults"].members[key]
            for name in layer.idle:
                self.found.problems.append(validation.idle_field(document, written, name, None))
        return {**below, **own, **joined}

    def _folder_defaults(self, folder: str) -> Layers:
        """The defaults of the nearest folder that has some."""
        found = self.nearest.get(folder)
        if found is None:
            above = discovery.folders_above(folder)
            nearest = (self.folders[one] for one in above if one in self.folders)
            found = self.nearest[folder] = next(nearest, {})
        return found

    def _checked_defaults(self, document: Document, key: str, own: Layer, below: Layers) -> Layer:
        """The defaults of one list, marked as broken if their details do not fit their type."""
        model = self.catalog.by_list_key(key)
        if model is None or not model.detailed or own.broken or document.root is None:
            return own
        node = document.root.members["defaults"].members[key]
        whole = own.over(below[key], model.fields) if key in below else own
        found = list(typed_details.without_type(document, node, whole, model))
        path = ("defaults", key)
        found += typed_details.check(
            document, node, path, layer=whole, model=model, catalog=self.catalog
        )
        self.found.problems += found
        return replace(own, broken=bool(found))

    def _layers(self, document: Document, broken: set[Path]) -> dict[str, Layer]:
        """The defaults that a file has, by list key."""
        root = document.root
        section = root.members.get("defaults") if root else None
        if section is None:
            return {}
        layers = {}
        for key, node in section.members.items():
            model = self.catalog.by_list_key(key)
            if model and node.is_mapping:
                layers[key] = written_layer(node, model, ("defaults", key) in broken)
        return layers

    def _read_directive(self, document: Document, key: str, node: Node) -> None:
        """An entry of `moved`, `forget` or `deleted`. `deleted` takes no patterns."""
        if node.is_mapping:
            self._read_move(document, node)
            return
        text = str(self._address(node.value))
        if key == "deleted" and is_pattern(text):
            self.found.problems.append(validation.no_pattern(document, node))
            return
        location = document.location(node.event)
        text = text if key == "forget" else literal(text)
        self.found.directives[key].append(Directive(text, location))

    def _read_move(self, document: Document, node: Node) -> None:
        """An entry of `moved`, for one record or with a `*` on each side."""
        subject = node.members["from"]
        old, new = self._address(subject.value), self._address(node.value["to"])
        location = document.location(subject.event)
        if not is_pattern(str(old)):
            target = Address(new.model, literal(new.key))
            self.found.moves.append(Directive(literal(str(old)), location, target))
        elif move := moved_patterns.pattern(old, new, location):
            self.found.moves.append(move)
        else:
            self.found.problems.append(validation.bad_pattern(document, subject, old, new))

    def _address(self, text: str) -> Address:
        """An address with the model as the catalog spells it."""
        address = Address.parse(text)
        model = self.catalog.find(address.model)
        return Address(model.name, address.key) if model else address


_NO_LAYER = Layer()


class _List(Struct, frozen=True):
    """A list of records: where it is, the defaults of its file, and the record around it."""

    path: Path
    model: Model
    layers: Layers
    broken: set[Path]
    parent: Record | None = None
    is_usable: bool = True
    """Whether the records around it can be used."""

    @property
    def defaults(self) -> Layer:
        """The defaults of its records."""
        # A list that is only found inside records may have the name of another one at the top.
        return _NO_LAYER if self.model.embedded else self.layers.get(self.model.section, _NO_LAYER)

    def inside(self, path: Path, child: Model, parent: Record, is_usable: bool) -> _List:
        """The list of `child` inside the record at `path`."""
        inner = (*path, child.section)
        return _List(inner, child, self.layers, self.broken, parent, is_usable)
