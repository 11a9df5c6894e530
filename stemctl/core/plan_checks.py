"""Whether a plan out of a file can be what stemctl wrote: its shape, and that its parts agree with
each other.

A checksum only detects accidental edits, because anyone can compute a new one. A plan is therefore
limited to what was reviewed: it can reach no records and no files other than those it names.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping

from stemctl.core.placeholders import placeholders_in
from stemctl.core.plan import METHODS, Action, Change, Held, Plan, StateChange
from stemctl.core.records import Address
from stemctl.schema.catalog import editions
from stemctl.schema.config_schema import PORTALS
from stemctl.schema.models import Model
from stemctl.schema.value_shapes import fits
from stemctl.util.json_types import Fields, Value, is_record_id


def contradiction(plan: Plan) -> str:
    """A contradiction in the plan that holds for all models; empty if there is none."""
    if plan.server.edition not in editions():
        return f"there is no edition {plan.server.edition}"
    if plan.server.portal not in PORTALS:
        return f"there is no portal {plan.server.portal}"
    addresses = [change.address for change in plan.changes]
    if len(set(addresses)) < len(addresses):
        return "a record is changed twice"
    actionable = {change.address: change for change in plan.actionable()}
    rows: list[Change | StateChange] = [*plan.changes, *plan.state_changes]
    return next(
        (f"{row.address}: {wrong}" for row in rows for wrong in _wrong(row, actionable)), ""
    ) or _circle(actionable)


def _wrong(row: Change | StateChange, actionable: Mapping[Address, Change]) -> Iterator[str]:
    if row.id is not None and not is_record_id(row.id):
        yield "its id is none"
    if isinstance(row, StateChange):
        return
    if row.held and row.request:
        yield "it is held, and sent"
    if row.held is Held.RENAME and not row.waits:
        yield "nothing is said of what it was"
    if row.request and (
        row.action not in METHODS or (row.id is None) != (row.action is Action.CREATE)
    ):
        yield f"no request can {row.action} it"
    if row.then and (row.request is None or row.action is not Action.CREATE):
        yield "nothing can follow its request"
    if not row.held and not row.request and row.action in (Action.CREATE, Action.DELETE):
        yield "its request is missing"
    for text in placeholders_in([request.body for request in row.requests]):
        address = _address(text)
        target = actionable.get(address) if address and address in row.waits else None
        if target is None or target.action is not Action.CREATE or target.approval:
            yield f"it needs {address}, which is not made before it"


def _address(text: Value) -> Address | None:
    try:
        return Address.parse(text)
    except (ValueError, AttributeError):
        return None


def _circle(actionable: Mapping[Address, Change]) -> str:
    """A change that waits for itself, directly or through others."""
    try:
        graphlib.TopologicalSorter(
            {address: change.waits for address, change in actionable.items()}
        ).prepare()
    except graphlib.CycleError as error:
        return f"{error.args[1][0]} waits for itself"
    return ""


def misfit(row: Change | StateChange, model: Model) -> str:
    """What of a change no record of its model can have; nothing if it fits."""
    if not model.writable:
        return f"{model.section} are not written"
    values: Iterable[Fields] = [row.declared, row.observed]
    if isinstance(row, Change):
        values = [*values, *(request.body or {} for request in row.requests)]
        if unknown := [f.path for f in row.fields if f.path.partition(".")[0] not in model.fields]:
            return f"{model.name} has no {unknown[0]}"
    for name, value in ((name, value) for fields in values for name, value in fields.items()):
        field = model.fields.get(name)
        if field is None or field.read_only or not fits(field, value, planned=True):
            return f"{model.name} has no {name} like that"
    return ""
