"""What git says, as part of a message. Pure."""

from __future__ import annotations

import re
import shlex

from stemctl.errors import Hint, StateError
from stemctl.util.redact import MASK, masked
from stemctl.util.safe_text import visible

_SAID_ALWAYS = (
    *(
        "hint:",
        "Done",
        "To ",
        "Please make sure you have the correct access",
        "and the repository exists.",
    ),
    *("To add an exception for this directory, call:", "git config --global --add safe.directory"),
)
"""What stands under many failures, or is said by a hint."""

_HEADER = re.compile(r"(?i)\b(basic|bearer|token) [\w+/=.~-]{16,}")
"""What a helper gave to git, sent back by whoever refused it."""

_OWNER = re.compile(r"--add safe\.directory (.+)")
_BARE = "safe.barerepository"


def quoted(said: str, most: int = 3) -> str:
    """The lines of git that tell the most: the last ones that do not stand under every failure."""
    lines = [_HEADER.sub(rf"\1 {MASK}", line).strip() for line in masked(said).splitlines()]
    told = [line for line in lines if line and not line.startswith(_SAID_ALWAYS)]
    told = [
        line for line in told if line.startswith("remote: ")
    ] or told  # what the remote says, says why
    return "".join(f"\ngit: {visible(line)[:200]}" for line in told[-most:])


def ways_to_trust(said: str) -> list[Hint]:
    """What to type where git does not trust a folder of another owner."""
    found = _OWNER.search(said)
    if found is None:
        return []
    command = f"git config --global --add safe.directory {visible(found[1])}"
    return [(command, "if you trust its owner")]


def unanswered(said: str, folder: object) -> StateError:
    """A git that could not answer. Its silence means neither yes nor no, so the command ends."""
    if _BARE in said.lower():
        return in_disguise(folder)
    hints = ways_to_trust(said) or [("git status", "asks git in the same way")]
    return StateError(
        "git cannot answer about this repository.",
        f"Asked in {folder}. Without its answer nothing is read or sent.{quoted(said, 2)}",
        hints,
    )


def in_disguise(folder: object) -> StateError:
    """A folder of the checkout that git would take for a repository, with settings that name commands."""
    return StateError(
        f"{folder} looks like a bare git repository.",
        "A checkout can hold one whose settings name commands, and git runs them: do not run git in that folder.\n"
        "Nothing was read or sent.",
        [(f"rm {shlex.quote(f'{folder}/HEAD')}", "makes it a folder like others")],
    )
