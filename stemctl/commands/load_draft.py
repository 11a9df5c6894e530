"""The records of a sheet beside those of the files: what is new, and what changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from stemctl.commands.load_checks import RowChecks
from stemctl.config.config import Config
from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Address, Location, Record
from stemctl.core.rewrite import Rewrite
from stemctl.errors import ConfigError
from stemctl.manifests.declared_names import DeclaredNames
from stemctl.manifests.draft import Draft
from stemctl.manifests.file_defaults import FileDefaults
from stemctl.manifests.sources import Sources
from stemctl.manifests.validation import missing_fields
from stemctl.schema.models import Model
from stemctl.sheets.cells import Cell
from stemctl.sheets.columns import KEY
from stemctl.sheets.problems import sheet_problem
from stemctl.sheets.said_values import SaidValues
from stemctl.sheets.sheet_identity import DeclaredRecords, SheetIdentity
from stemctl.sheets.sheet_records import RowReader, SheetRecord
from stemctl.takeover.default_values import has_to_refuse, under_defaults
from stemctl.takeover.own_keys import Handle, OwnKeys
from stemctl.takeover.record_files import RecordFiles
from stemctl.takeover.rows import Row
from stemctl.takeover.writable import Writable
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined


class Loading(Struct, frozen=True):
    """The files, the rows, and how the two are compared."""

    sources: Sources
    names: DeclaredNames
    reader: RowReader
    identity: SheetIdentity
    declared: DeclaredRecords


class LoadDraft(Struct, dict=True):
    """Puts what a sheet says into a draft. `into` is the file for new records, if one is named."""

    config: Config
    loading: Loading
    into: str = ""
    _matched: dict[Address, SheetRecord] = field(default_factory=dict)
    _rows: dict[str, int] = field(default_factory=dict)
    _new: list[tuple[SheetRecord, dict[str, Value], list[Row], Address | None]] = field(
        default_factory=list
    )

    def __post_init__(self) -> None:
        sources = self.loading.sources
        self.model: Model = self.loading.reader.known.model
        self.checks = RowChecks(self.loading.reader, sources.catalog)
        self.draft = Draft(sources)
        self._said = SaidValues(self.loading.reader, self.loading.names)
        self._files = RecordFiles(self.config, sources.catalog, known=sources.repository.files)
        self._defaults = FileDefaults(sources)
        taken = set(sources.repository.records)
        self._keys = OwnKeys(sources.catalog, Writable(sources.catalog).can_be_called, taken)
        self._only_file = self._file_of_all()

    @property
    def problems(self) -> list[Diagnostic]:
        """What is wrong with the rows, and with the files as they would be."""
        return [*self.loading.reader.problems, *self.checks.problems]

    def _can_identify(self) -> bool:
        """Whether the sheet has the columns that tell its records apart; else that is a problem."""
        reader, identity = self.loading.reader, self.loading.identity
        written = set(identity.written.get(self.model.name, ()))
        if KEY in written and self.model.nameless:
            return True
        name = identity.missing(self.model, dict.fromkeys(written, ""))
        if name:
            message = f"no column for `{name}`, which says which {self.model.words} a row is about"
            remedy = f'add it to the sheet, or --map "COLUMN={name}"'
            self.checks.problems.append(sheet_problem(reader.sheet.file, message, remedy))
        return not name

    def drafted(self) -> Rewrite:
        """The new files; with problems, those of the rows that have none, to find what else the
        files would have.
        """
        can_identify = self._can_identify()
        if can_identify:
            for record in self.loading.reader.records():
                self._take(record)
        else:
            self.loading.reader.check_cells()
        for record, inner in self.loading.reader.refused:
            self._said.check(record, {})
            if inner is not None:
                self._said.check(inner, record.values)
        self._add_new()
        if not can_identify:
            return Rewrite()
        for record, inner in self.loading.reader.unknown():
            self._check_refused(record, inner)
        rewrite = self.draft.finish()
        self.checks.in_files(self._rows, rewrite.problems or tuple(self._incomplete()))
        return rewrite

    def _check_refused(self, record: SheetRecord, inner: SheetRecord | None) -> None:
        """Name what a record lacks whose row has a problem, if it is new."""
        parent = self._parent(record)
        found = self._find(record, parent)
        declared = self.loading.sources.repository.records
        if found is None:
            fields = {**self._layer(record, parent), **_there(record)}
            file = self._file(record, record.values, parent)
            self._check_new(record, fields, parent, file)
            around = Record(Address(record.model.name, ""), fields, Location("", 1, 1))
        else:
            around = declared[found]
        if inner is not None:
            self.checks.details(inner, _there(inner), around)

    def _check_new(
        self, record: SheetRecord, fields: Fields, parent: Address | None, file: str
    ) -> None:
        """Name what a new record lacks that would have these fields."""
        place = (self.model.parent or "") if parent else ""
        self.checks.required(record, fields, place, file)
        around = self.loading.sources.repository.records[parent] if parent else None
        self.checks.details(record, fields, around)

    def _incomplete(self) -> Iterator[Diagnostic]:
        """What the new records would lack by the rules of `validate`, in the new files."""
        before, after = self.loading.sources.repository, self.draft.repository
        for address, record in after.records.items() if after else ():
            if after and address not in before.records and record.id is None:
                model = self.loading.sources.catalog.models[address.model]
                yield from missing_fields(record, model, parent=after.around(record))

    def not_in_sheet(self) -> list[Address]:
        """The records beside those of the sheet, in the same files, that it does not name."""
        records = self.loading.sources.repository.records
        if self.model.parent is not None:
            return []
        files = {records[address].location.file for address in self._matched}
        return [
            address
            for address, record in records.items()
            if address.model == self.model.name
            and record.location.file in files
            and address not in self._matched
        ]

    def _take(self, record: SheetRecord) -> None:
        parent = self._parent(record)
        found = self._find(record, parent)
        if found is None:
            self._take_new(record, parent)
            return
        self._rows[str(found)] = record.row
        other = self._matched.setdefault(found, record)
        if other is not record:
            message = f"row {record.row} is about {found}, and so is row {other.row}"
            self.checks.add(record, message, "remove one of the rows")
            return
        declared = self.loading.sources.repository.records[found]
        self._edit(record, found, declared.fields, {})
        around = {**declared.fields, **record.values}
        for inner in record.inner:
            self._take_entry(inner, found, around)

    def _find(self, record: SheetRecord, parent: Address | None) -> Address | None:
        """The declared record that a row means."""
        declared = self.loading.declared
        if record.key:
            return declared.with_key(record.key, parent)
        found = declared.find(self.loading.identity(record.model, record.values))
        if len(found) > 1:
            names = joined([f"`{address}`" for address in found[:4]], "or")
            remedy = "add a column `key` that says which" if self.model.nameless else "name it"
            self.checks.add(record, f"row {record.row} may be about {names}", remedy)
        return found[0] if found else None

    def _parent(self, record: SheetRecord) -> Address | None:
        """The declared record that a new one goes into."""
        name = self.model.parent
        text = record.values.get(name) if name else None
        if name is None or text is None:
            return None
        return self.loading.names.meant(self.model.fields[name].to or "", str(text))

    def _take_entry(self, inner: SheetRecord, parent: Address, around: Fields) -> None:
        own = self.loading.identity(inner.model, inner.values)
        found = self.loading.declared.entry(parent, own)
        if found is not None:
            self._rows[str(found)] = inner.row
            records = self.loading.sources.repository.records
            self._edit(inner, found, records[found].fields, around)
            return
        values = dict(self._fields(inner, {}, around))
        fields = {name: value for name, value in values.items() if not _is_unsaid(value)}
        self.checks.details(inner, fields, self.loading.sources.repository.records[parent])
        address = self.draft.add_record(inner.model.name, fields, parent=parent)
        self._rows[str(address)] = inner.row

    def _edit(self, record: SheetRecord, address: Address, base: Fields, around: Fields) -> None:
        """Change the fields of a declared record that have another value in the sheet."""
        inside = self.loading.sources.repository.records[address].parent
        for row, value in self._said.of(record, base, around):
            old = base.get(row.name)
            new = row.empty if isinstance(value, Cell) else value
            type_ = self._said.type_of(row, record, base, around)
            if self._said.is_same(row, type_, old, new):
                continue
            if inside is not None and row.name == record.model.parent:
                message = f"row {record.row}: {address} is inside {inside}, not `{new}`"
                self.checks.add(record, message, f"write `{inside.key}`, or another key")
            else:
                self.draft.set(address, row.name, new)

    def _fields(
        self, record: SheetRecord, base: Fields, around: Fields
    ) -> Iterator[tuple[str, Value]]:
        """The fields of a new record."""
        for row, value in self._said.of(record, base, around):
            yield row.name, row.empty if isinstance(value, Cell) else value

    def _take_new(self, record: SheetRecord, parent: Address | None) -> None:
        layer = self._layer(record, parent)
        fields = dict(self._fields(record, layer, {}))
        inner = []
        for one in record.inner:
            values = dict(self._fields(one, {}, {**layer, **fields}))
            values = {name: value for name, value in values.items() if not _is_unsaid(value)}
            inner.append(Row(one.model, "", Address(one.model.name, ""), values))
        if parent is not None:
            fields.pop(self.model.parent or "", None)
        self._new.append((record, fields, inner, parent))

    def _layer(self, record: SheetRecord, parent: Address | None) -> Fields:
        """The defaults that a new record has and the parts of fields in its row add to: without
        details of another type than its own.
        """
        file = self._file(record, record.values, parent)
        layer = dict(self._defaults(file).get(self.model.section, {}))
        for row in self.model.detailed:
            selector = row.details.selector if row.details else ""
            if record.values.get(selector, layer.get(selector)) != layer.get(selector):
                layer.pop(row.name, None)
        return layer

    def _add_new(self) -> None:
        """Give the new records keys and files. Those inside one parent get their keys together."""
        inside: dict[Address, list[Fields]] = {}
        for record, fields, _, parent in self._new:
            if parent is not None and not record.key:
                inside.setdefault(parent, []).append(fields)
        handles = {parent: self._inside(parent, rows) for parent, rows in inside.items()}
        for record, fields, inner, parent in self._new:
            if record.key:
                written: Mapping[str, Value] = {KEY: record.key}
            elif parent is not None:
                written = next(handles[parent]).written
            else:
                written = self._at_top(record, fields)
            self._add(record, {**written, **fields}, inner, parent)

    def _inside(self, parent: Address, rows: Sequence[Fields]) -> Iterator[Handle]:
        others = self.loading.declared.inside(parent)
        return self._keys.inside(self.model, parent.key, rows, others)

    def _at_top(self, record: SheetRecord, fields: Fields) -> Mapping[str, Value]:
        name = fields.get(self.model.called or "")
        if name:
            return {}  # a second one is an error, not another key
        parent = str(fields.get(self.model.parent or "") or record.row)
        short = self._keys.short(self.model, fields)
        return self._keys.at_top(self.model, fields, f"{parent}/{short}").written

    def _add(
        self,
        record: SheetRecord,
        fields: dict[str, Value],
        inner: list[Row],
        parent: Address | None,
    ) -> None:
        file = self._file(record, fields, parent)
        layer = self._defaults(file).get(self.model.section, {})
        section = self.model.section
        said = {name: value for name, value in layer.items() if name in fields}
        for name in [n for n, value in fields.items() if n not in said and _is_unsaid(value)]:
            del fields[name]
        whole = Record(Address(self.model.name, ""), {**layer, **fields}, Location(file, 1, 1))
        self._check_new(record, whole.fields, parent, file)
        for one, entry in zip(record.inner, inner, strict=True):
            self.checks.details(one, entry.fields, whole)
        row = Row(self.model, "", Address(self.model.name, ""), fields)
        if inner:
            row.inside[inner[0].model.section] = inner
        # What the sheet does not say of a field is left to the defaults.
        under_defaults(self.loading.sources.catalog, row, {section: said})
        address = self.draft.add_record(self.model.name, row.whole(), file=file, parent=parent)
        self._rows[str(address)] = record.row

    def _file(self, record: SheetRecord, fields: Fields, parent: Address | None) -> str:
        """The file of a new record: that of its parent or of all others, else by the layout."""
        if parent is not None:
            return self.loading.sources.place(parent).file
        only = self._only_file
        if self.into or (only and not self._refuses_defaults(record, only)):
            return self.into or only
        try:
            file = self._files.file_of(self.model, fields)
        except ConfigError:
            if only:
                return only
            raise
        return only if only and self._refuses_defaults(record, file) else file

    def _refuses_defaults(self, record: SheetRecord, file: str) -> bool:
        """Whether a row contradicts the defaults of a file, so that they must not apply."""
        said = {
            name: self.model.fields[name].empty if value is Cell.CLEAR else value
            for name, value in record.whole.items()
            if value is Cell.CLEAR or not isinstance(value, Cell)
        }
        return has_to_refuse(self.model, said, self._defaults(file).get(self.model.section, {}))

    def _file_of_all(self) -> str:
        """The file with all records of the model, if there is one."""
        records = self.loading.sources.repository.records
        files = {
            record.location.file
            for address, record in records.items()
            if address.model == self.model.name and record.parent is None
        }
        return files.pop() if len(files) == 1 else ""


def _there(record: SheetRecord) -> dict[str, Value]:
    """The fields that a sheet says something of, and the names of the parts of those with parts."""
    parts: dict[str, Value] = {name: dict.fromkeys(cells) for name, cells in record.parts.items()}
    return {**record.values, **parts}


def _is_unsaid(value: Value) -> bool:
    """Whether a new record need not say this."""
    return value is None or value in ("", [], {})
