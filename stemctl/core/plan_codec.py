"""Plans to and from their document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from stemctl import __version__
from stemctl.core.diagnostics import Diagnostic
from stemctl.core.formats import Format, format_of
from stemctl.core.plan import Change, FieldChange, Note, Plan, Settled, StateChange
from stemctl.core.plan_wire import (
    ChangeWire,
    FieldWire,
    FindingWire,
    NoteWire,
    PlanWire,
    Reason,
    SettledWire,
    StateChangeWire,
    StateRef,
    Summary,
)
from stemctl.core.records import Address, Location
from stemctl.core.wire_types import as_object, typed
from stemctl.util.canonical_json import canonical_pieces, hash_of_pieces

Document = Mapping[str, Any]

_LONGEST_VALUE = 500


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as `schemas/plan.schema.json` describes it: apply needs nothing else."""
    document = {
        key: msgspec.to_builtins(list(value) if isinstance(value, Iterator) else value)
        for key, value in _parts(plan, _head(plan)).items()
    }
    return {**document, "checksum": hash_of_pieces(canonical_pieces(document))}


def plan_lines(plan: Plan) -> Iterator[str]:
    """The same document as the text of a file, one change a line, made piece by piece."""
    head, opening = _head(plan), "{\n"
    for key, value in _parts(plan, head).items():
        yield f"{opening}  {_LINE.encode(key)}: "
        if isinstance(value, Iterator):
            yield "["
            for number, element in enumerate(value):
                yield f"{',' if number else ''}\n    {_LINE.encode(element)}"
            yield "]"
        else:
            yield _LINE.encode(value)
        opening = ",\n"
    checksum = hash_of_pieces(canonical_pieces(_parts(plan, head), default=as_object))
    yield f',\n  "checksum": "{checksum}"\n}}\n'


_LINE = json.JSONEncoder(ensure_ascii=False, default=as_object)


def plan_json(plan: Plan) -> Iterator[str]:
    """The same document as JSON in one line, made piece by piece, with its checksum last."""
    checksum, last = hashlib.sha256(), ""
    for piece in canonical_pieces(_parts(plan, _head(plan)), default=as_object):
        yield last
        checksum.update(piece.encode(errors="surrogatepass"))
        last = piece
    yield f',"checksum":"sha256:{checksum.hexdigest()}"{last}'


def _parts(plan: Plan, head: PlanWire) -> dict[str, Any]:
    """The document without its checksum. Its long lists are iterators, so that no more than one
    change is in memory as JSON.
    """
    parts = as_object(head)
    del parts["checksum"]
    parts["changes"] = map(_change_to_wire, plan.changes)
    parts["bookkeeping"] = map(_state_change_to_wire, plan.state_changes)
    return parts


def plan_format(plan: Plan) -> Format:
    """The oldest format that can hold a plan."""
    later = ["uncommitted"] if plan.uncommitted else []
    if any(change.then for change in plan.changes):
        later.append("then")
    return format_of(later)


def _head(plan: Plan) -> PlanWire:
    """The document of a plan without its changes and its checksum."""
    return PlanWire(
        format=plan_format(plan),
        stemctl=__version__,
        offline=plan.offline,
        base=plan.base,
        server=plan.server,
        state=StateRef(plan.lineage, plan.serial),
        commit=plan.commit,
        uncommitted=plan.uncommitted or UNSET,
        digest=plan.digest,
        summary=Summary(**plan.summary()),
        changes=(),
        bookkeeping=(),
        unchanged=plan.unchanged,
        ignored_fields=plan.ignored_fields,
        names=plan.names,
        subset=plan.subset,
        notes=tuple(map(_note_to_wire, plan.notes)),
        settled=tuple(SettledWire(str(row.address), row.found, row.then) for row in plan.settled),
        diagnostics=tuple(map(_finding_to_wire, plan.diagnostics)),
        checksum="",
    )


def _change_to_wire(change: Change) -> ChangeWire:
    file, line, column = change.location or _NOWHERE
    return ChangeWire(
        address=str(change.address),
        model=change.address.model,
        action=change.action,
        reason=Reason(change.reason),
        held=change.held,
        approval=change.approval,
        id=change.id,
        file=file,
        line=line,
        column=column,
        request=change.request,
        fields=tuple(map(_field_to_wire, change.fields)),
        expects=change.expects,
        waits=tuple(map(str, change.waits)),
        managed=change.managed,
        declared=change.declared,
        observed=change.observed,
        released=change.released,
        prevent_delete=change.prevent_delete,
        was=_text(change.previous_address),
        detail=change.detail,
        doubt=change.pending_since,
        explained=change.explained,
        then=change.then or UNSET,
    )


def _field_to_wire(change: FieldChange) -> FieldWire:
    file, line, column = change.location or _NOWHERE
    conflict = change.reason == Reason.CONFLICT
    return FieldWire(
        path=change.path,
        before=change.before,
        after=change.after,
        reason=Reason(change.reason),
        held=change.held,
        file=file,
        line=line,
        column=column,
        base=change.base if conflict else UNSET,
        files=change.after if conflict else UNSET,
        server=change.before if conflict else UNSET,
        shown=UNSET if change.shown else False,
    )


def _state_change_to_wire(change: StateChange) -> StateChangeWire:
    return StateChangeWire(
        address=str(change.address),
        id=change.id,
        declared=change.declared,
        observed=change.observed,
        released=change.released,
        prevent_delete=change.prevent_delete,
        was=_text(change.previous_address),
        drop=change.drop,
        approval=change.approval,
    )


def _note_to_wire(note: Note) -> NoteWire:
    return NoteWire(_text(note.address), note.text, *(note.location or _NOWHERE))


def _finding_to_wire(finding: Diagnostic) -> FindingWire:
    file, line, column = finding.location or _NOWHERE
    return FindingWire(
        severity=finding.severity,
        code=finding.code,
        message=finding.message,
        file=file,
        line=line,
        column=column,
        address=finding.address,
        field=finding.field,
        value=_short(finding.value),
        rule=finding.rule or None,
        remedy=finding.remedy or None,
    )


def findings_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Each finding as an object with all that is known of it."""
    return [msgspec.to_builtins(_finding_to_wire(finding)) for finding in diagnostics]


def _short(value: Any) -> Any:
    """A value that was found, unless it is half a file."""
    if isinstance(value, list | dict) and len(str(value)) > _LONGEST_VALUE:
        return None
    return value


_NOWHERE = (None, None, None)


def _text(address: Address | None) -> str | None:
    return None if address is None else str(address)


def plan_of(document: Document) -> Plan:
    """The plan that a document describes.

    Raises:
        ValueError: it is not a plan document.
    """
    wire = typed(document, PlanWire)
    return Plan(
        server=wire.server,
        lineage=wire.state.lineage,
        serial=wire.state.serial,
        changes=tuple(map(_change, wire.changes)),
        state_changes=tuple(map(_state_change, wire.bookkeeping)),
        unchanged=wire.unchanged,
        ignored_fields=wire.ignored_fields,
        notes=tuple(Note(_address(n.address), n.text, _location(n)) for n in wire.notes),
        settled=tuple(Settled(Address.parse(s.address), s.found, s.then) for s in wire.settled),
        diagnostics=tuple(map(_finding, wire.diagnostics)),
        names=wire.names,
        subset=wire.subset,
        commit=wire.commit,
        uncommitted=wire.uncommitted or (),
        offline=wire.offline,
        base=wire.base,
    )


def _change(wire: ChangeWire) -> Change:
    return Change(
        address=Address.parse(wire.address),
        action=wire.action,
        reason=wire.reason.value,
        held=wire.held,
        approval=wire.approval,
        id=wire.id,
        location=_location(wire),
        request=wire.request,
        fields=tuple(map(_field, wire.fields)),
        expects=wire.expects,
        waits=tuple(map(Address.parse, wire.waits)),
        managed=wire.managed,
        declared=wire.declared,
        observed=wire.observed,
        released=wire.released,
        prevent_delete=wire.prevent_delete,
        previous_address=_address(wire.was),
        detail=wire.detail,
        pending_since=wire.doubt,
        explained=wire.explained,
        then=wire.then or (),
    )


def _field(wire: FieldWire) -> FieldChange:
    if wire.shown is True:
        raise ValueError("shown is written only if it is false")
    return FieldChange(
        path=wire.path,
        before=wire.before,
        after=wire.after,
        reason=wire.reason.value,
        held=wire.held,
        location=_location(wire),
        base=None if wire.base is UNSET else wire.base,
        shown=wire.shown is UNSET,
    )


def _state_change(wire: StateChangeWire) -> StateChange:
    return StateChange(
        address=Address.parse(wire.address),
        id=wire.id,
        declared=wire.declared,
        observed=wire.observed,
        released=wire.released,
        prevent_delete=wire.prevent_delete,
        previous_address=_address(wire.was),
        drop=wire.drop,
        approval=wire.approval,
    )


def _finding(wire: FindingWire) -> Diagnostic:
    return Diagnostic(
        severity=wire.severity,
        code=wire.code,
        message=wire.message,
        location=_location(wire),
        remedy=wire.remedy or "",
        address=wire.address,
        field=wire.field,
        value=wire.value,
        rule=wire.rule or "",
    )


def _address(text: str | None) -> Address | None:
    return Address.parse(text) if text else None


def _location(wire: ChangeWire | FieldWire | NoteWire | FindingWire) -> Location | None:
    if wire.file is None or wire.line is None or wire.column is None:
        return None
    return Location(wire.file, wire.line, wire.column)
