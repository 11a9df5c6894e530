"""What files should say, as records and fields. `finish` makes texts of it, and proves them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from stemctl.core.records import Address, Repository
from stemctl.core.rewrite import FileChange, RecordChange, Refusal, Rewrite
from stemctl.manifests import edited_files
from stemctl.manifests.editor.edits import Add, Edit, Put, Take
from stemctl.manifests.field_edits import FieldEdits, Wanted
from stemctl.manifests.field_layers import GONE, Gone
from stemctl.manifests.record_keys import record_key
from stemctl.manifests.sources import Sources
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Path, Value


class _New(Struct, frozen=True):
    """A record to add: to a list of a file, or of a record if it has a `parent`."""

    address: Address
    section: str
    fields: Fields
    file: str
    parent: Address | None = None
    remarks: tuple[str, ...] = ()


class Draft(Struct):
    """Changes of the manifests of a repository. Nothing is read or written before `finish`."""

    sources: Sources
    repository: Repository | None = None
    """What the files declare once the result of `finish` is written."""
    _fields: dict[Address, dict[str, Value | Gone]] = field(default_factory=dict)
    _keys: dict[Address, str] = field(default_factory=dict)
    _new: list[_New] = field(default_factory=list)
    _removed: dict[Address, None] = field(default_factory=dict)
    _directives: list[tuple[str, str, Value]] = field(default_factory=list)
    _entries: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """The entries of lists of directives, by key and file."""
    _taken: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    _texts: dict[str, tuple[bytes, tuple[Address, ...]]] = field(default_factory=dict)

    def set(self, address: Address, name: str, value: Value) -> None:
        """Give a field of a declared record a value, as YAML has it."""
        self._fields.setdefault(address, {})[name] = value

    def unset(self, address: Address, name: str) -> None:
        """Let a declared record say nothing of a field."""
        self._fields.setdefault(address, {})[name] = GONE

    def rename(self, address: Address, key: str) -> None:
        """Give a declared record another key: the own part of it, if it is inside another one."""
        self._keys[address] = key

    def add_record(
        self,
        model: str,
        fields: Fields,
        file: str = "",
        parent: Address | None = None,
        remarks: Sequence[str] = (),
    ) -> Address:
        """Add a record at the end of its list in a file, which may be new, or inside `parent`.

        `fields` are in the order in which they are to be written, with the lists inside it.
        `remarks` go above it as comments.
        """
        row = self.sources.catalog.models[model]
        file = self.sources.place(parent).file if parent else file
        key = record_key(dict(fields), row, parent.key if parent else None)
        address = Address(model, key or "")
        self._new.append(_New(address, row.section, fields, file, parent, tuple(remarks)))
        return address

    def add_file(self, file: str, text: str, addresses: tuple[Address, ...]) -> None:
        """Add a file that declares these records."""
        self._texts[file] = (text.encode(), addresses)

    def remove_record(self, address: Address) -> None:
        """Take a declared record out of its file, with all that is inside it."""
        self._removed[address] = None

    def add_directive(self, key: str, entry: Value, file: str) -> None:
        """Add an entry to `moved`, `deleted` or `forget`, unless the file has it."""
        if (key, file) not in self._entries:
            present = self.sources.file(file).values.get(key)
            listed = present if isinstance(present, list) else []
            self._entries[key, file] = {_spelled(one) for one in listed}
        known, text = self._entries[key, file], _spelled(entry)
        if text not in known:
            known.add(text)
            self._directives.append((key, file, entry))

    def take_directive(self, key: str, file: str, position: int) -> None:
        """Take an entry out of a list of directives of a file."""
        self._taken.setdefault((file, key), set()).add(position)

    def finish(self) -> Rewrite:
        """The new texts.

        Raises:
            OSError: a file cannot be read any more.
        """
        found = FieldEdits(self.sources, self._fields)
        found.gather()
        self._gather_keys(found)
        self._gather_records(found)
        self._gather_directives(found)
        documents, changes, refused = edited_files.texts(self.sources, found.edits, found.about)
        changes += [FileChange(file, None, data) for file, (data, _) in self._texts.items()]
        new, problems = edited_files.check(self.sources, changes, documents)
        self.repository = new
        if not problems:
            catalog = self.sources.catalog
            problems = edited_files.prove(self.sources.repository, new, self._touched())
            problems += edited_files.prove_wanted(new, catalog, self._still_wanted(refused))
        return Rewrite(tuple(changes), tuple(self._records()), tuple(refused), tuple(problems))

    def _gather_keys(self, found: FieldEdits) -> None:
        for address, key in self._keys.items():
            file, path = self.sources.place(address)
            written = self.sources.written(address)
            name = "key" if "key" in written else self._model(address).called or "key"
            found.add(file, address, [Put((*path, name), key, ("key",))])

    def _gather_records(self, found: FieldEdits) -> None:
        lists: dict[tuple[str, Path], list[Address]] = {}
        for address in self._removed:
            if not self._inside_removed(address):
                file, path = self.sources.place(address)
                lists.setdefault((file, path[:-1]), []).append(address)
        for (file, path), gone in lists.items():
            takes: list[Edit] = [Take(self.sources.place(address).path) for address in gone]
            if len(path) > 1 and len(gone) == self._number_in(file, path) and not self._new:
                takes = [Take(path)]  # a list inside a record that has nothing left
            found.add(file, gone[0], takes)
            found.about[file].update(gone)
        for new in self._new:
            around: Path = self.sources.place(new.parent).path if new.parent else ()
            add = Add((*around, new.section), dict(new.fields), remarks=new.remarks)
            found.add(new.file, new.address, [add])

    def _number_in(self, file: str, path: Path) -> int:
        root = self.sources.file(file).document.root
        return len(root.at(path).items) if root else 0

    def _gather_directives(self, found: FieldEdits) -> None:
        added = {(file, key) for key, file, _ in self._directives}
        for (file, key), positions in self._taken.items():
            values = self.sources.file(file).values
            takes: list[Edit] = [Take((key, position)) for position in sorted(positions)]
            if len(values[key]) == len(positions) and len(values) > 1 and (file, key) not in added:
                takes = [Take((key,))]
            found.edits.setdefault(file, []).extend(takes)
        for key, file, entry in self._directives:
            found.edits.setdefault(file, []).append(Add((key,), entry))

    def _inside_removed(self, address: Address) -> bool:
        record = self.sources.repository.records.get(address)
        while record is not None and record.parent is not None:
            if record.parent in self._removed:
                return True
            record = self.sources.repository.records.get(record.parent)
        return False

    def _model(self, address: Address) -> Model:
        return self.sources.catalog.models[address.model]

    def _still_wanted(self, refused: Sequence[Refusal]) -> Wanted:
        """The fields of records whose files are edited, under their keys of before."""
        left = {address for refusal in refused for address in refusal.addresses}
        return {address: row for address, row in self._fields.items() if address not in left}

    def _touched(self) -> Mapping[Address, frozenset[str]]:
        """The fields of declared records that may have another value than before."""
        touched = {address: frozenset(fields) for address, fields in self._fields.items()}
        for address in self._keys:
            touched[address] = touched.get(address, frozenset()) | {
                self._model(address).called or ""
            }
        return touched

    def _records(self) -> list[RecordChange]:
        """What becomes of records, in the order in which it was asked for."""
        place = self.sources.place
        found = [
            RecordChange(address, "edited", place(address).file, tuple(fields))
            for address, fields in self._fields.items()
            if address not in self._keys
        ]
        for address in self._keys:
            fields = tuple(self._fields.get(address, ()))
            found.append(RecordChange(address, "renamed", place(address).file, fields))
        found += [RecordChange(new.address, "added", new.file) for new in self._new]
        for file, (_, addresses) in self._texts.items():
            found += [RecordChange(address, "added", file) for address in addresses]
        found += [RecordChange(gone, "removed", place(gone).file) for gone in self._removed]
        return found


def _spelled(entry: Value) -> str:
    """An entry as a text, the same for two that are the same."""
    return json.dumps(entry, sort_keys=True)
