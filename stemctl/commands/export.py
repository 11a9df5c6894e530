"""Live records as a manifest that validates.

A server may hold what no manifest can: an integer that some readers of YAML change, a required text
that is empty, a choice that the table does not know. Such a value is left out, and a comment says
why. A field that is not written is not managed, so the next plan sends nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from stemctl.core.diagnostics import Severity
from stemctl.manifests import reader
from stemctl.manifests.schema_errors import validator_of
from stemctl.manifests.validation import check_document
from stemctl.render.manifest_yaml import commented_manifest, manifest_text
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value
from stemctl.util.safe_text import cut, visible

_LONGEST = 60
"""Characters of a value or name in a comment."""


@dataclass(frozen=True, slots=True)
class Live:
    """A record as a manifest would declare it, and its id."""

    record: Fields
    id: str


@dataclass(slots=True)
class Exported:
    """The text of a manifest, and how many records and values are not in it."""

    text: str
    left_out: int = 0


@dataclass(slots=True)
class _Written:
    """What can be written of a record, and why the rest cannot."""

    record: dict[str, Value] | None
    remarks: list[str] = field(default_factory=list)
    left_out: int = 0

    def leave_out(self, name: str, why: str) -> None:
        self.remarks.append(f"left out: {name}: {why}")
        self.left_out += 1


def export(catalog: Catalog, model: Model, records: Sequence[Live]) -> Exported:
    """A manifest with these records, and comments about what cannot be written."""
    exporter = _Exporter(catalog, model)
    if exporter.can_write_all([live.record for live in records]):
        whole = [dict(live.record) for live in records]
        return Exported(manifest_text(model.section, whole, exporter.inside))
    written = [exporter.write(live) for live in records]
    records_and_remarks = [(row.record, row.remarks) for row in written]
    text = commented_manifest(model.section, records_and_remarks, exporter.inside)
    return Exported(text, sum(row.left_out for row in written))


def _beside(start: Fields, row: Field, given: Fields) -> Fields:
    """What a field is written with: details need their type."""
    selector = row.details.selector if row.details else ""
    return {**start, selector: given[selector]} if selector in given else start


class _Exporter:
    """Writes records of one model, and reads them back to see what became of them."""

    def __init__(self, catalog: Catalog, model: Model) -> None:
        self._catalog = catalog
        self._model = model
        self._validator = validator_of(catalog)
        self._names: set[str] = set()
        self._lists = {child.section for child in catalog.children(model)}
        self.inside = _sections_inside(catalog, model)

    def can_write_all(self, records: Sequence[Fields]) -> bool:
        """Whether nothing has to be left out."""
        identity = self._model.identity
        if any(row.name not in record for record in records for row in self._required()):
            return False
        names = [_name(record.get(identity or "")) for record in records]
        is_unique = not identity or len(set(names)) == len(names)
        return is_unique and (not records or self._problem(records) is None)

    def write(self, live: Live) -> _Written:
        """What can be written of a record."""
        given = dict(live.record)
        start = self._start(given, live.id)
        if isinstance(start, str):
            return _Written(None, [f"left out: record {live.id}: {start}"], 1)
        written = _Written(start)
        for name, value in given.items():
            if name in start or name in ("key", "id"):
                continue
            if name in self._lists:
                self._children(written, start, name, value)
                continue
            row = self._model.fields[name]
            if name == self._model.identity:
                written.leave_out(name, self._why_no_name(start, value))
            elif why := self._problem([{**_beside(start, row, given), name: value}]):
                self._parts(written, _beside(start, row, given), row, value, why)
            else:
                written.record = {**(written.record or {}), name: value}
        return self._with_id(written, live.id)

    def _start(self, given: Fields, id_: str) -> dict[str, Value] | str:
        """What identifies the record in the manifest; or why nothing can."""
        identity = self._model.identity
        own = {name: given[name] for name in ("key", "id", identity) if name and name in given}
        name = _name(given.get(identity or ""))
        if (identity and name and name in self._names) or self._problem([own]) is not None:
            own = {"key": id_, "id": id_}
        elif name:
            self._names.add(name)
        why = self._problem([own])
        return own if why is None else why

    def _why_no_name(self, start: Fields, value: Value) -> str:
        return self._problem([{**start, str(self._model.identity): value}]) or (
            "another record has the same name"
        )

    def _parts(self, written: _Written, start: Fields, row: Field, value: Value, why: str) -> None:
        """The elements of a field that can be written, if it is merged by element."""
        if value and row.merges and isinstance(value, dict):
            entries = [({key: item}, f"{row.name}.{key}") for key, item in value.items()]
            kept: dict[str, Value] = {}
            for entry, name in entries:
                reason = self._problem([{**start, row.name: entry}])
                kept |= entry if reason is None else {}
                if reason is not None:
                    written.leave_out(name, reason)
            self._keep(written, row, kept)
        elif value and row.merges and isinstance(value, list):
            items: list[Value] = []
            for item in value:
                reason = self._problem([{**start, row.name: [*items, item]}])
                if reason is None:
                    items.append(item)
                else:
                    written.leave_out(f"{row.name} {cut(repr(item), _LONGEST)}", reason)
            self._keep(written, row, items)
        else:
            written.leave_out(row.name, why)

    def _children(self, written: _Written, start: Fields, section: str, rows: Value) -> None:
        """The records inside this one that can be written."""
        kept: list[Value] = []
        for row in rows:
            why = self._problem([{**start, section: [row]}])
            if why is None:
                kept.append(row)
            else:
                written.leave_out(f"{section} {cut(repr(row.get('id', row)), _LONGEST)}", why)
        if kept:
            written.record = {**(written.record or {}), section: kept}

    @staticmethod
    def _keep(written: _Written, row: Field, value: Value) -> None:
        if value:
            written.record = {**(written.record or {}), row.name: value}

    def _with_id(self, written: _Written, id_: str) -> _Written:
        """A record that lacks a required field is bound by its id, so that it needs none."""
        record = written.record or {}
        lacks = [row.name for row in self._required() if row.name not in record]
        if lacks and "id" not in record:
            written.record = {"id": id_, **record}
            for name in lacks:
                if not any(f" {name}: " in remark for remark in written.remarks):
                    written.remarks.append(f"{name} is empty on the server, so the id is written")
        return written

    def _required(self) -> Iterator[Field]:
        return (row for row in self._model.managed if row.required and not row.proposal)

    def _problem(self, records: Sequence[Fields]) -> str | None:
        """Why these records cannot be written, or None."""
        many = self._model.section
        try:
            data = manifest_text(many, [dict(one) for one in records], self.inside).encode()
        except UnicodeEncodeError:
            return "half a character, which cannot be written"
        except RecursionError:
            return "nested too deep"
        document = reader.parse(data, "manifest")
        if document.root is None or document.problems:
            # Quotes would make it a text, which is another value.
            return document.problems[0].message.removesuffix(": quote it")
        findings, _ = check_document(document, self._validator, self._catalog)
        errors = [finding.message for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            return errors[0]
        read = document.root.value[many]
        return None if same_json(read, list(records)) else "it would be read as another value"


def _sections_inside(catalog: Catalog, model: Model) -> frozenset[str]:
    """The keys of all lists of records inside records of a model, however deep."""
    children = catalog.children(model)
    deeper = [_sections_inside(catalog, child) for child in children]
    return frozenset({child.section for child in children}).union(*deeper)


def _name(value: Value) -> str:
    return value.strip() if isinstance(value, str) else ""


def remark(exported: Exported) -> str:
    """A sentence about what is left out; empty if nothing is."""
    number = exported.left_out
    if not number:
        return ""
    what = "1 value or record cannot" if number == 1 else f"{number:,} values or records cannot"
    return visible(f"{what} be written to a manifest; comments say why.")
