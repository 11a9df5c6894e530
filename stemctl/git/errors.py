"""What git prints when it fails, as an error that says what happened and what to do. Pure."""

from __future__ import annotations

import shlex
from pathlib import PurePath

from stemctl.errors import Hint, StateError, Untouched
from stemctl.util.late_pattern import late_pattern
from stemctl.util.redact import MASK, masked
from stemctl.util.safe_text import visible

_NOISE = (
    "hint:",
    "Done",
    "To ",
    "Please make sure you have the correct access",
    "and the repository exists.",
    "To add an exception for this directory, call:",
    "git config --global --add safe.directory",
)
"""Beginnings of lines that git prints for many failures, or that our hints repeat."""

_HEADER = late_pattern(r"(?i)\b(basic|bearer|token) [\w+/=.~-]{16,}")
"""What a credential helper gave to git, sent back by a server that refused it."""

_OWNER = late_pattern(r"--add safe\.directory (.+)")
_BARE = "safe.barerepository"

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
    """A mirror does not work. What is on the remote is intact."""


# quoting git


def quoted(output: str, limit: int = 3) -> str:
    """The last lines that say why git failed, each on a line of its own."""
    lines = [_HEADER.sub(rf"\1 {MASK}", line).strip() for line in masked(output).splitlines()]
    telling = [line for line in lines if line and not line.startswith(_NOISE)]
    remote = [line for line in telling if line.startswith("remote: ")]
    chosen = remote or telling  # the remote knows best why it refused
    return "".join(f"\ngit: {visible(line)[:200]}" for line in chosen[-limit:])


def ways_to_trust(output: str) -> list[Hint]:
    """What to type if git does not trust a folder of another owner."""
    found = _OWNER.search(output)
    if found is None:
        return []
    command = f"git config --global --add safe.directory {visible(found[1])}"
    return [(command, "if you trust its owner")]


# the user's repository


def unanswered(output: str, folder: object) -> StateError:
    """Git could not answer. That means neither yes nor no, so the command ends."""
    if _BARE in output.lower():
        return bare_in_checkout(folder)
    hints = ways_to_trust(output) or [("git status", "shows whether git works here")]
    return StateError(
        "git cannot read this repository.",
        f"stemctl ran git in {folder}, and cannot continue without its answer.{quoted(output, 2)}",
        hints,
        Untouched.NOTHING_READ,
    )


def bare_in_checkout(folder: object) -> StateError:
    """A folder of the checkout that git takes for a repository, whose settings name commands."""
    return StateError(
        f"{folder} looks like a bare git repository.",
        "The settings of such a folder can make git run commands.\nDo not run git in that folder.",
        [(f"rm {shlex.quote(f'{folder}/HEAD')}", "makes it an ordinary folder")],
        Untouched.NOTHING_READ,
    )


# the remote


def lost_race(output: str) -> bool:
    """Whether a push was refused because someone else's came first."""
    lower = output.lower()
    return any(word in lower for word in _RACES) and not any(word in lower for word in _FORBIDDEN)


def not_pushed(output: str, remote: str, branch: str) -> StateError:
    """A push that was refused, or did not arrive. Requests are sent only after a push succeeded."""
    lower = output.lower()
    if any(word in lower for word in _FORBIDDEN):
        what = f"{remote} does not allow you to push to its branch {branch}."
        why = (
            "A rule or a hook protects it. You must be able to push to that branch"
            " without a pull request.\n"
            f"Exclude {branch} from the rule, or name another branch in stemctl.yaml"
            " (state: branch)."
        )
    elif any(word in lower for word in _READ_ONLY):
        what = f"You can read {remote}, but not push to it."
        why = (
            f"The state is kept on its branch {branch}. stemctl writes it before and after each"
            " apply.\n"
            "In a GitHub workflow, the job needs permissions: contents: write. A deploy key or"
            " token needs write access."
        )
    else:
        return not_reached(output, remote)
    return StateError(what, f"{why}{quoted(output)}", untouched=Untouched.NOTHING_SENT)


def not_reached(output: str, remote: str) -> StateError:
    """A remote that did not answer, or did not accept the user's credentials."""
    lower = output.lower()
    what = f"{remote} cannot be reached."
    why = "The state of this server is kept there."
    if any(word in lower for word in _UNKNOWN_USER):
        what = f"{remote} did not accept your credentials."
        why = f"{why} stemctl uses your git credentials."
    hints = [*ways_to_trust(output), (f"git ls-remote {remote}", "connects as stemctl does")]
    return StateError(what, f"{why}{quoted(output)}", hints, Untouched.NOTHING_SENT)


def stuck(output: str, remote: str, branch: str) -> StateError:
    """A push that is refused as if someone else's came first, although the branch did not move."""
    return StateError(
        f"{remote} refuses pushes to its branch {branch}, although the branch has not moved.",
        "Its pushurl may point to a different repository than its url, or a git process that was"
        f" killed may have left a lock there.{quoted(output)}",
        [(f"git remote get-url --push {remote}", "shows where pushes go")],
        Untouched.NOTHING_SENT,
    )


def damaged(output: str, folder: PurePath) -> Damaged:
    """A mirror that git cannot use."""
    return Damaged(
        f"git cannot use {folder}.",
        f"It contains only fetched data, so you can remove it.{quoted(output)}",
        [(f"rm -r {shlex.quote(str(folder))}", "stemctl creates and fetches it again")],
        Untouched.NOTHING_SENT,
    )
