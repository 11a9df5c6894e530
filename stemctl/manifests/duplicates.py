"""Records of all files that cannot be told from each other: by address, id, name or time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Location, Record
from stemctl.manifests.declared_names import DeclaredNames, normal
from stemctl.manifests.document import code_span
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value
from stemctl.util.look_alike import difference, folded
from stemctl.util.plural import joined
from stemctl.util.timestamps import utc_moment

_Values = dict[tuple[str, str, str], Record]
"""Model, field and value to the first record with it."""


def check_unique(records: Sequence[Record], catalog: Catalog) -> Iterator[Diagnostic]:
    """Addresses, ids and unique values that two records share, reported at the second of them."""
    seen = _Seen(catalog, records)
    for record in records:
        yield from seen.findings(record)
    yield from _alike(seen.values, catalog)


class _Seen(Struct, dict=True):
    """The records so far, by all that must not be there twice."""

    catalog: Catalog
    records: Sequence[Record]
    addresses: dict[Address, Record] = field(default_factory=dict)
    ids: dict[tuple[str, str], Record] = field(default_factory=dict)
    values: _Values = field(default_factory=dict)
    together: dict[tuple[Value, ...], Record] = field(default_factory=dict)
    repeated: set[Address] = field(default_factory=set)
    """Addresses that are there twice: what is inside their records is not to blame for it."""

    @cached_property
    def names(self) -> DeclaredNames:
        """What references between the records mean; most editions have nothing that needs it."""
        return DeclaredNames(self.records, self.catalog)

    def findings(self, record: Record) -> Iterator[Diagnostic]:
        """What this record shares with an earlier one."""
        model = self.catalog.models[record.address.model]
        first = self.addresses.setdefault(record.address, record)
        if record.parent in self.repeated:
            self.repeated.add(record.address)
            return
        if first is not record:
            self.repeated.add(record.address)
        same = [*_duplicate_values(record, model, self.values), *self._together(record, model)]
        yield from same
        if first is not record and not same:
            yield _duplicate_address(record, model, first)
        if record.id is not None:
            namesake = self.ids.setdefault(_id_key(model, record.id), record)
            if namesake is not record:
                yield _duplicate_id(record, namesake)

    def _together(self, record: Record, model: Model) -> Iterator[Diagnostic]:
        """Groups of fields that are unique together, and the same in an earlier record."""
        for group in model.together_unique:
            values = [self._compared(record, model.fields[name]) for name in group]
            if None in values:
                continue
            first = self.together.setdefault((model.name, *group, *values), record)
            if first is not record:
                yield _duplicate_group(record, model, group, first)
                return

    def _compared(self, record: Record, row: Field) -> Value:
        """A value as far as it tells records apart; None if it does not."""
        value = record.fields.get(row.name)
        if not isinstance(value, str) or not value:
            return None
        if row.to:
            inside = row.name == self.catalog.models[record.address.model].parent and record.parent
            return inside or self.names.meant(row.to, value) or value.lower()
        return utc_moment(value) if row.kind == "instant" else normal(row, record)


def _id_key(model: Model, id_: str) -> tuple[str, str]:
    """An id among those that it must differ from: numbers are counted for each model."""
    return (model.name if model.integer_ids else "", id_.lower())


def _duplicate_values(record: Record, model: Model, values: _Values) -> Iterator[Diagnostic]:
    for row in model.unique:
        if not isinstance(record.fields.get(row.name), str):
            continue
        first = values.setdefault((model.name, row.name, normal(row, record)), record)
        if first is not record:
            message = f"{_two(model)} have the same {row.name}"
            other = first.location_of(row.name)
            yield _at_field(record, row, "duplicate-name", message, first=other)


def _duplicate_address(record: Record, model: Model, first: Record) -> Diagnostic:
    key, where = record.address.key, _line(first.location)
    if record.parent == first.parent and record.parent and key == record.parent.key:
        message = f"{_two(model)} of {code_span(str(record.parent))} have no key"
        remedy = f"also in {where}: give one of them a key, such as `key: b`"
        return _at(record, "key", "no-key", message, remedy, value="")
    message = f"{_two(model)} have the key {code_span(key)}"
    if ("key",) in record.locations or model.called is None:
        remedy = f"also in {where}: change one of the keys"
        own = key.removeprefix(f"{record.parent.key}/") if record.parent else key
        return _at(record, "key", "duplicate-address", message, remedy, value=own)
    called = str(record.fields.get(model.called, ""))
    remedy = f"also in {where}: give one of them a `key:` of its own"
    message += f", which is the {model.called}"
    return _at(record, model.called, "duplicate-address", message, remedy, value=called)


def _duplicate_group(
    record: Record, model: Model, group: tuple[str, ...], first: Record
) -> Diagnostic:
    """The error about two records that are the same in a group of fields."""
    name = group[-1]
    row, where = model.fields[name], first.location_of(name)
    if model.embedded:
        message = f"{_two(model)} of {code_span(str(record.parent))} have the same `{name}`"
        remedy = f"also in {_line(where)}: an entry is known by its time, so change one of them"
        return replace(
            _at_field(record, row, "duplicate-time", message, first=where), remedy=remedy
        )
    message = f"{_two(model)} have the same {joined(group)}"
    return _at_field(record, row, "duplicate-name", message, first=where)


def _duplicate_id(record: Record, first: Record) -> Diagnostic:
    message = f"{code_span(str(first.address))} has the same id"
    remedy = f"also in {_line(first.location)}: an id belongs to one record"
    return _at(record, "id", "duplicate-id", message, remedy, value=str(record.id))


def _two(model: Model) -> str:
    """`two sessions`."""
    return f"two {model.count(2).partition(' ')[2]}"


def _alike(values: _Values, catalog: Catalog) -> Iterator[Diagnostic]:
    """Unique values that look the same to people."""
    first: dict[tuple[str, str, str], str] = {}
    for (model, name, value), record in values.items():
        key = (model, name, folded(value))
        other = first.setdefault(key, value)
        if other == value:
            continue
        differs = "in case"
        if value.casefold() != other.casefold():
            differs = f"in its Unicode form: {difference(value, other)}"
        yield _at_field(
            record,
            catalog.models[model].fields[name],
            "name-case",
            f"differs from another {name} only {differs}",
            first=values[model, name, other].location_of(name),
            severity=Severity.WARNING,
        )


def _at(
    record: Record, name: str, code: str, message: str, remedy: str, *, value: str
) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        code,
        message,
        record.location_of(name),
        remedy,
        str(record.address),
        name,
        value,
        length=len(value),
    )


def _at_field(
    record: Record,
    field: Field,
    code: str,
    message: str,
    *,
    first: Location,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    value = record.fields[field.name]
    return Diagnostic(
        severity,
        code,
        message,
        record.location_of(field.name),
        f"also in {_line(first)}",
        str(record.address),
        field.name,
        value,
        length=len(value),
    )


def _line(location: Location) -> str:
    return f"{location.file}:{location.line}"
