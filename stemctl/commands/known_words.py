"""What a person may want to type, found out fast: servers, models, addresses, names.

A shell asks for it while a word is typed. So nothing is checked here: what cannot be read is left
out, no error is raised for it, nothing is written, and no server is asked. `plan` and the others
read everything again, with all checks.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from msgspec import Struct

from stemctl.config.search import NAME, find_root
from stemctl.errors import StemctlError
from stemctl.manifests.globs import InvalidPattern, files_matching, inside, is_pattern
from stemctl.manifests.record_keys import record_key
from stemctl.schema.catalog import Catalog, editions, load_catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

SANDBOX = "sandbox"

_MOST = 2_000_000
"""Bytes of manifests that are read: more would make a person wait. The state knows the rest."""

_PATIENCE = 1.0
"""Seconds that git may take."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class KnownWords(Struct, frozen=True, dict=True):
    """The words of one repository and one of its servers."""

    start: Path
    chosen: str | None
    environ: Mapping[str, str]

    @cached_property
    def root(self) -> Path:
        """The folder with the nearest stemctl.yaml."""
        return find_root(self.start.resolve(), self.environ)

    @cached_property
    def _settings(self) -> Fields:
        try:
            read = yaml.load((self.root / NAME).read_bytes(), _LOADER)
        except (OSError, ValueError, yaml.YAMLError):
            return {}
        return _mapping(read)

    @property
    def servers(self) -> list[str]:
        """The names of the servers."""
        return list(dict.fromkeys([*map(str, _mapping(self._settings.get("servers"))), SANDBOX]))

    @property
    def editions(self) -> list[str]:
        """The editions that can be named."""
        return editions()

    @cached_property
    def _server(self) -> tuple[str, Fields]:
        """The server that is used: its name, and what stemctl.yaml says about it."""
        known = _mapping(self._settings.get("servers"))
        default = self._settings.get("default_server") or next(iter(known), SANDBOX)
        name = str(self.chosen or default)
        return name, _mapping(known.get(name))

    @cached_property
    def catalog(self) -> Catalog:
        """The models of the edition that is used; of the latest one if it is not known."""
        name = str(self._server[1].get("edition", "2024" if self._settings else editions()[-1]))
        return load_catalog(name if name in editions() else editions()[-1])

    def keys(self, model: Model) -> list[str]:
        """The keys of the records of a model, in the files and in the state."""
        found = dict.fromkeys(self._in_files(model))
        prefix = f"{model.name}/"
        for address in _mapping(self._state.get("records")):
            if address.startswith(prefix):
                found.setdefault(address[len(prefix) :])
        return list(found)

    def names(self, model: Model) -> list[str]:
        """What a reference to a record of a model may be: keys, and names seen on the server."""
        on_server = map(str, _mapping(_mapping(self._state.get("names")).get(model.name)))
        return list(dict.fromkeys([*self.keys(model), *on_server]))

    # files

    def _in_files(self, model: Model) -> Iterator[str]:
        """The keys of a model, from the files that may have records of it."""
        for file in self._files:
            if model.section.encode() in file.data:
                yield from file.keys(self.catalog).get(model.name, ())

    @cached_property
    def _files(self) -> list[_File]:
        """The manifests."""
        found, room = [], _MOST
        for path in self._paths():
            with contextlib.suppress(OSError):
                if (room := room - path.stat().st_size) < 0:
                    break
                found.append(_File(path.read_bytes()))
        return found

    def _paths(self) -> Iterator[Path]:
        entries = self._settings.get("manifests", ["records"])
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, str) and ".." not in PurePosixPath(entry).parts:
                for path in sorted(self._below(entry)):
                    full = self.root / path
                    if full.is_file() and inside(self.root, str(full)):
                        yield full

    def _below(self, entry: str) -> Iterable[str]:
        """The YAML files of an entry of `manifests:`, relative to the root."""
        if is_pattern(entry):
            with contextlib.suppress(InvalidPattern, OSError):
                return list(files_matching(self.root, PurePosixPath(entry)))
            return []
        top = self.root / entry
        if top.is_file():
            return [entry]
        found = []
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [os.path.join(folder, name) for name in names if name[:1] != "."]
        return [path for path in found if path.endswith((".yaml", ".yml"))]

    # the state

    @cached_property
    def _state(self) -> Fields:
        """The state as it was last seen on this machine."""
        name, server = self._server
        kept = _mapping(server.get("state"))
        try:
            if kept.get("backend") == "git":
                return _mapping(json.loads(self._last_seen(name, kept)))
            is_sandbox = server.get("url", "sandbox:") == "sandbox:"
            folder = self.root / ".stemctl" if is_sandbox else self.root
            path = folder / f"{name}.state.json"
            return _mapping(json.loads(path.read_bytes())) if path.is_file() else {}
        except (OSError, ValueError, StemctlError):
            return {}

    def _last_seen(self, server: str, kept: Fields) -> bytes:
        """The state on a branch, as it was when it was last fetched."""
        from stemctl.git.mirror_cache import STATES, of_root
        from stemctl.git.process import Git, GitFailure, clean

        cache = of_root(self.root)
        branch = f"{kept.get('remote', 'origin')}/{kept.get('branch', 'stemctl-state')}"
        for mirror in cache.glob(f"*/{STATES}") if cache else ():
            with contextlib.suppress(GitFailure):
                git = Git((f"--git-dir={mirror}",), mirror, clean(self.environ))
                file = f"refs/stemctl/seen/{branch}:{server}.state.json"
                return git.run("cat-file", "blob", file, detached=True, timeout=_PATIENCE)
        return b"{}"


class _File(Struct):
    """A manifest, which is parsed when its keys are asked for."""

    data: bytes
    _keys: dict[str, list[str]] | None = None

    def keys(self, catalog: Catalog) -> Mapping[str, list[str]]:
        """The keys of its records by model."""
        if self._keys is None:
            self._keys = {}
            for name, key in _declared(catalog, self.data):
                self._keys.setdefault(name, []).append(key)
        return self._keys


def _declared(catalog: Catalog, data: bytes) -> Iterator[tuple[str, str]]:
    """Model and key of each record in a manifest, up to the first error in it."""
    for section, record in _records(data):
        model = catalog.by_list_key(section)
        if model is not None:
            yield from _keys(catalog, model, record, None)


def _keys(
    catalog: Catalog, model: Model, record: Value, parent: str | None
) -> Iterator[tuple[str, str]]:
    """The record itself, and the records inside it."""
    key = record_key(record, model, parent)
    if key is None:
        return
    yield model.name, key
    for child in catalog.children(model):
        inside_it = record.get(child.section)
        for each in inside_it if isinstance(inside_it, list) else ():
            yield from _keys(catalog, child, each, key)


def _records(data: bytes) -> Iterator[tuple[str, Value]]:
    """The elements of the lists at the top of a file, with the keys of the lists."""
    try:
        events = iter(yaml.parse(data, _LOADER))
        next(events), next(events)
        if not isinstance(next(events), yaml.MappingStartEvent):
            return
        anchors: dict[str, Value] = {}
        while isinstance(key := next(events), yaml.ScalarEvent):
            first = next(events)
            if not isinstance(first, yaml.SequenceStartEvent):
                _value(first, events, anchors)
                continue
            while not isinstance(element := next(events), yaml.SequenceEndEvent):
                yield key.value, _value(element, events, anchors)
    except (yaml.YAMLError, StopIteration, RecursionError, ValueError):
        return  # the file is being edited


def _value(event: Any, events: Iterator[Any], anchors: dict[str, Value]) -> Value:
    """The value that begins with an event, with every scalar as its text."""
    if isinstance(event, yaml.ScalarEvent):
        found: Value = event.value
    elif isinstance(event, yaml.AliasEvent):
        return anchors.get(str(event.anchor))
    elif isinstance(event, yaml.SequenceStartEvent):
        found = []
        while not isinstance(element := next(events), yaml.SequenceEndEvent):
            found.append(_value(element, events, anchors))
    else:
        found = {}
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            name = _value(key, events, anchors)
            value = _value(next(events), events, anchors)
            if isinstance(name, str):
                found[name] = value
    if event.anchor:
        anchors[event.anchor] = found
    return found


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}
