"""set: give fields of many records other values, in the files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from msgspec import Struct

from stemctl.commands.edited_records import bad_words, named_records, sources
from stemctl.commands.workspace import Workspace
from stemctl.core.records import Address
from stemctl.core.rewrite import Rewrite
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests.assignments import (
    Assignment,
    BadAssignment,
    Fitting,
    MissingElement,
    assignment,
)
from stemctl.manifests.draft import Draft
from stemctl.manifests.field_layers import GONE, origin
from stemctl.manifests.layers import merged
from stemctl.manifests.sources import Sources
from stemctl.schema.models import Model
from stemctl.util.json_types import Value


class Words(Struct, frozen=True):
    """What was typed, sorted out: records and what to do with them."""

    targets: tuple[str, ...]
    assignments: tuple[Assignment, ...]


def told_apart(words: Sequence[str]) -> Words:
    """Addresses and assignments.

    Raises:
        ConfigError: there are none of one of them.
    """
    found = {word: assignment(word) for word in words}
    targets = tuple(word for word in words if found[word] is None)
    assignments = tuple(one for word in words if (one := found[word]) is not None)
    if not targets or not assignments:
        missing = "An address is missing." if not targets else "A FIELD=VALUE is missing."
        typed = shlex.join(words) if targets else f"MODEL/NAME {shlex.join(words)}"
        raise ConfigError(
            missing,
            "Write addresses or patterns of records, and what to set in them.",
            [(f"stemctl set {typed if not targets else typed + ' FIELD=VALUE'}", "sets a field")],
            untouched=Untouched.NOTHING_WRITTEN,
        )
    return Words(targets, assignments)


def set_fields(workspace: Workspace, words: Words) -> Rewrite:
    """The files with the fields set.

    Raises:
        ConfigError: a word names no record, or does not fit a record that is named.
        InvalidFiles: the files have errors.
    """
    files = sources(workspace)
    after = shlex.join(one.word for one in words.assignments)
    chosen = named_records(workspace, files, words.targets, "set", after)
    draft = Draft(files)
    setter = _Setter(files, draft, workspace.config.time_zone is not None)
    for address in chosen:
        setter.set(address, words.assignments)
    setter.check(words.assignments, chosen)
    return draft.finish()


def written_value(files: Sources, address: Address, model: Model, name: str) -> Value:
    """The value of a field of a record as files write it, with what comes from defaults."""
    rule = model.fields[name]
    found = origin(files, address, rule)
    below = found.inherited(rule)
    if found.own is GONE:
        return None if below is GONE else below
    return found.own if below is GONE or not rule.merges else merged(rule, below, found.own)


class _Setter:
    def __init__(self, files: Sources, draft: Draft, is_local: bool) -> None:
        self._files, self._draft, self._is_local = files, draft, is_local
        self._errors: dict[str, BadAssignment] = {}
        self._fitted: set[str] = set()

    def set(self, address: Address, assignments: Sequence[Assignment]) -> None:
        """Set the fields of one record."""
        model = self._files.catalog.models[address.model]
        record = self._files.repository.records[address]
        around = self._files.repository.around(record)
        values = self._values(address, model, assignments)
        fitting = Fitting(model, values, around.fields if around else {}, self._is_local)
        changed: dict[str, None] = {}
        for one in assignments:
            try:
                self._check_name(one, address, model)
                name = fitting.apply(one)
            except BadAssignment as error:
                self._errors.setdefault(one.word, error)
                continue
            self._fitted.add(one.word)
            if name:
                changed[name] = None
        for name in changed:
            self._draft.set(address, name, values[name])

    def _values(
        self, address: Address, model: Model, assignments: Sequence[Assignment]
    ) -> dict[str, Value]:
        """The values of the fields that are assigned, and of those that say their types."""
        names = {one.field for one in assignments}
        names |= {row.details.selector for row in model.detailed if row.details}
        fields = self._files.repository.records[address].fields
        return {
            name: written_value(self._files, address, model, name)
            for name in names
            if name in fields
        }

    def check(self, assignments: Sequence[Assignment], chosen: Sequence[Address]) -> None:
        """Refuse words that do not fit; that some records lack an element is no error.

        Raises:
            ConfigError: with all of them.
        """
        wrong = [
            error
            for word, error in self._errors.items()
            if not (isinstance(error, MissingElement) and word in self._fitted)
        ]
        if wrong:
            raise bad_words(wrong)

    def _check_name(self, one: Assignment, address: Address, model: Model) -> None:
        """Refuse to change what gives a record its key, or its place."""
        record = self._files.repository.records[address]
        if one.field in ("key", "id", "lifecycle"):
            hint = f"write `stemctl mv {address} NEW`" if one.field == "key" else "edit its file"
            raise BadAssignment(one.word, f"`{one.field}` is no field of the server", hint)
        if record.parent and one.field == model.parent:
            message = f"`{model.parent}` of `{address}` follows from its place in the file"
            raise BadAssignment(one.word, message, f"move it to another {model.parent} by hand")
        naming = model.embedded.by if model.embedded else (model.called,)
        if one.field in naming and "key" not in self._files.written(address):
            message = f"`{one.field}` gives `{address}` its address"
            remedy = "edit its file, and add an entry to `moved:`"
            if not model.embedded:
                new = f"{model.name}/{one.text or 'NEW'}"
                remedy = f"to rename it, write `stemctl mv {shlex.quote(str(address))} "
                remedy += f"{shlex.quote(new)}`"
            raise BadAssignment(one.word, message, remedy)
