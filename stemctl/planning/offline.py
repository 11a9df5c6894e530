"""A plan without a server: the files against the state, marked where only the server could tell.

The state takes the place of the server, as if the server held exactly what it held after the last
apply. What the state cannot know is taken to be what asks least: a value that was never applied is
empty, a record of which only the id is known is as the files declare it, a proposal is pending. A
name that neither the files nor the state know gets a placeholder in place of an id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from stemctl.core.plan import Change, FieldChange, Note, Plan, Request, Settled, Target
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry, State
from stemctl.planning.bindings import identity_of, live_names
from stemctl.planning.matching import after_moves
from stemctl.planning.planner import Options, make_plan
from stemctl.planning.references import (
    Names,
    declared_names,
    each_reference,
    wanted_references,
)
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.json_types import UUID, Fields, Value

UNRESOLVED = "$unresolved"
"""The key of what stands in a request in place of an unknown id: no API and no apply takes it."""


def plan_offline(
    repository: Repository,
    state: State,
    catalog: Catalog,
    target: Target,
    options: Options,
    chosen: Set[Address],
) -> Plan:
    """What a plan would say if the server held exactly what it held after the last apply."""
    memory = remember(repository, state, catalog, chosen)
    plan = make_plan(repository, state, memory.snapshot, catalog, target, options)
    names = {
        model: {name: id_ for name, id_ in found.items() if id_ not in memory.unresolved}
        for model, found in plan.names.items()
    }
    return replace(
        plan,
        offline=True,
        changes=tuple(
            _marked(change, memory, catalog.models[change.address.model]) for change in plan.changes
        ),
        names={model: found for model, found in names.items() if found},
        notes=(*plan.notes, *_notes(repository, catalog, memory)),
        settled=tuple(
            Settled(row.address, "not looked up", "in doubt, as before") for row in plan.settled
        ),
    )


def _marked(change: Change, memory: Memory, model: Model) -> Change:
    """A change with its unresolved names as such, and no promise about when a doubt is decided."""
    request = change.request
    if request is not None and request.body is not None:
        body = {
            name: _sent(model.fields[name], value, memory) for name, value in request.body.items()
        }
        request = Request(request.method, request.path, body)
    fields = tuple(_shown(f, model.fields.get(f.path), memory) for f in change.fields)
    detail = (_IN_DOUBT,) if change.pending_since is not None else change.detail
    return replace(change, request=request, fields=fields, detail=detail)


_IN_DOUBT = "sent without an answer; a plan that asks the server decides"


def _sent(row: Field, value: Value, memory: Memory) -> Value:
    def one(text: str) -> Value:
        return {UNRESOLVED: memory.unresolved[text][1]} if text in memory.unresolved else text

    return each_reference(row, value, one)


def _shown(f: FieldChange, row: Field | None, memory: Memory) -> FieldChange:
    if row is None or not row.to:
        return f
    lost = {name for model, name in memory.unresolved.values() if model == row.to}
    return replace(
        f,
        after=each_reference(
            row, f.after, lambda text: f"{text} (unresolved)" if text in lost else text
        ),
    )


def _notes(repository: Repository, catalog: Catalog, memory: Memory) -> Iterator[Note]:
    """What would have been asked of the server."""
    for model, name in memory.unresolved.values():
        words = catalog.models[model].words
        yield Note(
            None,
            f'{words} "{name}" is unresolved: neither the state nor the files know it, the server may',
        )
    for address in sorted(memory.taken):
        text = "the state knows no more of it than its id; it is taken to be as the files say"
        yield Note(address, text, repository.records[address].location)


# The state in place of a server

Known = dict[str, dict[str, Value]]
"""Model to name or key to the id that it means, `{"$ref": address}` for what is only declared."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the state says in place of a server.

    `unresolved` maps what stands in place of an id to the (model, name) that nobody knows; `taken`
    are the records of which only the id is known.
    """

    snapshot: Snapshot
    unresolved: Mapping[str, tuple[str, str]]
    taken: frozenset[Address]


def remember(
    repository: Repository, state: State, catalog: Catalog, chosen: Set[Address]
) -> Memory:
    """Readings of all models, made of the state, for a plan of the chosen addresses."""
    declared = declared_names(repository, catalog)
    known = _known(declared, state, catalog)
    books = {name: _Book(model, known) for name, model in catalog.models.items()}
    entries = {
        a: e for a, e in after_moves(repository, state)[0].items() if e.id and a.model in books
    }
    records = [record for address, record in repository.records.items() if address in chosen]
    wanted = {
        m: names for m, names in wanted_references(records, declared, catalog).items() if m in books
    }
    for address, entry in entries.items():
        books[address.model].enter(entry)
    for model, book in books.items():
        book.enter_names(state.names.get(model, {}), wanted.get(model, set()))
    lost = [
        (m, name)
        for m, names in sorted(wanted.items())
        for name in sorted(names - books[m].names() - state.names.get(m, {}).keys())
    ]
    unresolved = {f"(unresolved {number})": pair for number, pair in enumerate(lost, 1)}
    for id_, (model, name) in unresolved.items():
        known.setdefault(model, {})[name] = id_
        books[model].enter_name(id_, name)
    owned = {entry.id for entry in entries.values()}
    taken = set()
    for address, record in repository.records.items():
        alone = _id_alone(record, entries.get(address), state, books[address.model].model)
        if alone is not None and (address in entries or alone not in owned):
            books[address.model].enter_as_declared(alone, record)
            taken.add(address)
    readings = {
        name: Reading(name, Completeness.COMPLETE, book.records) for name, book in books.items()
    }
    approvals = {
        name: _proposals(name, state) for name, model in catalog.models.items() if model.approval
    }
    return Memory(
        Snapshot(readings, approvals, remembered=True), unresolved, frozenset(taken & chosen)
    )


def _known(declared: Names, state: State, catalog: Catalog) -> Known:
    known: Known = {name: {} for name in catalog.models}
    for (model, name), addresses in declared.items():
        known[model][name] = {"$ref": str(addresses[0])}
    for model, names in state.names.items():
        known.setdefault(model, {}).update(names)
    entries = [(a, e) for a, e in state.records.items() if e.id and a.model in catalog.models]
    for address, entry in entries:
        known[address.model][address.key] = entry.id
    for address, entry in entries:  # a name says more than a key
        own = identity_of(catalog.models[address.model], entry.applied)
        if own is not None:
            known[address.model][own] = entry.id
    return known


@dataclass(slots=True)
class _Book:
    """What is remembered of one model: records by id."""

    model: Model
    known: Known
    records: dict[str, Fields] = field(default_factory=dict)

    def enter(self, entry: Entry) -> None:
        """What the server held of a record after the last apply, as far as it shows it."""
        rows = (row for row in self.model.managed if row.shown)
        fields: dict[str, Value] = {row.name: self._value(row, entry) for row in rows}
        self.records[entry.id or ""] = {**fields, "id": entry.id}

    def _value(self, row: Field, entry: Entry) -> Value:
        if row.name in entry.observed:
            return entry.observed[row.name]
        if row.name in entry.applied:
            return self._with_ids(row, entry.applied[row.name])
        return row.empty if row.default is None else row.default

    def enter_names(self, names: Mapping[str, str], wanted: Set[str]) -> None:
        """What references meant. Of several names of a record, the one counts that the files use now."""
        last = {
            id_: name for name, id_ in sorted(names.items(), key=lambda item: item[0] in wanted)
        }
        for id_, name in last.items():
            if id_ not in self.records:
                self.enter_name(id_, name)

    def enter_name(self, id_: str, name: str) -> None:
        """A record of which a reference needs no more than its name."""
        self.records[id_] = (
            {"id": id_} if self.model.identity is None else {"id": id_, self.model.identity: name}
        )

    def enter_as_declared(self, id_: str, record: Record) -> None:
        """A record that is taken to be as the files say."""
        fields = {
            name: self._with_ids(self.model.fields[name], value)
            for name, value in record.fields.items()
        }
        self.records[id_] = {**fields, "id": id_}

    def names(self) -> Set[str]:
        """The names that a reference can find."""
        return live_names(
            self.model, Reading(self.model.name, Completeness.COMPLETE, self.records)
        ).keys()

    def _with_ids(self, row: Field, value: Value) -> Value:
        names = self.known.get(row.to or "", {})
        return each_reference(
            row, value, lambda text: text.lower() if UUID.fullmatch(text) else names.get(text, text)
        )


def _id_alone(record: Record, entry: Entry | None, state: State, model: Model) -> str | None:
    """The id of a record of which nothing else is known: it was bound by hand, or never was more
    than a reference.
    """
    if entry is not None:
        return None if entry.applied else entry.id
    return record.id or state.names.get(model.name, {}).get(identity_of(model, record.fields) or "")


def _proposals(model: str, state: State) -> Reading:
    """Our proposals, all taken to be pending."""
    ours = {
        entry.approval.id: {
            **entry.approval.sent,
            "action": "Change" if entry.id else "Add",
            "instance_id": entry.id,
            "status": "Pending",
        }
        for address, entry in state.records.items()
        if entry.approval and address.model == model
    }
    return Reading(model, Completeness.COMPLETE, ours)
