"""References: from names as they are written to ids, and back for people to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import State
from stemctl.planning.bindings import Identities, identity_of, live_names
from stemctl.schema.catalog import Catalog, Field
from stemctl.util.json_types import UUID, Value
from stemctl.util.suggest import nearest


@dataclass(slots=True)
class Resolver:
    """Turns written references into ids, and remembers what was wrong and which names were used.

    A UUID is an id. Anything else is the key or unique name of a declared record, else the unique
    name of a live one, in exact case.
    """

    catalog: Catalog
    repository: Repository
    snapshot: Snapshot
    state: State
    identities: Identities
    diagnostics: list[Diagnostic] = field(default_factory=list)
    used: dict[str, dict[str, str]] = field(default_factory=dict)
    _declared: Names = field(init=False)
    _live: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _found: dict[tuple[str, str], tuple[Value, list[str]]] = field(default_factory=dict)
    """What names mean that were looked up: thousands of records refer to the same few."""

    def __post_init__(self) -> None:
        self._declared = declared_names(self.repository, self.catalog)

    def resolve(self, row: Field, value: Value, record: Record) -> Value:
        """The value with ids in place of names, `{"$ref": address}` for records to be created.

        A name that means nothing or several things stays as it is, and a diagnostic says so.
        """
        return each_reference(row, value, lambda text: self._one(row, text, record))

    def known(self, row: Field, value: Value) -> Value:
        """The same without a finding, and without a memory of what was used."""
        return each_reference(row, value, lambda text: self._look_up(row.to or "", text)[0] or text)

    def recall(self, row: Field, value: Value) -> Value:
        """The same for a value out of the state: by the names of today, else by those of then;
        never a finding.
        """
        then = self.state.names.get(row.to or "", {})

        def one(text: str) -> Value:
            found, _ = self._look_up(row.to or "", text)
            return found if found is not None else then.get(text, text)

        return each_reference(row, value, one)

    def written(self, row: Field, value: Value) -> Value:
        """The value with names in place of ids, where they are known."""
        if not row.to or not value:
            return value
        reading = self.snapshot.readings.get(row.to)
        model = self.catalog.models.get(row.to)

        def one(item: Value) -> Value:
            if isinstance(item, dict):
                return Address.parse(item["$ref"]).key if "$ref" in item else item.get("id")
            fields = reading.records.get(item) if reading else None
            return (fields and model and model.identity and fields.get(model.identity)) or item

        return [one(item) for item in value] if isinstance(value, list) else one(value)

    def _one(self, row: Field, text: str, record: Record) -> Value:
        found, candidates = self._look_up(row.to or "", text)
        if found is None:
            self.diagnostics.append(self._finding(row, text, record, candidates))
            return text
        if isinstance(found, str) and found != text:
            self.used.setdefault(row.to or "", {})[text] = found
        return found

    def _look_up(self, model: str, text: str) -> tuple[Value, list[str]]:
        """What a name means: an id or a `$ref`, else None with the candidates it might mean."""
        if (model, text) not in self._found:
            self._found[model, text] = self._search(model, text)
        return self._found[model, text]

    def _search(self, model: str, text: str) -> tuple[Value, list[str]]:
        if UUID.fullmatch(text):
            return text.lower(), []
        declared = self._declared.get((model, text), [])
        if len(declared) > 1:
            return None, [str(address) for address in declared]
        if declared:
            return self.identities.id_of(declared[0]) or {"$ref": str(declared[0])}, []
        ids = self._live_names(model).get(text, [])
        if (
            not ids and self.snapshot.remembered
        ):  # a record has one name, and the state may know an older one
            then = self.state.names.get(model, {}).get(text)
            ids = [] if then is None else [then]
        return (ids[0], []) if len(ids) == 1 else (None, ids)

    def _live_names(self, model: str) -> dict[str, list[str]]:
        if model not in self._live:
            table = self.catalog.models.get(model)
            reading = self.snapshot.readings.get(model)
            names = live_names(table, reading) if table and reading else {}
            self._live[model] = names
        return self._live[model]

    def _finding(self, row: Field, text: str, record: Record, candidates: list[str]) -> Diagnostic:
        table = self.catalog.models.get(row.to or "")
        words = table.words if table else str(row.to)
        code, message, remedy = "unknown-reference", f'no {words} "{text}"', ""
        reading = self.snapshot.readings.get(row.to or "")
        if len(candidates) > 1:
            code, message = "ambiguous-reference", f'several {words} records are called "{text}"'
            remedy = f"write one of {', '.join(candidates)}"
        elif reading is None or not reading.lacks(text):
            code, remedy = "unread-reference", _why_unread(reading)
            message = f'whether there is a {words} "{text}" is not known'
        elif table is not None:
            near = nearest(
                text,
                [*self._live_names(table.name), *(k for m, k in self._declared if m == table.name)],
            )
            remedy = f"{_you_can_see(reading, table.count)}{'; nearest: ' + ', '.join(near) if near else ''}"
        location = record.location_of(row.name, text)
        return Diagnostic(
            Severity.ERROR,
            code,
            message,
            location,
            remedy,
            str(record.address),
            row.name,
            text,
            length=len(text),
        )


Names = Mapping[tuple[str, str], list[Address]]
"""(model, key or unique name) to the declared records that it may mean."""


def declared_names(repository: Repository, catalog: Catalog) -> Names:
    """The names of all declared records of a repository."""
    names: dict[tuple[str, str], list[Address]] = {}
    for address, record in repository.records.items():
        names.setdefault(address, []).append(address)
        name = identity_of(catalog.models[address.model], record.fields)
        if name is not None and name != address.key:
            names.setdefault((address.model, name), []).append(address)
    return names


def each_reference(row: Field, value: Value, change: Callable[[str], Value]) -> Value:
    """A value with each reference in it changed; values of other fields stay as they are."""
    if not row.to:
        return value
    if isinstance(value, list):
        return [change(item) if isinstance(item, str) else item for item in value]
    return change(value) if isinstance(value, str) else value


def _you_can_see(reading: Reading, count: Callable[[int], str]) -> str:
    number = reading.total if reading.total is not None else len(reading.records)
    return f"you can see {count(number)}"


def _why_unread(reading: Reading | None) -> str:
    if reading is None or reading.completeness is Completeness.COMPLETE:
        return "it was not read"
    return reading.reason


def wanted_references(
    records: Iterable[Record], declared: Names, catalog: Catalog
) -> dict[str, set[str]]:
    """Model to the names that must be looked up on the server, because no declared record answers
    to them.
    """
    wanted: dict[str, set[str]] = {}
    for model, text in _references(records, catalog):
        if (model, text) not in declared and not UUID.fullmatch(text):
            wanted.setdefault(model, set()).add(text)
    return wanted


def declared_targets(records: Iterable[Record], declared: Names, catalog: Catalog) -> set[Address]:
    """The declared records that `records` refer to."""
    return {address for pair in _references(records, catalog) for address in declared.get(pair, ())}


def _references(records: Iterable[Record], catalog: Catalog) -> set[tuple[str, str]]:
    """(model, name or id) of every reference that records hold, each once."""
    found = set()
    for record in records:
        for row in catalog.models[record.address.model].references:
            value = record.fields.get(row.name)
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    found.add((row.to or "", text))
    return found
