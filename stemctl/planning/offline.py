"""A plan without a server: the files against the state, marked where only the server could tell.

The state takes the place of the server, as if the server held exactly what it held after the last
apply. What the state cannot know is taken to be what asks least: a value that was never applied is
empty, a record of which only the id is known is as the files declare it, a proposal is pending. A
name that neither the files nor the state know gets a placeholder in place of an id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.placeholders import placeholder
from stemctl.core.plan import Change, FieldChange, Note, Plan, Request, Settled, Target
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry, State
from stemctl.planning.identity import identity_of, is_id
from stemctl.planning.live_names import LiveNames
from stemctl.planning.matching import identify
from stemctl.planning.moves import after_moves
from stemctl.planning.planner import Options, make_plan
from stemctl.planning.reference_names import ReferenceNames, weak_names
from stemctl.planning.references import each_reference, wanted_references
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

UNRESOLVED = "$unresolved"
"""The key of a placeholder for an unknown id in a request; no API and no apply accepts it."""


def plan_offline(
    repository: Repository,
    state: State,
    catalog: Catalog,
    *,
    target: Target,
    options: Options,
    chosen: Set[Address],
) -> Plan:
    """The plan, if the server held exactly what it held after the last apply."""
    memory = remember(repository, state, catalog, chosen)
    plan = make_plan(
        repository,
        state,
        memory.snapshot,
        identify(repository, state, memory.snapshot, catalog),
        catalog=catalog,
        target=target,
        options=options,
    )
    changes = (
        _marked(change, memory, catalog.models[change.address.model]) for change in plan.changes
    )
    names = {
        model: {name: id_ for name, id_ in found.items() if id_ not in memory.unresolved}
        for model, found in plan.names.items()
    }
    settled = (Settled(row.address, "not looked up", "in doubt, as before") for row in plan.settled)
    return replace(
        plan,
        offline=True,
        changes=tuple(changes),
        names={model: found for model, found in names.items() if found},
        notes=(*plan.notes, *_notes(repository, catalog, memory)),
        settled=tuple(settled),
    )


_IN_DOUBT = "sent, but the answer was lost; a plan that reads the server shows the outcome"


def _marked(change: Change, memory: Memory, model: Model) -> Change:
    """A change with its unresolved names marked; only the server can decide what is in doubt."""
    request = change.request
    if request is not None and request.body is not None:
        body = {
            name: _sent(model.fields[name], value, memory) for name, value in request.body.items()
        }
        request = Request(request.method, request.path, body)
    fields = tuple(_shown(field, model.fields.get(field.path), memory) for field in change.fields)
    detail = change.detail if change.pending_since is None else (_IN_DOUBT,)
    return replace(change, request=request, fields=fields, detail=detail)


def _sent(row: Field, value: Value, memory: Memory) -> Value:
    def marked(text: str) -> Value:
        if text in memory.unresolved:
            return {UNRESOLVED: memory.unresolved[text][1]}
        return text

    return each_reference(row, value, marked)


def _shown(field: FieldChange, row: Field | None, memory: Memory) -> FieldChange:
    if row is None or not row.to:
        return field
    unknown = {name for model, name in memory.unresolved.values() if model == row.to}

    def marked(text: str) -> Value:
        return f"{text} (unresolved)" if text in unknown else text

    return replace(field, after=each_reference(row, field.after, marked))


def _notes(repository: Repository, catalog: Catalog, memory: Memory) -> Iterator[Note]:
    """What only the server knows."""
    for model, name in memory.unresolved.values():
        words = catalog.models[model].words
        text = f'{words} "{name}" is unresolved: it is not in the files or in the state'
        yield Note(None, f"{text}, but may be on the server")
    for address in sorted(memory.taken):
        text = "the state has only its id, so the plan assumes that it is as the files declare it"
        yield Note(address, text, repository.records[address].location)


# The state in place of a server

Known = dict[str, dict[str, Value]]
"""Model to name or key to its id; a placeholder for a record that is only declared."""


class Memory(Struct, frozen=True):
    """What the state knows, in place of a server.

    `unresolved` maps each placeholder id to its (model, name), which neither the files nor the
    state know; `taken` are the records of which only the id is known.
    """

    snapshot: Snapshot
    unresolved: Mapping[str, tuple[str, str]]
    taken: frozenset[Address]


def remember(
    repository: Repository, state: State, catalog: Catalog, chosen: Set[Address]
) -> Memory:
    """Readings of all models, made from the state, for a plan of the chosen addresses."""
    declared = ReferenceNames(repository, catalog)
    known = _known(declared, state, catalog)
    books = {name: _Book(model, known, catalog.models) for name, model in catalog.models.items()}
    moved = after_moves(repository, state, catalog).by_address
    entries = {
        address: entry for address, entry in moved.items() if entry.id and address.model in books
    }
    for address, entry in entries.items():
        books[address.model].enter(entry)
    records = [record for address, record in repository.records.items() if address in chosen]
    wanted = wanted_references(records, declared, catalog)
    for model, book in books.items():
        book.enter_names(state.names.get(model, {}), wanted.get(model, set()))
    missing = {
        model: {name for name in names if not declared.weak(model, name)}
        for model, names in wanted.items()
    }
    unresolved = _enter_unresolved(missing, state, books, known)
    taken = _enter_taken(repository, state, entries, books)
    readings = {
        name: Reading(name, Completeness.COMPLETE, book.records) for name, book in books.items()
    }
    approvals = {
        name: _proposals(name, state) for name, model in catalog.models.items() if model.approval
    }
    snapshot = Snapshot(readings, approvals, remembered=True)
    return Memory(snapshot, unresolved, frozenset(taken & chosen))


def _enter_unresolved(
    wanted: Mapping[str, Set[str]], state: State, books: Mapping[str, _Book], known: Known
) -> dict[str, tuple[str, str]]:
    """Enter a placeholder for each name that neither the files nor the state know."""
    unresolved: dict[str, tuple[str, str]] = {}
    for model in sorted(wanted.keys() & books.keys()):
        book = books[model]
        unknown = wanted[model] - book.names() - state.names.get(model, {}).keys()
        for name in sorted(unknown):
            id_ = f"(unresolved {len(unresolved) + 1})"
            unresolved[id_] = (model, name)
            known.setdefault(model, {})[name] = id_
            book.enter_name(id_, name)
    return unresolved


def _enter_taken(
    repository: Repository,
    state: State,
    entries: Mapping[Address, Entry],
    books: Mapping[str, _Book],
) -> set[Address]:
    """Enter, as the files declare them, the records of which only the id is known."""
    owned = {entry.id for entry in entries.values()}
    taken = set()
    for address, record in repository.records.items():
        book = books[address.model]
        id_ = _only_id(record, entries.get(address), state, book.model)
        if id_ is not None and (address in entries or id_ not in owned):
            book.enter_as_declared(id_, record)
            taken.add(address)
    return taken


def _only_id(record: Record, entry: Entry | None, state: State, model: Model) -> str | None:
    """The id of a record of which nothing else is known.

    It was bound by hand, or was never more than a reference.
    """
    if entry is not None:
        return None if entry.applied else entry.id
    if record.id is not None:
        return record.id
    name = identity_of(model, record.fields)
    return state.names.get(model.name, {}).get(name or "")


def _known(declared: ReferenceNames, state: State, catalog: Catalog) -> Known:
    known: Known = {name: {} for name in catalog.models}
    for (model, name), address in declared.items():
        known[model][name] = placeholder(address)
    for model, names in state.names.items():
        known.setdefault(model, {}).update(names)
    entries = [
        (address, entry)
        for address, entry in state.records.items()
        if entry.id and address.model in catalog.models
    ]
    for address, entry in entries:  # keys take precedence over what need not be unique
        for name in weak_names(catalog.models[address.model], entry.applied):
            known[address.model][name] = entry.id
    for address, entry in entries:
        known[address.model][address.key] = entry.id
    for address, entry in entries:  # names take precedence over keys
        identity = identity_of(catalog.models[address.model], entry.applied)
        if identity is not None:
            known[address.model][identity] = entry.id
    return known


class _Book(Struct):
    """What is remembered of one model: records by id."""

    model: Model
    known: Known
    models: Mapping[str, Model]
    records: dict[str, Fields] = field(default_factory=dict)

    def enter(self, entry: Entry) -> None:
        """Enter what the server held of a record after the last apply, as far as it shows it."""
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
        """Enter the records that references meant.

        If a record has several names, the one counts that the files use now.
        """
        unused_first = sorted(names.items(), key=lambda item: item[0] in wanted)
        name_of = {id_: name for name, id_ in unused_first}
        for id_, name in name_of.items():
            if id_ not in self.records:
                self.enter_name(id_, name)

    def enter_name(self, id_: str, name: str) -> None:
        """Enter a record of which only the name is known."""
        called = self.model.called
        self.records[id_] = {"id": id_} if called is None else {"id": id_, called: name}

    def enter_as_declared(self, id_: str, record: Record) -> None:
        """Enter a record as the files declare it."""
        fields = {
            name: self._with_ids(self.model.fields[name], value)
            for name, value in record.fields.items()
        }
        self.records[id_] = {**fields, "id": id_}

    def names(self) -> Set[str]:
        """The names that a reference can find."""
        reading = Reading(self.model.name, Completeness.COMPLETE, self.records)
        return frozenset(LiveNames(self.model, reading).texts())

    def _with_ids(self, row: Field, value: Value) -> Value:
        names = self.known.get(row.to or "", {})

        def id_of(text: str) -> Value:
            model = self.models.get(row.to or "")
            return text.lower() if is_id(model, text) else names.get(text, text)

        return each_reference(row, value, id_of)


def _proposals(model: str, state: State) -> Reading:
    """Our proposals, all of them taken to be pending."""
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
