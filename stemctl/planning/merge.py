"""Three-way comparison of one field: what the files say, what was applied, what was then observed,
what is live.

    D declared, A applied (what we sent last), O observed (what the server then answered), L live

    D = L                        same       nothing to send D = A, L = O                 form
    the server holds it in its own form; nothing to send D ≠ A, L = O                 edited
    send D D = A, L ≠ O                 drift      somebody changed it; sent with permission
    `revert` alone D ≠ A, L ≠ O, D ≠ L          conflict   both changed it; nothing of the record is
    sent no base, L empty             fill       send D no base, L not empty         replace
    somebody else's value; sent with permission `replace` alone

Sets and maps are compared so element by element. An element that is neither declared nor applied
belongs to somebody else: it is never compared and never removed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from stemctl.planning.values import (
    assemble,
    elements_alike,
    identical,
    is_empty,
    same,
    same_element,
    shared_keys,
)
from stemctl.schema.catalog import Field
from stemctl.util.json_types import Value


class Unset(enum.Enum):
    """Marks what is not there at all, where null would be a value."""

    UNSET = "unset"


UNSET = Unset.UNSET


class Verdict(enum.Enum):
    """The row of the table above that applies."""

    SAME = "same"
    FORM = "form"
    EDITED = "edited"
    FILL = "fill"
    DRIFT = "drift"
    CONFLICT = "conflict"
    REPLACE = "replace"


_PERMISSION = {Verdict.DRIFT: "revert", Verdict.REPLACE: "replace", Verdict.CONFLICT: "conflict"}


@dataclass(frozen=True, slots=True)
class FieldVersions:
    """The four values of one field; `applied` and `observed` are UNSET without a base, `live` where
    the answer lacks the field.
    """

    declared: Value
    applied: Value = UNSET
    observed: Value = UNSET
    live: Value = UNSET


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One difference. `path` is the field, or field and entry of a map. `held` names the missing
    permission, or `conflict`, in which case `base` is what was applied.
    """

    path: tuple[str, ...]
    before: Value
    after: Value
    verdict: Verdict
    held: str | None = None
    base: Value = None


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of one field: its differences and the value to send, UNSET if nothing is.

    `settled` is true where the base becomes what the files and the server say, once what is sent
    has arrived. Where only some elements of a set or map are settled, `applied` and `observed` are
    the base with those alone moved.
    """

    parts: tuple[FieldDiff, ...] = ()
    send: Value = UNSET
    settled: bool = True
    form: bool = False
    applied: Value = UNSET
    observed: Value = UNSET
    why: str = ""
    """What people have to know of what is held."""


_SAME = Merged()


def merge_field(field: Field, sides: FieldVersions, allowed: frozenset[str]) -> Merged:
    """Compare one field three ways.

    Args:
        field: its row in the table.
        sides: the four values, references resolved.
        allowed: the permissions that this record has: `revert`, `replace`.
    """
    if identical(sides.declared, sides.live):
        return _SAME  # so it is by every rule below: most fields of most plans
    mixed_up = field.kind == "map" and bool(shared_keys(field, sides.live))
    if field.merges and sides.live is not UNSET and not mixed_up:
        return _merge_elements(field, sides, allowed)
    verdict = _judge(
        sides,
        lambda left, right: same(field, left, right),
        lambda value: is_empty(field, value),
    )
    if mixed_up and verdict is not Verdict.SAME:
        verdict = (
            Verdict.REPLACE
        )  # several entries of one name: what is written would drop all but one
    if verdict in (Verdict.SAME, Verdict.FORM):
        return Merged(form=verdict is Verdict.FORM, settled=verdict is Verdict.SAME)
    held = _held(verdict, allowed)
    before = None if sides.live is UNSET else sides.live
    base = None if sides.applied is UNSET else sides.applied
    part = FieldDiff((field.name,), before, sides.declared, verdict, held, base)
    return Merged((part,), UNSET if held else sides.declared, settled=not held)


def _judge(
    sides: FieldVersions, equal: Callable[[Value, Value], bool], empty: Callable[[Value], bool]
) -> Verdict:
    """The row of the module's table. An unknown live value is taken to be what was observed;
    without a base it may be anything, so that only the permission to replace lets it be sent.
    """
    d, a, l = sides.declared, sides.applied, sides.live  # noqa: E741 - the letters of the table
    o = a if sides.observed is UNSET else sides.observed
    if l is UNSET:
        if a is UNSET:
            return Verdict.SAME if empty(d) else Verdict.REPLACE
        return Verdict.FORM if equal(d, a) else Verdict.EDITED
    if equal(d, l):
        return Verdict.SAME
    if a is UNSET:
        return Verdict.FILL if empty(l) else Verdict.REPLACE
    if equal(d, a):
        return Verdict.FORM if equal(l, o) else Verdict.DRIFT
    return Verdict.EDITED if equal(l, o) else Verdict.CONFLICT


def _held(verdict: Verdict, allowed: frozenset[str]) -> str | None:
    needs = _PERMISSION.get(verdict)
    return None if needs is None or needs in allowed else needs


_ABSENT: Value = object()


@dataclass(frozen=True, slots=True)
class _Elements:
    """The elements of all sides, told apart in the same way. Without a base, `applied` and
    `observed` are empty.
    """

    declared: Mapping[str, Value]
    live: Mapping[str, Value]
    applied: Mapping[str, Value]
    observed: Mapping[str, Value]


def _elements_of(field: Field, sides: FieldVersions) -> _Elements:
    applied = None if sides.applied is UNSET else sides.applied
    observed = applied if sides.observed is UNSET else sides.observed
    return _Elements(*elements_alike(field, sides.declared, sides.live, applied, observed))


def _merge_elements(field: Field, sides: FieldVersions, allowed: frozenset[str]) -> Merged:
    of = _elements_of(field, sides)
    verdicts = _element_verdicts(field, of, has_base=sides.applied is not UNSET)
    goes = {key for key, verdict in verdicts.items() if verdict not in (Verdict.SAME, Verdict.FORM)}
    held = {key: _held(verdicts[key], allowed) for key in goes}
    why = ""
    if (
        field.required
        and goes
        and not _with(of.live, of.declared, [key for key in goes if held[key] is None])
    ):
        # The server refuses the field without an element, and so it would at every apply.
        reason = next((reason for reason in held.values() if reason), "revert")
        why = f"{field.name}: the rest is held as well, since nothing would be left of a field that is required"
        held = dict.fromkeys(goes, reason)
    sent = [key for key in verdicts if key in goes and held[key] is None]
    parts = (_parts_of_map if field.kind == "map" else _parts_of_set)(
        field, sides, of, verdicts, held
    )
    form = Verdict.FORM in verdicts.values()
    settled = not any(held.values()) and not form
    send = assemble(field, _with(of.live, of.declared, sent)) if sent else UNSET
    merged = Merged(tuple(parts), send, settled, form, why=why)
    if settled or sides.applied is UNSET:
        return merged
    done = [key for key, verdict in verdicts.items() if verdict is Verdict.SAME or key in sent]
    return replace(
        merged,
        applied=assemble(field, _with(of.applied, of.declared, done)),
        observed=assemble(field, _with(of.observed, of.declared, done)),
    )


def _element_verdicts(field: Field, of: _Elements, has_base: bool) -> dict[str, Verdict]:
    """The row of the table for each element that the files or the base name; the others belong to
    other people.
    """
    verdicts = {}
    for key in [*of.declared, *(key for key in of.applied if key not in of.declared)]:
        one = FieldVersions(
            of.declared.get(key, _ABSENT),
            of.applied.get(key, UNSET),
            of.observed.get(key, _ABSENT) if key in of.applied and has_base else UNSET,
            of.live.get(key, _ABSENT),
        )
        verdicts[key] = _judge(
            one, lambda left, right: _same_element(field, left, right), lambda x: x is _ABSENT
        )
    return verdicts


def _same_element(field: Field, left: Value, right: Value) -> bool:
    if left is _ABSENT or right is _ABSENT:
        return left is right
    return same_element(field, left, right)


def _with(
    live: Mapping[str, Value], declared: Mapping[str, Value], keys: list[str]
) -> dict[str, Value]:
    """The live elements, with those of `keys` as declared: added, changed, or taken out."""
    result = dict(live)
    for key in keys:
        if key in declared:
            result[key] = declared[key]
        else:
            result.pop(key, None)
    return result


def _parts_of_map(
    field: Field,
    sides: FieldVersions,
    of: _Elements,
    verdicts: Mapping[str, Verdict],
    held: Mapping[str, str | None],
) -> list[FieldDiff]:
    """One part for each entry."""
    return [
        FieldDiff(
            (field.name, str(key)),
            of.live.get(key),
            of.declared.get(key),
            verdicts[key],
            held[key],
            of.applied.get(key),
        )
        for key in verdicts
        if key in held
    ]


def _parts_of_set(
    field: Field,
    sides: FieldVersions,
    of: _Elements,
    verdicts: Mapping[str, Verdict],
    held: Mapping[str, str | None],
) -> list[FieldDiff]:
    """One part for what is sent, and one for each permission that is missing; values are whole lists."""
    before = assemble(field, of.live)
    applied = None if sides.applied is UNSET else sides.applied
    groups: dict[str | None, list[str]] = {}
    for key in verdicts:
        if key in held:
            groups.setdefault(held[key], []).append(key)
    return [
        FieldDiff(
            (field.name,),
            before,
            assemble(field, _with(of.live, of.declared, keys)),
            verdicts[keys[0]],
            why,
            applied,
        )
        for why, keys in groups.items()
    ]
