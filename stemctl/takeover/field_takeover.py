"""What one declared field becomes when the server's values are taken over.

The rules are those of `planning.merge`: what changed on the server alone is taken, what changed in
the files alone stays, and what changed on both sides is a conflict, which stays too. Elements of
sets and maps are compared one by one; those that others added come along.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct, field

from stemctl.planning.compare_fields import BoundRecord, versions_of
from stemctl.planning.members import as_written as member_names
from stemctl.planning.members import entries_in, key_of, removals_in
from stemctl.planning.merge import UNSET, FieldVersions, MergeCase, case_of
from stemctl.planning.references import Resolver
from stemctl.planning.values import (
    assemble,
    defaulted,
    elements,
    elements_alike,
    identical,
    is_empty,
    same,
    same_element,
    shared_keys,
)
from stemctl.schema.detail_values import as_written, type_of
from stemctl.schema.fields import Field
from stemctl.util.json_types import Fields, Value

CONFLICT, REPLACE, EDITED = "conflict", "replace", "edited"
"""Why a value of the files stays: both sides changed it; it was never applied, and the server has
another; or only the files changed it.
"""
_ABSENT: Value = object()


class FieldTakeover(Struct, frozen=True):
    """`value` is what the field is to say, as files write it; UNSET if it stays as it is.

    `kept` are the names of what stays although the server has another value (`tags`,
    `extra_fields.room`), each with the reason.
    """

    value: Value = UNSET
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether the field stays as it is."""
        return self.value is UNSET


_NOTHING = FieldTakeover()


def take_field(
    bound: BoundRecord, row: Field, resolver: Resolver, written: Callable[[], Fields], theirs: bool
) -> FieldTakeover:
    """What a field of a declared record becomes. `written` gives the record as its file has it, for
    the spelling of what stays; with `theirs`, the server's value wins in any case.
    """
    live = bound.live.get(row.name, UNSET)
    if live is UNSET or identical(resolver.known(row, bound.record.fields[row.name]), live):
        return _NOTHING  # most fields of most records
    versions = versions_of(bound, row, resolver)
    if same(row, versions.declared, versions.live):
        return _NOTHING
    if row.keyed and shared_keys(row, versions.live):
        return FieldTakeover(kept={row.name: REPLACE})  # no map can say it
    if row.merges:
        return _Elements(bound, row, resolver, versions).take(written, theirs)
    case = case_of(
        versions, lambda left, right: same(row, left, right), lambda value: is_empty(row, value)
    )
    if (reason := _stays(case)) and not theirs:
        return FieldTakeover(kept={row.name: reason})
    return FieldTakeover(as_file_writes(row, versions.live, bound.live, resolver))


def _stays(case: MergeCase) -> str:
    """Why a value stays as it is in the files; empty if the server's is taken."""
    if case in (MergeCase.EDITED, MergeCase.FILL):
        return EDITED
    return {MergeCase.CONFLICT: CONFLICT, MergeCase.REPLACE: REPLACE}.get(case, "")


def as_file_writes(row: Field, value: Value, live: Fields, resolver: Resolver) -> Value:
    """A live value as files write it: names for ids, `20 kHz` for a quantity."""
    if is_empty(row, value):
        return row.empty
    if row.details:
        return as_written(type_of(row, live.get(row.details.selector)), value)
    if row.to and isinstance(value, list):
        return [_name(row, part, resolver) for part in value]
    return _name(row, value, resolver) if row.to else value


def _name(row: Field, value: Value, resolver: Resolver) -> Value:
    """The name of a referenced record, if a file that has it means this record."""
    id_ = value.get("id") if isinstance(value, dict) else value
    name = resolver.written(row, id_)
    means = isinstance(name, str) and same(
        row, _one(row, resolver.known(row, name)), _one(row, id_)
    )
    return name if means else id_


def _one(row: Field, value: Value) -> Value:
    return [value] if row.kind == "references" else value


# Sets and maps, element by element


class _Elements(Struct, frozen=True):
    """The elements of a field that is a set or a map."""

    bound: BoundRecord
    row: Field
    resolver: Resolver
    versions: FieldVersions

    def take(self, written: Callable[[], Fields], theirs: bool) -> FieldTakeover:
        """What the field becomes; `written` gives the record as its file spells it."""
        of, row = self.versions, self.row
        applied = of.applied if of.has_base else None
        observed = applied if of.observed is UNSET else of.observed
        files, live, base, seen = elements_alike(row, of.declared, of.live, applied, observed)
        out = removals_in(self.bound.record.fields[row.name]) if row.kind == "members" else set()
        taken, kept = list[str](), dict[str, str]()
        for key in dict.fromkeys((*files, *live)):
            versions = FieldVersions(
                declared=files.get(key, _ABSENT),
                applied=base.get(key, UNSET),
                observed=seen.get(key, _ABSENT) if key in base else UNSET,
                live=live.get(key, _ABSENT),
            )
            reason = EDITED if key in out else self._stays(versions)
            if reason and not theirs:
                kept[f"{row.name}.{key}" if row.keyed else row.name] = reason
            elif not self._alike(versions.declared, versions.live):
                taken.append(key)
        new = self._on_server(files, live, taken) if taken else {}
        if not any(key in files or key in new for key in taken):
            return FieldTakeover(kept=kept)
        in_file = self._in_file(files, written())
        result = {key: value for key, value in in_file.items() if key not in taken} | new
        ordered = {key: result[key] for key in (*in_file, *new) if key in result}
        if row.required and not ordered:
            return FieldTakeover(kept=kept)
        return FieldTakeover(self._assembled(ordered), kept)

    def _stays(self, of: FieldVersions) -> str:
        """Why an element stays as it is in the files; empty if the server's is taken, or if they
        agree.
        """
        if of.declared is _ABSENT and of.applied is UNSET:
            return ""  # what others added
        case = case_of(of, self._alike, lambda value: value is _ABSENT)
        is_invited = self.row.kind == "members" and of.live is _ABSENT
        if case is MergeCase.FORM and is_invited:
            return EDITED
        return _stays(case)

    def _alike(self, left: Value, right: Value) -> bool:
        if left is _ABSENT or right is _ABSENT:
            return left is right
        return same_element(self.row, left, right)

    def _in_file(self, files: Mapping[str, Value], written: Fields) -> dict[str, Value]:
        """The declared elements as they are spelled: where the file itself has one, as there."""
        row, record = self.row, self.bound.record
        declared, own = record.fields[row.name], written.get(row.name)
        if row.kind == "members":
            return {key_of(name): (name, rights) for name, rights in entries_in(declared).items()}
        if row.to:
            texts = declared if isinstance(declared, list) else [declared]
            ids = [self.resolver.known(row, text) for text in texts]
            return {
                key: text
                for text, id_ in zip(texts, ids, strict=True)
                for key in elements(row, [id_])
            }
        live = self.bound.live
        spelled = {key: self._new(key, value, live) for key, value in files.items()}
        mine = own if isinstance(own, dict) and row.keyed else {}
        return spelled | {key: mine[key] for key in spelled if key in mine}

    def _on_server(
        self, files: Mapping[str, Value], live: Mapping[str, Value], keys: Collection[str]
    ) -> dict[str, Value]:
        """The live elements of these keys as files would write them, without the defaults that a
        type adds.
        """
        row, fields = self.row, self.bound.live
        there = {key: live[key] for key in keys if key in live}
        if row.kind == "members":
            names = member_names(fields.get(row.name))
            return {
                key: (names[key], {right: True for right, has in rights.items() if has})
                for key, rights in there.items()
            }
        if row.to:
            return {key: _name(row, id_, self.resolver) for key, id_ in there.items()}
        added = set[str]()
        if row.details:
            added = defaulted(row, fields.get(row.details.selector), there) - files.keys()
        return {
            key: self._new(key, value, fields) for key, value in there.items() if key not in added
        }

    def _new(self, key: str, value: Value, live: Fields) -> Value:
        if self.row.details is None:
            return value
        type_ = type_of(self.row, live.get(self.row.details.selector))
        return as_written(type_, {key: value})[key]

    def _assembled(self, parts: Mapping[str, Value]) -> Value:
        return dict(parts.values()) if self.row.kind == "members" else assemble(self.row, parts)
