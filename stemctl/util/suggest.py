"""Which of the words that would be right is meant by one that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_PLAUSIBLE = 0.6


def nearest(word: str, candidates: Iterable[str], most: int = 3) -> list[str]:
    """The candidates that look like `word`, nearest first, upper and lower case being the same."""
    matcher = SequenceMatcher(autojunk=False)
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


def edits(word: str, other: str) -> int:
    """How many letters must be added, removed or changed to make one word the other; in words that
    differ a lot, a few more than necessary.
    """
    pieces = SequenceMatcher(None, word.casefold(), other.casefold(), autojunk=False).get_opcodes()
    return sum(max(a2 - a1, b2 - b1) for tag, a1, a2, b1, b2 in pieces if tag != "equal")
