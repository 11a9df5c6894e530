"""What git says when it fails, as what happened and what to do about it. Pure."""

from __future__ import annotations

import re

from stemctl.errors import Hint, StateError
from stemctl.masking import MASK, masked
from stemctl.render.wording import visible

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
_FORBIDDEN = ("protected branch", "gh006", "gh013", "hook declined", "not allowed to push", "prohibited", "rule viol")
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


_SAID_ALWAYS = ("hint:", "Done", "To ", "Please make sure you have the correct access", "and the repository exists.")
_HEADER = re.compile(r"(?i)\b(basic|bearer|token) [\w+/=.~-]{16,}")
"""What a helper gave to git, sent back by whoever refused it."""


class Damaged(StateError):
    """Our own repository does not work; what is on the remote is whole."""


def lost_race(said: str) -> bool:
    """Whether a push was refused because somebody else's came first."""
    lower = said.lower()
    return any(word in lower for word in _RACES) and not any(word in lower for word in _FORBIDDEN)


def not_pushed(said: str, remote: str, branch: str) -> StateError:
    """A push that was refused for good, or did not arrive. Nothing is sent to the server before one succeeds."""
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
    return StateError(what, f"{why}\nNothing was sent.{_quoted(said)}")


def not_reached(said: str, remote: str) -> StateError:
    """A remote that did not answer, or does not know us."""
    lower = said.lower()
    hint: list[Hint] = [*ways_to_trust(said), (f"git ls-remote {remote}", "asks it as stemctl does")]
    if any(word in lower for word in _UNKNOWN_USER):
        return StateError(
            f"{remote} does not know you.",
            "The state of this server is kept there; the keys or passwords are those of your git."
            f" Nothing was sent.{_quoted(said)}",
            hint,
        )
    return StateError(
        f"{remote} cannot be reached.",
        f"The state of this server is kept there. Nothing was sent.{_quoted(said)}",
        hint,
    )


def stuck(said: str, remote: str, branch: str) -> StateError:
    """A push that is refused as if somebody else's came first, while nobody's did."""
    return StateError(
        f"{remote} takes no push to its branch {branch}, which has not moved.",
        "A pushurl that leads to another repository than the url does, or a git that died there and left a lock."
        f"\nNothing was sent.{_quoted(said)}",
        [(f"git remote get-url --push {remote}", "shows where pushes go")],
    )


def damaged(said: str, folder: str) -> Damaged:
    """Our own repository does not work."""
    why = f"It only holds what was fetched, and can be removed.\nNothing was sent.{_quoted(said)}"
    return Damaged(f"{folder} cannot be used by git.", why, [(f"rm -r {folder}", "it is made and fetched again")])


def ways_to_trust(said: str) -> list[Hint]:
    """What to type where git does not trust a folder of somebody else's."""
    found = re.search(r"--add safe\.directory (.+)", said)
    return [(f"git config --global --add safe.directory {found[1]}", "if you trust its owner")] if found else []


def _quoted(said: str) -> str:
    """The lines of git that tell the most: the last ones that do not stand under every failure."""
    lines = [_HEADER.sub(rf"\1 {MASK}", line) for line in masked(said).splitlines()]
    told = [line.rstrip() for line in lines if line.strip() and not line.startswith(_SAID_ALWAYS)]
    told = [line for line in told if line.startswith("remote: ")] or told  # what the remote says, says why
    return "".join(f"\ngit: {visible(line)[:200]}" for line in told[-3:])
