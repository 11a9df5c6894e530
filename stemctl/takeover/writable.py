"""What of a live record a manifest can have.

A server may hold what no manifest can: an integer that some readers of YAML change, a required text
that is empty, a choice that the table does not know. Such a value is left out, and a comment says
why. A field that is not written is not managed, so the next plan sends nothing for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from stemctl.core.diagnostics import Severity
from stemctl.core.entry_ids import selector
from stemctl.manifests import reader
from stemctl.manifests.schema_errors import validator_of
from stemctl.manifests.validation import check_document
from stemctl.manifests.written import flow_text, is_exact
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.takeover.rows import Row
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value
from stemctl.util.safe_text import cut, has_unseen

_LONGEST = 60
"""Characters of a value or name in a comment."""

_SOME_ID = "00000000-0000-4000-8000-000000000000"

Wrap = Callable[[Fields], Fields]
"""Puts the mapping of a record where it is in a file: a list key, or more."""


class Writable:
    """Leaves out what today's schemas refuse."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._called: dict[tuple[str, str], bool] = {}
        self._validator = validator_of(catalog)

    def can_be_called(self, model: Model, name: str) -> bool:
        """Whether a file can have a record with this name."""
        known = (model.name, name)
        if known not in self._called:
            own = {str(model.called): name, "id": 1 if model.integer_ids else _SOME_ID}
            self._called[known] = not has_unseen(name) and self._is_sound({model.section: [own]})
        return self._called[known]

    def make_writable(self, row: Row, around: Fields | None = None, parent: str = "") -> str:
        """Leave out what cannot be written of a record, and of those inside it. If nothing of it
        can, the reason.

        A record inside one that has the list key `parent` is checked with the fields `around` it.
        """

        def wrap(fields: Fields) -> Fields:
            if around is None:
                return {row.model.section: [fields]}
            above = {"key": "x", "id": _SOME_ID, **around, row.model.section: [fields]}
            return {parent: [above]}

        if not self._is_sound(wrap(row.whole())):
            return self._clean(row, wrap)
        for one in row.walk():
            one.fields = self._with_id(one, one.fields)
        return ""

    def _is_sound(self, data: Fields) -> bool:
        """Whether it is certain that a file can have this; quick."""
        try:
            text = json.dumps(data, ensure_ascii=False)
            text.encode()
        except (UnicodeEncodeError, RecursionError):
            return False
        if "\\u" in text or has_unseen(text) or not is_exact(dict(data)):
            return False
        return next(self._validator.errors(dict(data)), None) is None and not self._repeats(data)

    def _repeats(self, data: Fields) -> bool:
        """Whether a list may have two items that one key would merge."""
        for key, records in data.items():
            model = self.catalog.by_list_key(key)
            for row in model.with_keys if model else ():
                for record in records:
                    keys = [str(item.get(row.by)) for item in record.get(row.name, ())]
                    if len(keys) != len(set(keys)):
                        return True
        return False

    def _clean(self, row: Row, wrap: Wrap) -> str:
        given = row.fields
        kept = self._start(row)
        if why := self._problem(wrap(kept)):
            return why
        for name, value in given.items():
            if name in kept:
                continue
            rule = row.model.fields[name]
            beside = _beside(kept, rule, given)
            if not (why := self._problem(wrap({**beside, name: value}))):
                kept[name] = value
            elif (part := self._parts(row, wrap, beside, rule, value)) is not None:
                kept |= {name: part} if part else {}
            else:
                row.leave_out(name, why)
        row.fields = self._with_id(row, kept)
        self._clean_inside(row, wrap)
        return self._problem(wrap(row.whole()))

    @staticmethod
    def _start(row: Row) -> dict[str, Value]:
        """What identifies the record in the file."""
        if row.model.embedded:
            return dict(selector(row.model, row.fields))
        names = ["key", "id"]
        if "key" not in row.fields and row.model.called:
            names.append(row.model.called)
        return {name: row.fields[name] for name in names if name in row.fields}

    def _parts(self, row: Row, wrap: Wrap, beside: Fields, rule: Field, value: Value) -> Value:
        """The elements of a field that can be written; None if it is not merged by element."""
        if not value or not rule.merges:
            return None
        if isinstance(value, dict):
            kept: dict[str, Value] = {}
            for key, part in value.items():
                if why := self._problem(wrap({**beside, rule.name: {**kept, key: part}})):
                    row.leave_out(f"{rule.name}.{cut(key, _LONGEST)}", why)
                else:
                    kept[key] = part
            return kept
        if isinstance(value, list):
            items: list[Value] = []
            for item in value:
                if why := self._problem(wrap({**beside, rule.name: [*items, item]})):
                    row.leave_out(f"{rule.name} {cut(repr(item), _LONGEST)}", why)
                else:
                    items.append(item)
            return items
        return None

    def _clean_inside(self, row: Row, wrap: Wrap) -> None:
        """Leave out of the records inside this one what cannot be written."""
        around = dict(row.fields)
        for key, rows in row.inside.items():

            def inner(fields: Fields, key: str = key) -> Fields:
                return wrap({**around, key: [fields]})

            kept = []
            for one in rows:
                why = "" if not self._problem(inner(one.whole())) else self._clean(one, inner)
                if why:
                    row.leave_out(f"{key} {cut(one.id, _LONGEST)}", why)
                else:
                    kept.append(one)
            row.inside[key] = kept
        row.inside = {key: rows for key, rows in row.inside.items() if rows}

    def _with_id(self, row: Row, kept: dict[str, Value]) -> dict[str, Value]:
        """A record that lacks a required field is bound by its id, so that it needs none."""
        lacks = [rule.name for rule in _required(row.model) if rule.name not in kept]
        lacks = [name for name in lacks if name in row.fields or name != row.model.parent]
        if row.model.embedded or not lacks or "id" in kept:
            return kept
        for name in lacks:
            if not any(f" {name}: " in remark for remark in row.remarks):
                row.remarks.append(f"{name} is empty on the server, so the id is written")
        key = {"key": kept.pop("key")} if "key" in kept else {}
        return {**key, "id": int(row.id) if row.model.integer_ids else row.id, **kept}

    def _problem(self, data: Fields) -> str:
        """Why a file cannot have this; empty if it can."""
        try:
            text = "\n".join(f"{flow_text(key)}: {flow_text(value)}" for key, value in data.items())
            document = reader.parse(text.encode(), "manifest")
        except UnicodeEncodeError:
            return "half a character, which cannot be written"
        except RecursionError:
            return "nested too deep"
        if document.root is None or document.problems:
            # Quotes would make it a text, which is another value.
            return document.problems[0].message.removesuffix(": quote it")
        findings, _ = check_document(document, self._validator, self.catalog)
        errors = [finding.message for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            return errors[0]
        return "" if same_json(document.root.value, data) else "it would be read as another value"


def _beside(start: Fields, rule: Field, given: Fields) -> Mapping[str, Value]:
    """What a field is written with: details need their type."""
    selected_by = rule.details.selector if rule.details else ""
    return {**start, selected_by: given[selected_by]} if selected_by in given else start


def _required(model: Model) -> Iterator[Field]:
    return (row for row in model.managed if row.required and not row.proposal)
