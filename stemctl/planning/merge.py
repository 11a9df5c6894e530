"""Three-way comparison of one field: the files, what was applied, what was observed, what is live.

    D declared, A applied (what we sent last), O observed (what the server then answered), L live

    D = L                    same      nothing to send
    D = A, L = O             form      the server holds it in its own form; nothing to send
    D ≠ A, L = O             edited    send D
    D = A, L ≠ O             drift     changed on the server; sent only with permission `revert`
    D ≠ A, L ≠ O, D ≠ L      conflict  both changed it; nothing of the record is sent
    no base, L empty         fill      send D
    no base, L not empty     replace   another value; sent only with permission `replace`

Sets and maps are compared in the same way, element by element. An element that is neither declared
nor applied belongs to other people: it is never compared and never removed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stemctl.planning.values import (
    assemble,
    elements_alike,
    identical,
    is_empty,
    same,
    same_element,
    shared_keys,
)
from stemctl.schema.fields import Field
from stemctl.util.json_types import Value


class Unset(enum.Enum):
    """Marks a value that is not there at all, where null would be a value."""

    UNSET = "unset"


UNSET = Unset.UNSET


class MergeCase(enum.Enum):
    """The row of the table above that applies."""

    SAME = "same"
    FORM = "form"
    EDITED = "edited"
    FILL = "fill"
    DRIFT = "drift"
    CONFLICT = "conflict"
    REPLACE = "replace"


_PERMISSION = {
    MergeCase.DRIFT: "revert",
    MergeCase.REPLACE: "replace",
    MergeCase.CONFLICT: "conflict",
}


class FieldVersions(Struct, frozen=True):
    """The four values of one field.

    `applied` and `observed` are UNSET without a base, `live` where the answer lacks the field.
    """

    declared: Value
    applied: Value = UNSET
    observed: Value = UNSET
    live: Value = UNSET

    @property
    def has_base(self) -> bool:
        """Whether the field was applied before."""
        return self.applied is not UNSET


class FieldDiff(Struct, frozen=True):
    """One difference.

    `path` is the field, or field and entry of a map. `held` is the missing permission, or
    `conflict`. `base` is what was applied.
    """

    path: tuple[str, ...]
    before: Value
    after: Value
    case: MergeCase
    held: str | None = None
    base: Value = None


class Merged(Struct, frozen=True):
    """The result for one field: its differences, and the value to send (UNSET if there is none).

    `settled` is true where the base becomes what the files and the server say, once what is sent
    has arrived. Where only some elements of a set or map are settled, `applied` and `observed` are
    the base with only those moved. `form` is true where the server holds its own form of the value.
    """

    diffs: tuple[FieldDiff, ...] = ()
    send: Value = UNSET
    settled: bool = True
    form: bool = False
    applied: Value = UNSET
    observed: Value = UNSET
    why: str = ""
    """Explains to people why something is held."""
    notes: tuple[str, ...] = ()
    """What people should know, although nothing is sent for it."""


_SAME = Merged()


def merge_field(field: Field, versions: FieldVersions, allowed: Collection[str]) -> Merged:
    """Compare one field three ways.

    Args:
        field: its row in the table.
        versions: the four values, references resolved.
        allowed: the permissions that this record has: `revert`, `replace`.
    """
    if identical(versions.declared, versions.live):
        return _SAME  # most fields of most plans; the rules below would say the same
    ambiguous = field.keyed and bool(shared_keys(field, versions.live))
    if field.merges and versions.live is not UNSET and not ambiguous:
        return _merge_elements(field, versions, allowed)
    case = case_of(
        versions,
        lambda left, right: same(field, left, right),
        lambda value: is_empty(field, value),
    )
    if ambiguous and case is not MergeCase.SAME:
        # The server has several entries of one name: the declared map would drop all but one.
        case = MergeCase.REPLACE
    if case is MergeCase.SAME:
        return _SAME
    if case is MergeCase.FORM:
        return Merged(settled=False, form=True)
    held = permission_for(case, allowed)
    before = None if versions.live is UNSET else versions.live
    base = versions.applied if versions.has_base else None
    diff = FieldDiff((field.name,), before, versions.declared, case=case, held=held, base=base)
    return Merged((diff,), UNSET if held else versions.declared, settled=not held)


def case_of(
    versions: FieldVersions, equal: Callable[[Value, Value], bool], empty: Callable[[Value], bool]
) -> MergeCase:
    """The row of the module's table.

    An unknown live value is taken to be what was observed. Without a base it may be anything, so it
    is sent only with the permission to replace.
    """
    declared, applied, live = versions.declared, versions.applied, versions.live
    observed = applied if versions.observed is UNSET else versions.observed
    if live is UNSET:
        if not versions.has_base:
            return MergeCase.SAME if empty(declared) else MergeCase.REPLACE
        return MergeCase.FORM if equal(declared, applied) else MergeCase.EDITED
    if equal(declared, live):
        return MergeCase.SAME
    if not versions.has_base:
        return MergeCase.FILL if empty(live) else MergeCase.REPLACE
    if equal(declared, applied):
        return MergeCase.FORM if equal(live, observed) else MergeCase.DRIFT
    return MergeCase.EDITED if equal(live, observed) else MergeCase.CONFLICT


def permission_for(case: MergeCase, allowed: Collection[str]) -> str | None:
    """The permission that is missing, or `conflict`; None if it may be sent."""
    needed = _PERMISSION.get(case)
    return None if needed in allowed else needed


# Sets and maps, element by element

_ABSENT: Value = object()


class _Elements(Struct, frozen=True):
    """The elements of all versions, under the same keys.

    Without a base, `applied` and `observed` are empty.
    """

    declared: Mapping[str, Value]
    live: Mapping[str, Value]
    applied: Mapping[str, Value]
    observed: Mapping[str, Value]

    def with_declared(
        self, elements: Mapping[str, Value], keys: Collection[str]
    ) -> dict[str, Value]:
        """The elements, with those of `keys` as declared: added, changed, or removed."""
        result = dict(elements)
        for key in keys:
            if key in self.declared:
                result[key] = self.declared[key]
            else:
                result.pop(key, None)
        return result


class _Element(Struct, frozen=True):
    """The result for one element that the files or the base name."""

    key: str
    case: MergeCase
    held: str | None

    @property
    def differs(self) -> bool:
        """Whether there is something to send or to hold."""
        return self.case not in (MergeCase.SAME, MergeCase.FORM)


def _elements_of(field: Field, versions: FieldVersions) -> _Elements:
    applied = versions.applied if versions.has_base else None
    observed = applied if versions.observed is UNSET else versions.observed
    return _Elements(*elements_alike(field, versions.declared, versions.live, applied, observed))


def _merge_elements(field: Field, versions: FieldVersions, allowed: Collection[str]) -> Merged:
    of = _elements_of(field, versions)
    results = _compare_elements(field, of, allowed, has_base=versions.has_base)
    results, why = _keep_one_element(field, of, results)
    sent = [element.key for element in results if element.differs and element.held is None]
    form = any(element.case is MergeCase.FORM for element in results)
    settled = not form and not any(element.held for element in results)
    if field.keyed:
        diffs = _diffs_of_map(field, of, results)
    else:
        base = versions.applied if versions.has_base else None
        diffs = _diffs_of_set(field, of, results, base=base)
    merged = Merged(
        diffs,
        assemble(field, of.with_declared(of.live, sent)) if sent else UNSET,
        settled,
        form,
        why=why,
    )
    if settled or not versions.has_base:
        return merged
    done = [
        element.key
        for element in results
        if element.case is MergeCase.SAME or (element.differs and element.held is None)
    ]
    return replace(
        merged,
        applied=assemble(field, of.with_declared(of.applied, done)),
        observed=assemble(field, of.with_declared(of.observed, done)),
    )


def _compare_elements(
    field: Field, of: _Elements, allowed: Collection[str], *, has_base: bool
) -> list[_Element]:
    """The result for each element that the files or the base name; the others are left alone."""
    removed = [key for key in of.applied if key not in of.declared]
    results = []
    for key in (*of.declared, *removed):
        was_applied = has_base and key in of.applied
        versions = FieldVersions(
            declared=of.declared.get(key, _ABSENT),
            applied=of.applied.get(key, UNSET),
            observed=of.observed.get(key, _ABSENT) if was_applied else UNSET,
            live=of.live.get(key, _ABSENT),
        )
        case = case_of(
            versions,
            lambda left, right: _same_element(field, left, right),
            lambda element: element is _ABSENT,
        )
        results.append(_Element(key, case, permission_for(case, allowed)))
    return results


def _keep_one_element(
    field: Field, of: _Elements, results: list[_Element]
) -> tuple[list[_Element], str]:
    """The results, all differences held if sending the others would empty a required field.

    The server refuses a required field without an element, and it would at every apply.
    """
    differing = [element for element in results if element.differs]
    sent = [element.key for element in differing if element.held is None]
    if not (field.required and differing) or of.with_declared(of.live, sent):
        return results, ""
    reason = next((element.held for element in differing if element.held), "revert")
    why = f"{field.name} is required and would be empty, so all of its changes are held"
    return [
        replace(element, held=reason) if element.differs else element for element in results
    ], why


def _same_element(field: Field, left: Value, right: Value) -> bool:
    if left is _ABSENT or right is _ABSENT:
        return left is right
    return same_element(field, left, right)


def _diffs_of_map(
    field: Field, of: _Elements, results: Sequence[_Element]
) -> tuple[FieldDiff, ...]:
    """One difference for each entry."""
    return tuple(
        FieldDiff(
            (field.name, str(element.key)),
            of.live.get(element.key),
            of.declared.get(element.key),
            case=element.case,
            held=element.held,
            base=of.applied.get(element.key),
        )
        for element in results
        if element.differs
    )


def _diffs_of_set(
    field: Field, of: _Elements, results: Sequence[_Element], *, base: Value
) -> tuple[FieldDiff, ...]:
    """One difference for what is sent, and one per missing permission; values are whole lists."""
    groups: dict[str | None, list[_Element]] = {}
    for element in results:
        if element.differs:
            groups.setdefault(element.held, []).append(element)
    before = assemble(field, of.live)
    return tuple(
        FieldDiff(
            (field.name,),
            before,
            assemble(field, of.with_declared(of.live, [element.key for element in group])),
            case=group[0].case,
            held=held,
            base=base,
        )
        for held, group in groups.items()
    )
