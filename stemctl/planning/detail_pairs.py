"""Details of live records: their type, what is sent along with them, and what the server refuses.

A PATCH replaces details as a whole, so the server's fields are sent with ours, and their type
beside them. Fields that were stored before the schema of today may break it: then nothing is sent
until the files declare them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import FieldChange, Held
from stemctl.core.records import Record
from stemctl.planning.compare_fields import BoundRecord, FieldComparison, compare_field
from stemctl.planning.merge import UNSET
from stemctl.planning.record_change import Comparison, hold
from stemctl.planning.references import Resolver
from stemctl.schema.detail_values import as_stored, problems_of, type_of
from stemctl.schema.fields import DetailType, Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import joined


def unpaired(model: Model, body: Fields) -> dict[str, Value]:
    """The details that a new record does not declare, and that are sent with its type."""
    return {
        second: model.fields[second].empty
        for first, second in model.pairs
        if first in body and second not in body
    }


def with_live_type(
    record: Record, live: Fields, model: Model
) -> tuple[Record, tuple[Diagnostic, ...]]:
    """A record whose details are of the type that the server has, where the files declare none."""
    fields, found = dict(record.fields), list[Diagnostic]()
    for row in model.detailed:
        rule = row.details
        if rule is None or rule.of_parent or rule.selector in fields or not fields.get(row.name):
            continue
        type_ = type_of(row, live.get(rule.selector))
        if type_ is None:
            found.append(_no_type(record, row, rule.selector))
            continue
        fields[row.name] = as_stored(type_, fields[row.name])
        found += _misfits(record, row, type_, fields[row.name])
    return replace(record, fields=fields), tuple(found)


def _no_type(record: Record, row: Field, selector: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "missing-pair",
        f"`{row.name}` needs the `{selector}` that it is of",
        record.location_of(row.name),
        f"add `{selector}: ...` beside it",
        str(record.address),
        row.name,
    )


def _misfits(record: Record, row: Field, type_: DetailType, value: Value) -> Iterator[Diagnostic]:
    """What a file writes that the type of the live record does not have."""
    for name, problem in problems_of(type_, value).items():
        if problem == "is required" and not type_.rows:
            continue  # the server has it
        yield Diagnostic(
            Severity.ERROR,
            "other-type",
            f"`{row.name}.{name}` {problem}: on the server, this record is of type {type_.name}",
            record.location_of(row.name, name),
            f"write it as {type_.name} has it, or write the type that it is of",
            str(record.address),
            f"{row.name}.{name}",
        )


class Paired(Struct):
    """The comparisons of the fields of a record, with those that are sent together. `refused` says
    why the server would refuse them.
    """

    fields: dict[str, FieldComparison]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def blocked(self, comparison: Comparison) -> Comparison:
        """The comparison, its change held if the server would refuse it."""
        change = comparison.change
        if change is None or not self.refused:
            return comparison
        blocked = replace(hold(change, Held.BLOCKED), declared={}, observed={}, released=())
        detail = (*change.detail, *self.refused)
        return replace(comparison, change=replace(blocked, detail=detail))


def paired(
    bound: BoundRecord,
    fields: Mapping[str, FieldComparison],
    resolver: Resolver,
    granted: frozenset[str],
) -> Paired:
    """Bring together what is sent together."""
    result = Paired(dict(fields))
    for selector, name in bound.model.pairs:
        row, live_type = bound.model.fields[name], bound.live.get(selector)
        chosen = result.fields.get(selector)
        details = result.fields.get(name)
        if chosen is not None and chosen.send is not UNSET:
            if details is None:
                result.diagnostics.append(_no_details(bound.record, selector, name, live_type))
                continue
            type_ = type_of(row, chosen.send)
            if type_ is not None:
                details = _of_new_type(bound, row, type_, resolver, granted)
                result.fields[name] = details
                _refuse(result, bound, row, type_, details.send)
        elif details is not None and details.send is not UNSET:
            held = next((change.held for change in chosen.changes), None) if chosen else None
            if held is not None:
                result.fields[name] = _waiting(details, held)
                continue
            type_ = type_of(row, live_type)
            if type_ is not None:
                _refuse(result, bound, row, type_, details.send)
            result.fields[selector] = replace(chosen or FieldComparison(), send=live_type)
    return result


def _no_details(record: Record, selector: str, name: str, before: Value) -> Diagnostic:
    new = record.fields[selector]
    return Diagnostic(
        Severity.ERROR,
        "missing-pair",
        f"`{selector}` changes from {before} to {new}, and no `{name}` are written for it",
        record.location_of(selector),
        f"add `{name}: {{...}}` with the fields of {new}, or `{name}: {{}}` if it needs none",
        str(record.address),
        name,
    )


def _of_new_type(
    bound: BoundRecord,
    row: Field,
    type_: DetailType,
    resolver: Resolver,
    granted: frozenset[str],
) -> FieldComparison:
    """Details beside another type than the server has: those of its fields that fit stay."""
    live = bound.live.get(row.name)
    kept = live
    if not type_.rows:
        before = live if isinstance(live, dict) else {}
        wrong = problems_of(type_, before)
        kept = {name: value for name, value in before.items() if name not in wrong}
    changed = {**bound.live, row.name: kept}
    binding = replace(bound.binding, records={bound.binding.id: changed})
    found = compare_field(replace(bound, binding=binding), row, resolver, granted=granted)
    dropped = [
        FieldChange(f"{row.name}.{name}", value, None, "edited", location=bound.record.location)
        for name, value in (live.items() if isinstance(live, dict) else ())
        if isinstance(kept, dict) and name not in kept and name not in bound.record.fields[row.name]
    ]
    send = kept if found.send is UNSET else found.send
    return replace(found, changes=(*found.changes, *dropped), send=send)


def _waiting(details: FieldComparison, held: Held) -> FieldComparison:
    """Details that are held as long as their type is."""
    changes = tuple(replace(change, held=held) for change in details.changes)
    return replace(details, changes=changes, send=UNSET, declared=UNSET, observed=UNSET)


def _refuse(result: Paired, bound: BoundRecord, row: Field, type_: DetailType, sent: Value) -> None:
    """Say what the server would refuse."""
    problems = problems_of(type_, sent)
    if not problems:
        return
    words = [f"{row.name}.{name} {problem}" for name, problem in problems.items()]
    result.refused += [
        f"the server would refuse these details: as {type_.name}, {joined(words)}",
        f"write {joined(list(problems))} under {row.name}: in the file, as {type_.name} has it",
    ]
