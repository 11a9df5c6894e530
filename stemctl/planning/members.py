"""Members of a record: a map of names to rights, as files write it and as the server answers it.

What is sent changes the members that it names, and no others. Rights that it does not name are
taken away, and `{remove: true}` takes out a member.
"""

from __future__ import annotations

from collections.abc import Mapping

from stemctl.schema.fields import Field
from stemctl.util.json_types import Fields, Value

REMOVE = "remove"

Rights = Mapping[str, bool]
"""Each right of the table, and whether a member has it."""


def key_of(name: str) -> str:
    """The name that tells a member apart: an e-mail address is the same in any case."""
    name = name.strip()
    return name.casefold() if "@" in name else name


def is_removal(rights: Value) -> bool:
    """Whether an entry takes out a member."""
    return isinstance(rights, dict) and rights.get(REMOVE) is True


def members_of(field: Field, value: Value) -> dict[str, Rights]:
    """The members in a value, by their keys; an entry that takes one out is none."""
    return {
        key_of(name): _rights(field, rights)
        for name, rights in entries_in(value).items()
        if not is_removal(rights)
    }


def removals_in(value: Value) -> set[str]:
    """The keys of those that a value takes out."""
    return {key_of(name) for name, rights in entries_in(value).items() if is_removal(rights)}


def as_written(*values: Value) -> dict[str, str]:
    """Key to name; the first value that has it decides how it is spelled."""
    found: dict[str, str] = {}
    for value in values:
        for name in entries_in(value):
            found.setdefault(key_of(name), name)
    return found


def added(value: Value) -> Fields:
    """A value without those that it takes out: what a new record is given."""
    return {name: rights for name, rights in entries_in(value).items() if not is_removal(rights)}


def after(field: Field, live: Value, sent: Value) -> dict[str, Rights]:
    """The members once a change has arrived."""
    found = {**members_of(field, live), **members_of(field, sent)}
    return {key: rights for key, rights in found.items() if key not in removals_in(sent)}


def has_arrived(field: Field, sent: Value, live: Value) -> bool:
    """Whether all that was sent is there. Who is only invited is not there yet."""
    there = members_of(field, live)
    wanted = members_of(field, sent)
    return not removals_in(sent) & there.keys() and all(
        there.get(key) == rights for key, rights in wanted.items()
    )


def refused(field: Field, sent: Value, live: Value) -> bool:
    """Whether the server holds something else than was sent, besides those that it may have
    invited.
    """
    there, wanted = members_of(field, live), members_of(field, sent)
    return bool(removals_in(sent) & there.keys()) or any(
        there[key] != rights for key, rights in wanted.items() if key in there
    )


def invited(field: Field, sent: Value, live: Value) -> list[str]:
    """The names that were sent and are not there yet."""
    there, names = members_of(field, live), as_written(sent)
    return sorted(names[key] for key in members_of(field, sent) if key not in there)


def locked_out(field: Field, live: Value, sent: Value) -> str:
    """Why a change must not be sent: no one would have the highest right any more.

    Empty if there is no reason. The rights of the table are in rising order.
    """
    if not field.members:
        return ""
    highest = list(field.members)[-1]
    before = [rights for rights in members_of(field, live).values() if rights[highest]]
    left = [rights for rights in after(field, live, sent).values() if rights[highest]]
    if not before or left:
        return ""
    return (
        f"{field.name}: no one would have {highest} any more, and no one could give it back: "
        f"give {highest} to another member, or write it again"
    )


def demoted(field: Field, live: Value, sent: Value) -> list[str]:
    """Those who lose the highest right by a change."""
    if not field.members:
        return []
    highest = list(field.members)[-1]
    then, names = after(field, live, sent), as_written(live)
    return sorted(
        names[key]
        for key, rights in members_of(field, live).items()
        if rights[highest] and not _has(then.get(key), highest)
    )


def _has(rights: Rights | None, name: str) -> bool:
    return rights is not None and rights[name]


def _rights(field: Field, rights: Value) -> Rights:
    given = rights if isinstance(rights, dict) else {}
    return {name: given.get(name) is True for name in field.members}


def entries_in(value: Value) -> Mapping[str, Value]:
    """Name to rights, as written or answered; a server may write an empty map as a list."""
    return value if isinstance(value, dict) else {}
