"""References: from names as they are written to ids, and back for people to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.placeholders import is_placeholder, placeholder, text_of
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import State
from stemctl.planning.bindings import Identities, identity_of, live_names
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.json_types import Value, is_uuid
from stemctl.util.look_alike import twin_of
from stemctl.util.suggest import nearest


@dataclass(slots=True)
class Resolver:
    """Turns written references into ids, and remembers what was wrong and which names were used.

    A UUID is an id. Anything else is the key or unique name of a declared record, or else the
    unique name of a live one, in exact case.
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
    """The names that were looked up: thousands of records refer to the same few."""
    _unseen: set[tuple[str, str]] = field(default_factory=set)
    """The names whose ids only the state knows, each until it was told."""

    def __post_init__(self) -> None:
        self._declared = declared_names(self.repository, self.catalog)

    def resolve(self, row: Field, value: Value, record: Record) -> Value:
        """The value with ids in place of names, and placeholders for records to be created.

        A name that matches no record, or several, stays as it is, with a diagnostic.
        """
        return each_reference(row, value, lambda text: self._id_of(row, text, record))

    def known(self, row: Field, value: Value) -> Value:
        """The same without diagnostics, and without remembering which names were used."""
        return each_reference(row, value, lambda text: self._look_up(row.to or "", text)[0] or text)

    def recall(self, row: Field, value: Value) -> Value:
        """The same for a value from the state, by the names of today or else those of then.

        It never adds a diagnostic.
        """
        then = self.state.names.get(row.to or "", {})

        def id_of(text: str) -> Value:
            found, _ = self._look_up(row.to or "", text)
            return found if found is not None else then.get(text, text)

        return each_reference(row, value, id_of)

    def written(self, row: Field, value: Value) -> Value:
        """The value with names in place of ids, where they are known."""
        if not row.to or not value:
            return value
        if isinstance(value, list):
            return [self._name_of(row.to, item) for item in value]
        return self._name_of(row.to, value)

    def _name_of(self, model: str, item: Value) -> Value:
        """The name of a referenced record; its id where the name is not known."""
        if is_placeholder(item):
            return Address.parse(text_of(item)).key
        if isinstance(item, dict):
            return item.get("id")
        reading, table = self.snapshot.readings.get(model), self.catalog.models.get(model)
        if reading is None or table is None or table.identity is None:
            return item
        return reading.records.get(item, {}).get(table.identity) or item

    def _id_of(self, row: Field, text: str, record: Record) -> Value:
        found, candidates = self._look_up(row.to or "", text)
        if found is None:
            self.diagnostics.append(self._finding(row, text, record, candidates=candidates))
            return text
        if (row.to or "", text) in self._unseen:
            self._unseen.remove((row.to or "", text))
            self.diagnostics.append(self._unseen_record(row, text, record))
        if isinstance(found, str) and found != text:
            self.used.setdefault(row.to or "", {})[text] = found
        return found

    def _look_up(self, model: str, text: str) -> tuple[Value, list[str]]:
        """The id of a name, or a placeholder; or None with the candidates that it may mean."""
        if (model, text) not in self._found:
            self._found[model, text] = self._search(model, text)
        return self._found[model, text]

    def _search(self, model: str, text: str) -> tuple[Value, list[str]]:
        if is_uuid(text):
            return text.lower(), []
        declared = self._declared.get((model, text), [])
        if len(declared) > 1:
            return None, [str(address) for address in declared]
        if declared:
            return self.identities.id_of(declared[0]) or placeholder(declared[0]), []
        ids = self._live_names(model).get(text) or self._ids_then(model, text)
        return (ids[0], []) if len(ids) == 1 else (None, ids)

    def _ids_then(self, model: str, text: str) -> list[str]:
        """The id that a name had in the last apply, if no record that can be seen has it now."""
        then = self.state.names.get(model, {}).get(text)
        if then is None:
            return []
        if self.snapshot.remembered:
            # A remembered record has one name, and the state may know an older one.
            return [then]
        reading = self.snapshot.readings.get(model)
        if reading is None or then not in reading.missing | reading.hidden:
            return []
        self._unseen.add((model, text))
        return [then]

    def _live_names(self, model: str) -> dict[str, list[str]]:
        if model not in self._live:
            table = self.catalog.models.get(model)
            reading = self.snapshot.readings.get(model)
            self._live[model] = live_names(table, reading) if table and reading else {}
        return self._live[model]

    def _finding(
        self, row: Field, text: str, record: Record, *, candidates: list[str]
    ) -> Diagnostic:
        model = self.catalog.models.get(row.to or "")
        words = model.words if model else str(row.to)
        reading = self.snapshot.readings.get(row.to or "")
        if len(candidates) > 1:
            code = "ambiguous-reference"
            message = f'several {words} records are called "{text}"'
            remedy = f"write one of {', '.join(candidates)}"
        elif reading is None or not reading.lacks(text):
            code = "unread-reference"
            message = f'cannot tell whether there is a {words} "{text}"'
            remedy = _why_unread(reading)
        else:
            code = "unknown-reference"
            message = f'no {words} "{text}"'
            remedy = self._you_can_see(model, reading, text) if model else ""
            then = self.state.names.get(row.to or "", {}).get(text)
            if then in reading.records:
                now = self._name_of(row.to or "", then)
                remedy = f'it is called "{now}" on the server now: write that name'
        return Diagnostic(
            Severity.ERROR,
            code,
            message,
            location=record.location_of(row.name, text),
            remedy=remedy,
            address=str(record.address),
            field=row.name,
            value=text,
            length=len(text),
        )

    def _unseen_record(self, row: Field, text: str, record: Record) -> Diagnostic:
        """A warning that a reference goes by an id that the server does not show us any more."""
        model = self.catalog.models[row.to or ""]
        return Diagnostic(
            Severity.WARNING,
            "unseen-reference",
            f'{model.words} "{text}" was deleted, or is hidden from your account; '
            "its id is taken from the last apply",
            location=record.location_of(row.name, text),
            remedy=f"ask its manager for access, or write another {model.words}",
            address=str(record.address),
            field=row.name,
            value=text,
            length=len(text),
        )

    def _you_can_see(self, model: Model, reading: Reading, text: str) -> str:
        """How many records there are to refer to, and the names nearest to a wrong one."""
        number = reading.total if reading.total is not None else len(reading.records)
        seen = f"you can see {model.count(number)}"
        declared = [name for of, name in self._declared if of == model.name]
        names = [*self._live_names(model.name), *declared]
        if twin := twin_of(text, names):
            return f"{twin}: copy that name"
        near = nearest(text, names)
        return f"{seen}; nearest: {', '.join(near)}" if near else seen


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


def _why_unread(reading: Reading | None) -> str:
    if reading is None or reading.completeness is Completeness.COMPLETE:
        return "it was not read"
    return reading.reason


def wanted_references(
    records: Iterable[Record], declared: Names, catalog: Catalog
) -> dict[str, set[str]]:
    """Model to the names to look up on the server, because no declared record has them."""
    wanted: dict[str, set[str]] = {}
    for model, text in _references(records, catalog):
        if (model, text) not in declared and not is_uuid(text):
            wanted.setdefault(model, set()).add(text)
    return wanted


def declared_targets(records: Iterable[Record], declared: Names, catalog: Catalog) -> set[Address]:
    """The declared records that `records` refer to."""
    return {address for pair in _references(records, catalog) for address in declared.get(pair, ())}


def _references(records: Iterable[Record], catalog: Catalog) -> set[tuple[str, str]]:
    """(model, name or id) of every reference of the records, each once."""
    found = set()
    for record in records:
        for row in catalog.models[record.address.model].references:
            value = record.fields.get(row.name)
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    found.add((row.to or "", text))
    return found
