"""Three-way comparison of members, entry by entry: what is sent names only those that change.

Beside the rules of `planning.merge`: an entry `{remove: true}` takes out whoever added it. Who was
added and is not there yet may be invited, so he is pending. Nobody is invited twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.plan import Held
from stemctl.planning.members import (
    REMOVE,
    Rights,
    as_written,
    demoted,
    entries_in,
    key_of,
    locked_out,
    members_of,
    removals_in,
)
from stemctl.planning.merge import (
    UNSET,
    FieldDiff,
    FieldVersions,
    MergeCase,
    Merged,
    case_of,
    permission_for,
)
from stemctl.schema.fields import Field
from stemctl.util.json_types import Value

_ABSENT: Value = object()


class Invited(Struct, frozen=True):
    """The keys of those who are invited to a record; None if that could not be read. `maybe` are
    those who may be, since the answer to the request was lost.
    """

    keys: frozenset[str] | None = None
    maybe: frozenset[str] = frozenset()


NOBODY_KNOWN = Invited()


class _Entry(Struct, frozen=True):
    """The result for one member that the files or the base name."""

    key: str
    versions: FieldVersions
    case: MergeCase
    held: str | None = None
    note: str = ""

    @property
    def differs(self) -> bool:
        """Whether there is something to send or to hold."""
        return self.case not in (MergeCase.SAME, MergeCase.FORM)

    @property
    def is_sent(self) -> bool:
        """Whether it is among what is sent."""
        return self.differs and self.held is None


class _Sides(Struct, frozen=True):
    """The members of all versions, by their keys. `out` and `was_out` are those to take out."""

    declared: Mapping[str, Rights]
    out: Collection[str]
    applied: Mapping[str, Rights]
    was_out: Collection[str]
    observed: Mapping[str, Rights]
    live: Mapping[str, Rights]

    @property
    def keys(self) -> Sequence[str]:
        """All that the files or the base name."""
        return tuple(dict.fromkeys((*self.declared, *sorted(self.out), *self.applied)))

    def of(self, key: str) -> FieldVersions:
        """The versions of one member."""
        has_base = key in self.applied or (key in self.was_out and key in self.out)
        applied, live = self.applied.get(key, _ABSENT), self.live.get(key, _ABSENT)
        # Who accepts an invitation has what was applied: no one else changed it.
        observed = applied if live == applied else self.observed.get(key, _ABSENT)
        return FieldVersions(
            declared=self.declared.get(key, _ABSENT),
            applied=applied if has_base else UNSET,
            observed=observed if has_base else UNSET,
            live=live,
        )


def merge_members(
    row: Field, versions: FieldVersions, allowed: Collection[str], invited: Invited
) -> Merged:
    """Compare the members of a record; `allowed` are the permissions that it has."""
    sides = _sides(row, versions)
    names = as_written(versions.live, versions.declared, _base(versions))
    entries = [
        _compare(sides, key, names[key], allowed=allowed, invited=invited) for key in sides.keys
    ]
    send = {
        names[entry.key]: _sent(versions.declared, entry.key) for entry in entries if entry.is_sent
    }
    why = locked_out(row, versions.live, send)
    if why:
        entries = [
            replace(entry, held=Held.BLOCKED.value) if entry.is_sent else entry for entry in entries
        ]
        send = {}
    diffs = (
        _diff(row, names[entry.key], entry, entry.key in sides.out)
        for entry in entries
        if entry.differs
    )
    loses = (_DEMOTED.format(name) for name in demoted(row, versions.live, send))
    waiting = [entry.note for entry in entries if entry.held == Held.PENDING]
    merged = Merged(
        tuple(diffs),
        send or UNSET,
        settled=not any(entry.held for entry in entries),
        why=why or "; ".join(waiting),
        notes=(*(entry.note for entry in entries if entry.note and not entry.held), *loses),
    )
    if merged.settled or not versions.has_base:
        return merged
    return replace(
        merged,
        applied=_moved(versions.applied, versions, entries),
        observed=_moved(_observed(versions), versions, entries, is_answer=True),
    )


def _base(versions: FieldVersions) -> Value:
    return versions.applied if versions.has_base else None


def _observed(versions: FieldVersions) -> Value:
    return _base(versions) if versions.observed is UNSET else versions.observed


def _sides(row: Field, versions: FieldVersions) -> _Sides:
    base = _base(versions)
    return _Sides(
        members_of(row, versions.declared),
        removals_in(versions.declared),
        members_of(row, base),
        removals_in(base),
        members_of(row, _observed(versions)),
        members_of(row, versions.live),
    )


def _compare(
    sides: _Sides, key: str, name: str, *, allowed: Collection[str], invited: Invited
) -> _Entry:
    of = sides.of(key)
    case = case_of(of, lambda left, right: left == right, lambda rights: rights is _ABSENT)
    if key in sides.out and not of.has_base and of.live is not _ABSENT:
        case = MergeCase.EDITED  # the entry asks for nothing else
    if of.live is not _ABSENT:
        return _Entry(key, of, case, permission_for(case, allowed))
    was_invited = of.has_base and of.applied is not _ABSENT and of.observed is _ABSENT
    is_invited = was_invited if invited.keys is None else key in invited.keys
    if of.declared is _ABSENT:
        stays = was_invited and is_invited
        return _Entry(key, of, case, note=_STAYS.format(name) if stays else "")
    if key in invited.maybe and not is_invited:
        return _Entry(key, of, case, Held.PENDING.value, _MAYBE.format(name))
    if case is MergeCase.FORM or (case is MergeCase.FILL and is_invited):
        note = _PENDING if is_invited else _DECLINED
        return _Entry(key, of, MergeCase.SAME, note=note.format(name))
    if is_invited:
        return _Entry(key, of, case, Held.PENDING.value, _PENDING.format(name))
    return _Entry(key, of, case, permission_for(case, allowed))


_PENDING = "{} is invited, and becomes a member by accepting"
_DEMOTED = "{} loses the highest right; if that is you, only another owner can give it back"
_MAYBE = "{} may be invited: the answer was lost; a plan in a minute looks at the invitations"
_STAYS = "{} is still invited; the invitation can be cancelled in the browser"
_DECLINED = (
    "{} was invited, but is neither a member nor invited now; to invite again, apply without the "
    "entry, and then with it"
)


def _sent(declared: Value, key: str) -> Value:
    """What is sent of a member: the rights as written, or that he is taken out."""
    for name, rights in entries_in(declared).items():
        if key_of(name) == key:
            return rights
    return {REMOVE: True}


def _diff(row: Field, name: str, entry: _Entry, is_out: bool) -> FieldDiff:
    of = entry.versions
    return FieldDiff(
        (row.name, name),
        _shown(of.live),
        {REMOVE: True} if is_out else _shown(of.declared),
        case=entry.case,
        held=entry.held,
        base=_shown(of.applied) if of.has_base else None,
    )


def _shown(rights: Value) -> Value:
    """The rights that a member has; all of them if he has none."""
    if rights is _ABSENT:
        return None
    return {name: has for name, has in rights.items() if has} or dict(rights)


def _moved(
    base: Value, versions: FieldVersions, entries: Sequence[_Entry], is_answer: bool = False
) -> Value:
    """A base with those members moved that are as the files say, or will be."""
    moved, declared, live = map(_by_key, (base, versions.declared, versions.live))
    for entry in entries:
        if entry.held:
            continue
        now = live if is_answer and not entry.is_sent else declared
        if entry.key in now:
            moved[entry.key] = now[entry.key]
        else:
            moved.pop(entry.key, None)
    return dict(moved.values())


def _by_key(value: Value) -> dict[str, tuple[str, Value]]:
    return {key_of(name): (name, rights) for name, rights in entries_in(value).items()}
