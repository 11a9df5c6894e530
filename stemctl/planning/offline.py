"""A plan without a server: of the files against the state, marked where only the server could tell.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace

from stemctl.core.plan import Change, FieldChange, Note, Plan, Request, Settled, Target
from stemctl.core.records import Address, Repository
from stemctl.core.state import State
from stemctl.planning.memory import Memory, remember
from stemctl.planning.planner import Options, make_plan
from stemctl.planning.references import each_reference
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.json_types import Value

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
