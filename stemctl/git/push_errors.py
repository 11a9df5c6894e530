"""What git says when it fails, as what happened and what to do about it. Pure."""

from __future__ import annotations

import shlex
from pathlib import PurePath

from stemctl.errors import Hint, StateError
from stemctl.git.errors import quoted, ways_to_trust

_RACES = (
    "[rejected]",
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
)
_FORBIDDEN = (
    "protected branch",
    "gh006",
    "gh013",
    "hook declined",
    "not allowed to push",
    "prohibited",
    "rule viol",
)
_READ_ONLY = (
    "write access",
    "returned error: 403",
    "permission to",
    "read-only",
    "read only",
    "insufficient permission",
    "unpacker error",
    "unpack failed",
    "permission denied (13)",
    "unable to create temporary",
    "denied to",
)
_UNKNOWN_USER = (
    "could not read username",
    "could not read password",
    "authentication failed",
    "permission denied (publickey",
    "permission denied, please try again",
    "returned error: 401",
    "host key verification failed",
    "access denied",
)


class Damaged(StateError):
    """Our own repository does not work; what is on the remote is whole."""


def lost_race(said: str) -> bool:
    """Whether a push was refused because somebody else's came first."""
    lower = said.lower()
    return any(word in lower for word in _RACES) and not any(word in lower for word in _FORBIDDEN)


def not_pushed(said: str, remote: str, branch: str) -> StateError:
    """A push that was refused for good, or did not arrive. Nothing is sent to the server before one
    succeeds.
    """
    lower = said.lower()
    if any(word in lower for word in _FORBIDDEN):
        what = f"{remote} does not let you push to its branch {branch}."
        why = (
            "A rule or hook protects it. Whoever applies must be able to push to that branch, without a pull request:\n"
            f"take {branch} out of the rule, or name another branch in stemctl.yaml (state: branch)."
        )
    elif any(word in lower for word in _READ_ONLY):
        what = f"You may read {remote}, and not push to it."
        why = (
            f"The state is kept on its branch {branch}, and written before and after each apply.\n"
            "In a workflow of GitHub the job needs permissions: contents: write; a deploy key or token needs write."
        )
    else:
        return not_reached(said, remote)
    return StateError(what, f"{why}\nNothing was sent.{quoted(said)}")


def not_reached(said: str, remote: str) -> StateError:
    """A remote that did not answer, or does not know us."""
    lower = said.lower()
    hint: list[Hint] = [
        *ways_to_trust(said),
        (f"git ls-remote {remote}", "asks it as stemctl does"),
    ]
    if any(word in lower for word in _UNKNOWN_USER):
        return StateError(
            f"{remote} does not know you.",
            "The state of this server is kept there; the keys or passwords are those of your git."
            f" Nothing was sent.{quoted(said)}",
            hint,
        )
    return StateError(
        f"{remote} cannot be reached.",
        f"The state of this server is kept there. Nothing was sent.{quoted(said)}",
        hint,
    )


def stuck(said: str, remote: str, branch: str) -> StateError:
    """A push that is refused as if somebody else's came first, while nobody's did."""
    return StateError(
        f"{remote} takes no push to its branch {branch}, which has not moved.",
        "A pushurl that leads to another repository than the url does, or a git that died there and left a lock."
        f"\nNothing was sent.{quoted(said)}",
        [(f"git remote get-url --push {remote}", "shows where pushes go")],
    )


def damaged(said: str, folder: PurePath) -> Damaged:
    """Our own repository does not work."""
    why = f"It only holds what was fetched, and can be removed.\nNothing was sent.{quoted(said)}"
    remedy = (f"rm -r {shlex.quote(str(folder))}", "it is made and fetched again")
    return Damaged(f"{folder} cannot be used by git.", why, [remedy])
