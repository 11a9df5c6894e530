"""The users of the sandbox, their tokens and their rights as members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from stemctl.util.json_types import Value


class User(Struct, frozen=True):
    """An account. With `in_lab`, it is a member of all seeded records without members."""

    token: str
    id: int
    email: str
    name: str
    administrator: bool = False
    can_write: bool = True
    in_lab: bool = False


_ALL = (
    User("sandbox-user", 1, "user@lab.example", "Lab member", in_lab=True),
    User("sandbox-reader", 2, "reader@lab.example", "Lab guest", can_write=False, in_lab=True),
    User("sandbox-admin", 3, "admin@sandbox.example", "Administrator", administrator=True),
    User("sandbox-other", 4, "other@elsewhere.example", "Member of another lab"),
)

USERS: Mapping[str, User] = {user.token: user for user in _ALL}
"""Fixed tokens. The device login issues further ones."""

BY_EMAIL: Mapping[str, User] = {user.email: user for user in _ALL}

RIGHTS = ("can_change", "is_manager", "is_owner")
"""The flags of a member. Each allows changing the record and its dependent records."""

MANAGES, OWNS = ("is_manager", "is_owner"), ("is_owner",)
"""Those that allow changing members, and what only owners may change."""


def sole_owner(user: User, rights: Iterable[str] = RIGHTS) -> dict[str, Value]:
    """The members of a record that `user` creates."""
    return {user.email: dict.fromkeys(rights, True)}


def are_members(value: Value) -> bool:
    """Whether a value maps e-mail addresses to objects."""
    return isinstance(value, dict) and all(isinstance(rights, dict) for rights in value.values())


def merged_members(
    members: Mapping[str, Value], sent: Mapping[str, Value], rights: Iterable[str] = RIGHTS
) -> dict[str, Value]:
    """The members after a change. Members that are not sent do not change.

    Rights that are not sent are removed, and `remove` removes the member.
    """
    kept = {email: flags for email, flags in members.items() if email not in sent}
    named = {email: flags for email, flags in sent.items() if flags.get("remove") is not True}
    names = tuple(rights)
    return kept | {
        email: {name: flags.get(name) is True for name in names} for email, flags in named.items()
    }


def lab_members(rights: Iterable[str] = RIGHTS) -> dict[str, Value]:
    """The members of a seeded record without members: all users of the lab."""
    names = tuple(rights)
    return {user.email: dict.fromkeys(names, user.can_write) for user in _ALL if user.in_lab}
