"""What lies between the commit that was applied last and the one at hand. Values;
`branch/history.py` finds them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, with the first line of its message; empty where it is not known."""

    id: str
    subject: str


@dataclass(frozen=True, slots=True)
class CommitRange:
    """`brought_in`: the commits since the one that was applied last, the latest first. `missing`:
    those that were applied and are not part of the one at hand. `known` is False where the history
    here does not reach so far, `found` where the commit that was applied is on the remote neither,
    and `only_here` is True where no branch of a remote has it. `contained`: it is in another
    history, but all that it has is in HEAD (it was squashed, or rebased).
    """

    brought_in: tuple[Commit, ...] = ()
    missing: tuple[Commit, ...] = ()
    known: bool = True
    found: bool = True
    only_here: bool = False
    contained: bool = False
