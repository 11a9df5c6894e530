"""The state after a pull: ids are bound, and the base moves where files and server agree.

Where they do not, something was left, and the base stays: the next plan sees the same difference.

In a state that machines share, only new records get a base. That of others moves when an apply
finds the new files: to whom has the old ones still, their values would look like edits to send.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from stemctl.core.records import Address, Record
from stemctl.core.state import Entry, State
from stemctl.planning.bindings import Bound
from stemctl.planning.compare_fields import BoundRecord, versions_of
from stemctl.planning.declared import written_rows
from stemctl.planning.detail_pairs import with_live_type
from stemctl.planning.merge import UNSET, FieldVersions
from stemctl.planning.references import Resolver
from stemctl.planning.values import assemble, elements_alike, identical, same, same_element
from stemctl.schema.fields import Field
from stemctl.takeover.sides import Sides
from stemctl.takeover.take import in_doubt
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Value


def state_after(sides: Sides, addresses: Collection[Address]) -> State:
    """The state with the bases of these records moved. `sides` has the files as they are now, and
    a state in which the records are bound.
    """
    records = dict(sides.state.records)
    for address in addresses:
        record = sides.repository.records.get(address)
        binding = sides.identities.bindings.get(address)
        if record is None or not isinstance(binding, Bound):
            continue
        if binding.entry is None or in_doubt(binding.entry):
            continue
        entry = _moved(sides, record, binding, binding.entry)
        if entry is not None:
            records[binding.previous_address or address] = entry
    names = {model: dict(found) for model, found in sides.state.names.items()}
    for model, found in sides.resolver.used.items():
        names.setdefault(model, {}).update(found)
    return replace(sides.state, records=records, names=names)


def _moved(sides: Sides, record: Record, binding: Bound, entry: Entry) -> Entry | None:
    """The entry with its new base; None if it stays as it is."""
    model = sides.catalog.models[record.address.model]
    record, wrong = with_live_type(record, binding.live, model)
    if wrong:
        return None
    bound = BoundRecord(record, binding, model, entry=entry, base=entry, accepted=False)
    applied, observed = dict(entry.applied), dict(entry.observed)
    for row in written_rows(model, record):
        if row.proposal or row.name in record.lifecycle.ignore_changes:
            continue
        live, written = bound.live.get(row.name, UNSET), record.fields[row.name]
        if live is UNSET:
            continue
        agree = identical(sides.resolver.known(row, written), live)
        if agree and row.name not in observed and identical(applied.get(row.name), written):
            continue  # most fields of most records
        versions = versions_of(bound, row, sides.resolver)
        if same(row, versions.declared, versions.live):
            if not _is_base(entry, row, versions, written):
                applied[row.name] = written
                observed.pop(row.name, None)
        elif row.merges and row.kind != "members":
            _move_elements(row, versions, sides.resolver, applied, observed)
    protects = entry.prevent_delete if entry.applied else record.lifecycle.prevent_delete
    moved = replace(entry, applied=applied, observed=observed, prevent_delete=protects)
    return None if moved == entry and same_json(applied, entry.applied) else moved


def _is_base(entry: Entry, row: Field, versions: FieldVersions, written: Value) -> bool:
    """Whether the base has the value on which files and server agree."""
    if not versions.has_base or not same_json(entry.applied.get(row.name), written):
        return False
    return same(row, versions.observed, versions.live)


def _move_elements(
    row: Field,
    versions: FieldVersions,
    resolver: Resolver,
    applied: dict[str, Value],
    observed: dict[str, Value],
) -> None:
    """Move the base of the elements on which files and server agree."""
    if not versions.has_base:
        return
    files, live, base, seen = elements_alike(
        row, versions.declared, versions.live, versions.applied, versions.observed
    )
    agreed = {
        key
        for key in (*files, *base)
        if (key in files) is (key in live)
        and (key not in files or same_element(row, files[key], live[key]))
    }
    new_base = _with(base, files, agreed)
    new_seen = _with(seen, live, agreed & (files.keys() | base.keys()))
    if same(row, assemble(row, new_base), versions.applied) and same(
        row, assemble(row, new_seen), versions.observed
    ):
        return
    applied[row.name] = resolver.written(row, assemble(row, new_base))
    observed[row.name] = assemble(row, new_seen)


def _with(
    old: Mapping[str, Value], new: Mapping[str, Value], keys: Collection[str]
) -> dict[str, Value]:
    """The elements, with those of `keys` as they are in `new`."""
    kept = {key: value for key, value in old.items() if key not in keys or key in new}
    return kept | {key: new[key] for key in new if key in keys}
