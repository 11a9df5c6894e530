"""Loads manifests: finds, reads and validates the files, and merges defaults into records."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.address_patterns import is_pattern, literal
from stemctl.core.diagnostics import Diagnostic, Severity, in_order
from stemctl.core.records import Address, Directive, Record, Repository
from stemctl.manifests import (
    cross_file,
    discovery,
    duplicates,
    file_names,
    local_times,
    moved_patterns,
    reader,
    suspicions,
    typed_details,
    validation,
)
from stemctl.manifests.declared_record import declared_record, in_file, written_layer
from stemctl.manifests.document import Document, Node
from stemctl.manifests.layers import Layer
from stemctl.manifests.record_keys import record_key
from stemctl.manifests.schema_errors import ManifestValidator, validator_of
from stemctl.schema.catalog import Catalog
from stemctl.schema.manifest_schema import DIRECTIVES
from stemctl.schema.models import Model
from stemctl.util import gc_pause
from stemctl.util.json_types import Path
from stemctl.util.timestamps import utc_now

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_AS_ON_DISK: Mapping[str, bytes] = {}
_UNREAD: Mapping[str, Document] = {}

Layers = Mapping[str, Layer]
"""Defaults by list key."""


def load_repository(
    root: FilePath,
    entries: Sequence[str],
    catalog: Catalog,
    ignore_gitignore: bool = False,
    time_zone: ZoneInfo | None = None,
    today: datetime.date | None = None,
    texts: Mapping[str, bytes] = _AS_ON_DISK,
    kept: dict[str, bytes] | None = None,
    documents: Mapping[str, Document] = _UNREAD,
) -> tuple[Repository, tuple[Diagnostic, ...]]:
    """Everything that the manifests below `root` declare, and what is wrong with them.

    The repository has only usable records. The content of a file never raises an exception. With
    `ignore_gitignore`, git-ignored files are read as well. Times without an offset are read in
    `time_zone`; if it is None, they are errors. Dates far from `today` are warnings. `texts` are
    files that are to have another content than on the disk, or are to be there. `kept` gets what
    the files have on the disk. `documents` are those of `texts` that were read already.
    """
    found = discovery.find_manifests(root, entries, ignore_gitignore).with_files(texts)
    validator = validator_of(catalog, local_times=time_zone is not None)
    latest = suspicions.latest_plausible(today or utc_now().date())
    loading = _Reader(root, catalog, validator, time_zone, latest, texts, kept, documents)
    with gc_pause.paused():
        for file in found.defaults:
            loading.read_defaults(file)
        for file in found.manifests:
            loading.read_manifest(file)
    declared = [record for record, _ in loading.records]
    loading.problems += found.problems
    loading.complete &= all(problem.code != file_names.CODE for problem in found.problems)
    loading.problems += duplicates.check_unique(declared, catalog)
    loading.check_directives(declared)
    usable: dict[Address, Record] = {}
    for record, is_usable in loading.records:
        if is_usable:
            usable.setdefault(record.address, record)
    directives = {name: tuple(written) for name, written in loading.directives.items()}
    repository = Repository(usable, files=found.manifests, seen=loading.seen, **directives)
    return repository, with_lines(root, in_order(loading.problems), texts)


def _read(
    root: FilePath, file: str, texts: Mapping[str, bytes], kept: dict[str, bytes] | None = None
) -> Document:
    if file in texts:
        return reader.parse(texts[file], file)
    return reader.read(os.path.join(root, file), file, kept)


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
            documents[file] = _read(root, file, texts)
        line = documents[file].line(number)
        length = finding.length
        if length > 1 and line[column - 1 : column] in ("'", '"'):
            length += 2
        return replace(finding, line=line, length=max(1, length))

    return tuple(completed(finding) for finding in diagnostics)


class _Reader(Struct):
    """Reads files one by one. Only records, directives and findings are kept of each."""

    root: FilePath
    catalog: Catalog
    validator: ManifestValidator
    time_zone: ZoneInfo | None = None
    latest: str = ""
    """The last day that a record may plausibly have."""
    texts: Mapping[str, bytes] = field(default_factory=dict)
    kept: dict[str, bytes] | None = None
    documents: Mapping[str, Document] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    records: list[tuple[Record, bool]] = field(default_factory=list)
    directives: dict[str, list[Directive]] = field(
        default_factory=lambda: {name: [] for name in DIRECTIVES}
    )
    moves: list[moved_patterns.Move] = field(default_factory=list)
    folders: dict[str, Layers] = field(default_factory=dict)
    complete: bool = True
    seen: dict[str, int] = field(default_factory=dict)

    def read_defaults(self, file: str) -> None:
        """Folder defaults."""
        document, broken = self._validated(file)
        if document is None:
            return
        self.problems += validation.only_defaults(document)
        self.folders[os.path.dirname(file)] = {
            key: in_file(self._checked_defaults(document, key, layer, {}), file)
            for key, layer in self._layers(document, broken).items()
        }

    def read_manifest(self, file: str) -> None:
        """Records and directives of one file."""
        document, broken = self._validated(file)
        if document is None or document.root is None:
            return
        layers = self._layers_for(document, broken)
        for key, section in document.root.members.items():
            model = self.catalog.by_list_key(key)
            if model:
                self._read_records(document, section, _List((key,), model, layers, broken))
            elif key in self.directives:
                for position, node in enumerate(section.items):
                    if (key, position) not in broken:
                        self._read_directive(document, key, node)

    def _read_records(self, document: Document, section: Node, where: _List) -> None:
        """The records of one list, each followed by those inside it."""
        file, model, parent, below = document.file, where.model, where.parent, where.defaults
        children = self.catalog.children(model)
        self.seen[file] = self.seen.get(file, 0) + len(section.items)
        for position, node in enumerate(section.items):
            path = (*where.path, position)
            key = record_key(node.value, model, parent.address.key if parent else None)
            if key is None:
                self.complete = False
                continue
            address = Address(model.name, key)
            layer = written_layer(node, model)
            if below is not _NO_LAYER:
                layer = layer.over(below, model.fields)
            for name in layer.idle:
                self.problems.append(validation.idle_field(document, node, name, str(address)))
            is_usable = where.is_usable and not below.broken and path not in where.broken
            if parent:
                layer = layer.inside(model.parent or "", parent.address.key, node.value)
                wrong = validation.other_parent(document, node, address, parent, self.catalog)
                if wrong and is_usable:
                    self.problems.append(wrong)
                    is_usable = False
            if model.detailed:
                layer, is_sound = self._with_details(document, node, path, layer, where)
                is_usable &= is_sound
            record = declared_record(address, node, layer, file, parent)
            self.records.append((record, is_usable))
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
            self.problems += found
            is_sound = not found
        stored = typed_details.stored(layer, model, parent)
        return replace(layer, fields={**layer.fields, **stored}) if stored else layer, is_sound

    def _validated(self, file: str) -> tuple[Document | None, set[Path]]:
        """A document, and the paths in it that cannot be used."""
        document = self.documents.get(file) or _read(self.root, file, self.texts, self.kept)
        read = list(validation.located(document, self.catalog))
        if document.root is None:
            self.problems += read
            self.complete = False
            return None, set()
        findings, broken = validation.check_document(document, self.validator, self.catalog)
        wrong = {finding.location for finding in findings}
        # What is wrong here anyway is fixed in another way than a doubt.
        self.problems += (
            p for p in read if p.severity is Severity.ERROR or p.location not in wrong
        )
        if self.time_zone is not None:
            for path, problem in local_times.add_offsets(document, self.catalog, self.time_zone):
                broken.add(path)
                findings.append(problem)
        self.problems += findings
        self.problems += [
            warning
            for warning in suspicions.in_document(document, self.catalog, self.latest)
            if all(warning.location != problem.location for problem in findings)
        ]
        return document, broken

    def _layers_for(self, document: Document, broken: set[Path]) -> Layers:
        """The defaults of a file: its own over those of the nearest folder."""
        above = discovery.folders_above(os.path.dirname(document.file))
        below = next((self.folders[folder] for folder in above if folder in self.folders), {})
        own = self._layers(document, broken)
        if not own or document.root is None:
            return below
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
                self.problems.append(validation.idle_field(document, written, name, None))
        return {**below, **own, **joined}

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
        self.problems += found
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

    def check_directives(self, declared: Sequence[Record]) -> None:
        """Give each record that a pattern of `moved` means its entry, and check them all."""
        single = [move for move in self.moves if isinstance(move, Directive)]
        found = moved_patterns.expand(
            self.moves, [record.address for record in declared], self.complete
        )
        self.directives["moved"] = found.entries
        self.problems += found.problems
        self.problems += cross_file.check_directives(
            declared, self.directives, self.complete, single
        )

    def _read_directive(self, document: Document, key: str, node: Node) -> None:
        """An entry of `moved`, `forget` or `deleted`. `deleted` takes no patterns."""
        if node.is_mapping:
            self._read_move(document, node)
            return
        text = str(self._address(node.value))
        if key == "deleted" and is_pattern(text):
            self.problems.append(validation.no_pattern(document, node))
            return
        location = document.location(node.event)
        text = text if key == "forget" else literal(text)
        self.directives[key].append(Directive(text, location))

    def _read_move(self, document: Document, node: Node) -> None:
        """An entry of `moved`, for one record or with a `*` on each side."""
        subject = node.members["from"]
        old, new = self._address(subject.value), self._address(node.value["to"])
        location = document.location(subject.event)
        if not is_pattern(str(old)):
            target = Address(new.model, literal(new.key))
            self.moves.append(Directive(literal(str(old)), location, target))
        elif move := moved_patterns.pattern(old, new, location):
            self.moves.append(move)
        else:
            self.problems.append(validation.bad_pattern(document, subject, old, new))

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
