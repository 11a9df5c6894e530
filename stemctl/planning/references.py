"""References: from names as they are written to ids, and back for people to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.placeholders import is_placeholder, placeholder, text_of
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import State
from stemctl.planning.bindings import Bound, Identities
from stemctl.planning.identity import Key, is_id, is_searched, keys_of, splits
from stemctl.planning.live_names import LiveNames
from stemctl.planning.reference_findings import WrittenReference
from stemctl.planning.reference_names import ReferenceNames
from stemctl.planning.values import canonical
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


class Resolver(Struct, dict=True):
    """Turns written references into ids, and remembers what was wrong and which names were used.

    An id means itself. Anything else is the key or unique name of a declared record, or else the
    unique name of a live one, in exact case. Values that are unique together are joined by slashes.
    What is left is a name that need not be unique, if exactly one record has it.
    """

    catalog: Catalog
    repository: Repository
    snapshot: Snapshot
    state: State
    identities: Identities
    diagnostics: list[Diagnostic] = field(default_factory=list)
    used: dict[str, dict[str, str]] = field(default_factory=dict)
    _live: dict[str, LiveNames] = field(default_factory=dict)
    _keys: dict[str, dict[Key, list[Address]]] = field(default_factory=dict)
    _found: dict[tuple[str, str], tuple[Value, list[str]]] = field(default_factory=dict)
    """The names that were looked up: thousands of records refer to the same few."""
    _unseen: set[tuple[str, str]] = field(default_factory=set)
    """The names whose ids only the state knows, each until it was told."""

    @cached_property
    def _declared(self) -> ReferenceNames:
        return ReferenceNames(self.repository, self.catalog)

    def resolve(self, row: Field, value: Value, record: Record) -> Value:
        """The value with ids in place of names, and placeholders for records to be created.

        A name that matches no record, or several, stays as it is, with a diagnostic.
        """
        return each_reference(row, value, lambda text: self._id_of(row, text, record))

    def known(self, row: Field, value: Value) -> Value:
        """The same without diagnostics, and without remembering which names were used."""
        return each_reference(
            row, value, lambda text: self._sendable(row, self._look_up(row.to or "", text)[0], text)
        )

    def recall(self, row: Field, value: Value) -> Value:
        """The same for a value from the state, by the names of today or else those of then.

        It never adds a diagnostic.
        """
        model = row.to or ""
        then = self.state.names.get(model, {})

        def id_of(text: str) -> Value:
            found, _ = self._look_up(model, text)
            if found is None and (now := self._renamed.get((model, text))):
                found, _ = self._look_up(model, now)
            return self._sendable(row, found, then.get(text, text))

        return each_reference(row, value, id_of)

    @cached_property
    def _renamed(self) -> Mapping[tuple[str, str], str]:
        """(model, key that a record had) to the key that it has now."""
        return {old: new.key for new, old in self.identities.moved.items()}

    def _sendable(self, row: Field, found: Value, otherwise: str) -> Value:
        """An id as it is sent: where the server counts its ids, as a number."""
        id_ = otherwise if found is None else found
        if row.to in self._counted and isinstance(id_, str) and id_.isdigit():
            return int(id_)
        return id_

    @cached_property
    def _counted(self) -> frozenset[str]:
        """The models whose ids are numbers."""
        return frozenset(name for name, m in self.catalog.models.items() if m.integer_ids)

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
        table = self.catalog.models.get(model)
        if table is None:
            return item
        fields = self._live_names(model).records.get(str(item), {})
        if table.identity is not None:
            return fields.get(table.identity) or item
        return self._composed(table, fields) or self._own_name(table, str(item), fields) or item

    def _composed(self, table: Model, fields: Fields) -> str | None:
        """The values that are unique together, joined by slashes."""
        for group in table.together_unique:
            parts = []
            for name in group:
                row, value = table.fields[name], fields.get(name)
                part = self._name_of(row.to, value) if row.to and value else value
                parts += [part] if isinstance(part, str) and part else []
            if len(parts) == len(group):
                return "/".join(parts)
        return None

    def _own_name(self, table: Model, id_: str, fields: Fields) -> str | None:
        """The key of a record that the files or the state know, or else its label if no other
        record has it.
        """
        owner = self._owners.get((table.name, id_))
        if owner is not None:
            return owner.key
        label = fields.get(table.label) if table.label else None
        if not isinstance(label, str) or self._declared.weak(table.name, label):
            return None
        return label if len(self._live_names(table.name).weak.get(label, ())) == 1 else None

    @cached_property
    def _owners(self) -> Mapping[tuple[str, str], Address]:
        """(model, id) to the address that it is bound to."""
        known = {(at.model, e.id): at for at, e in self.identities.leftovers.items() if e.id}
        bindings = self.identities.bindings.items()
        return known | {(at.model, b.id): at for at, b in bindings if isinstance(b, Bound)}

    def _id_of(self, row: Field, text: str, record: Record) -> Value:
        model = row.to or ""
        found, candidates = self._look_up(model, text)
        if found is None:
            self.diagnostics.append(self._finding(self._reference(row, text, record), candidates))
            return text
        if (model, text) in self._unseen:
            self._unseen.remove((model, text))
            self.diagnostics.append(self._reference(row, text, record).unseen())
        if isinstance(found, str) and found != text:
            self.used.setdefault(model, {})[text] = found
        return self._sendable(row, found, text)

    def _reference(self, row: Field, text: str, record: Record) -> WrittenReference:
        return WrittenReference(record, row, text, self.catalog.models.get(row.to or ""))

    def _look_up(self, model: str, text: str) -> tuple[Value, list[str]]:
        """The id of a name, or a placeholder; or None with the candidates that it may mean."""
        if (model, text) not in self._found:
            self._found[model, text] = self._search(model, text)
        return self._found[model, text]

    def _search(self, model: str, text: str) -> tuple[Value, list[str]]:
        table = self.catalog.models.get(model)
        if is_id(table, text):
            is_other = (
                table is not None
                and not table.integer_ids
                and self._is_of_another(model, text.lower())
            )
            return (None if is_other else text.lower()), []
        declared = self._declared.strong(model, text)
        if len(declared) > 1:
            return None, [str(address) for address in declared]
        if declared:
            return self._target(declared[0]), []
        if table is None or table.identity is not None:
            found: list[Value] = list(self._live_names(model).unique.get(text, ()))
        else:
            found = self._by_parts(table, text) or self._by_weak_name(table, text)
        if not found:
            found = list(self._ids_then(model, text))
        if len(found) == 1:
            return found[0], []
        return None, [self._described(model, target) for target in found]

    def _target(self, address: Address) -> Value:
        """The id of a declared record, or a placeholder for it."""
        return self.identities.id_of(address) or placeholder(address)

    def _by_parts(self, table: Model, text: str) -> list[Value]:
        """The records with these values, joined by slashes, that are unique together."""
        found: list[Value] = []
        for number, group in enumerate(table.together_unique):
            rows = [table.fields[name] for name in group]
            for parts in splits(text, len(group)):
                values = [self.known(row, part) for row, part in zip(rows, parts, strict=True)]
                key = (number, *(str(canonical(r, v)) for r, v in zip(rows, values, strict=True)))
                found += self._live_names(table.name).unique.get(key, ())
                found += [self._target(address) for address in self._declared_keys(table, key)]
        return _each_once(found)

    def _declared_keys(self, table: Model, key: Key) -> list[Address]:
        if table.name not in self._keys:
            keys: dict[Key, list[Address]] = {}
            for address, record in self.repository.records.items():
                if address.model == table.name:
                    for found in keys_of(table, record.fields, self.known):
                        keys.setdefault(found, []).append(address)
            self._keys[table.name] = keys
        return self._keys[table.name].get(key, [])

    def _by_weak_name(self, table: Model, text: str) -> list[Value]:
        """The records that are called so; none where more of them may exist."""
        found: list[Value] = list(self._live_names(table.name).weak.get(text, ()))
        found += [self._target(address) for address in self._declared.weak(table.name, text)]
        reading = self.snapshot.readings.get(table.name)
        if reading is None or not is_searched(table, reading, text):
            return []
        return _each_once(found)

    def _described(self, model: str, target: Value) -> str:
        """What to write in place of a name that several records have."""
        if is_placeholder(target):
            return Address.parse(text_of(target)).key
        table = self.catalog.models[model]
        fields = self._live_names(model).records.get(str(target), {})
        owner = self._owners.get((model, str(target)))
        return self._composed(table, fields) or (owner.key if owner else str(target))

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

    def _live_names(self, model: str) -> LiveNames:
        if model not in self._live:
            table, reading = self.catalog.models.get(model), self.snapshot.readings.get(model)
            self._live[model] = LiveNames(table, reading)
        return self._live[model]

    def _finding(self, written: WrittenReference, candidates: list[str]) -> Diagnostic:
        model, text = written.row.to or "", written.text
        if candidates:
            return written.several(candidates)
        if is_id(written.model, text):
            return written.of_another(self._whose(text.lower()))
        names = self._live_names(model)
        then = self.state.names.get(model, {}).get(text)
        now = self._name_of(model, then) if then in names.records else None
        known = [*self._composed_names(model), *self._declared.known(model)]
        return written.missing(names, known, now)

    def _composed_names(self, model: str) -> Iterator[str]:
        """The live records by the values that are unique together, for proposals."""
        table = self.catalog.models.get(model)
        if table is not None and table.together_unique:
            names = (self._composed(table, f) for f in self._live_names(model).records.values())
            yield from filter(None, names)

    def _whose(self, id_: str) -> str:
        """The record that has an id, in words."""
        model = self._models_of_ids[id_]
        owner = self._owners.get((model, id_))
        return str(owner) if owner else f"a {self.catalog.models[model].words}"

    @cached_property
    def _models_of_ids(self) -> Mapping[str, str]:
        """The model of each id that is known."""
        found = {id_: model for model, id_ in self._owners if model in self.catalog.models}
        for model, reading in self.snapshot.readings.items():
            found.update(dict.fromkeys(reading.records, model))
        return found

    def _is_of_another(self, model: str, id_: str) -> bool:
        """Whether an id is known to be that of a record of another model."""
        if id_ in self._live_names(model).records:
            return False
        return self._models_of_ids.get(id_, model) != model


def _each_once(targets: Iterable[Value]) -> list[Value]:
    """Ids and placeholders, each once."""
    return list({str(target): target for target in targets}.values())


def each_reference(row: Field, value: Value, change: Callable[[str], Value]) -> Value:
    """A value with each reference in it changed; values of other fields stay as they are."""
    if not row.to:
        return value
    if isinstance(value, list):
        return [change(item) if isinstance(item, str) else item for item in value]
    return change(value) if isinstance(value, str) else value


def wanted_references(
    records: Iterable[Record], declared: ReferenceNames, catalog: Catalog
) -> dict[str, set[str]]:
    """Model to the names to look up on the server, because no declared record has them."""
    wanted: dict[str, set[str]] = {}
    for model, text in _references(records, catalog):
        if not is_id(catalog.models.get(model), text) and not declared.strong(model, text):
            wanted.setdefault(model, set()).add(text)
    return wanted


def declared_targets(
    records: Iterable[Record], declared: ReferenceNames, catalog: Catalog
) -> set[Address]:
    """The declared records that `records` refer to."""
    return {
        address
        for model, text in _references(records, catalog)
        for address in declared.strong(model, text) or declared.weak(model, text)
    }


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
