"""Which of the words that would be right is meant by one that is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_PLAUSIBLE = 0.6

_TELLING = 3
"""Fewer letters than these are part of many words."""


def nearest(word: str, candidates: Iterable[str], most: int = 3) -> list[str]:
    """The candidates that look like `word`, nearest first, upper and lower case being the same."""
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(word.casefold())
    found = []
    for candidate in dict.fromkeys(candidates):
        matcher.set_seq1(candidate.casefold())
        # The quick bounds spare the slow comparison for most of a long list.
        if matcher.real_quick_ratio() >= _PLAUSIBLE and matcher.quick_ratio() >= _PLAUSIBLE:
            ratio = matcher.ratio()
            if ratio >= _PLAUSIBLE:
                found.append((-ratio, candidate))
    return [candidate for _, candidate in sorted(found)[:most]]


def containing(word: str, candidates: Iterable[str], most: int = 5) -> list[str]:
    """The candidates that a word is a part of; none if it is too short, or part of too many."""
    part = re.sub(r"[\W_]+", "", word).casefold()
    found = [candidate for candidate in candidates if part in candidate.casefold()]
    return found if len(part) >= _TELLING and len(found) <= most else []


def edits(word: str, other: str) -> int:
    """How many letters must be added, removed or changed to make one word the other; in words that
    differ a lot, a few more than necessary.
    """
    pieces = difflib.SequenceMatcher(
        None, word.casefold(), other.casefold(), autojunk=False
    ).get_opcodes()
    return sum(max(a2 - a1, b2 - b1) for tag, a1, a2, b1, b2 in pieces if tag != "equal")
