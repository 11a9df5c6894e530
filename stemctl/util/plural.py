"""Counts and lists of things in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, word: str, plural: str = "") -> str:
    """A number and its noun: `1 record`, `1,200 records`. Without `plural`, the noun takes an s."""
    return f"{number:,} {inflected(number, word, plural)}"


def inflected(number: int, word: str, plural: str = "") -> str:
    """The form of a word that agrees with a number: `record`, `records`; `is`, `are`."""
    if number == 1:
        return word
    return plural or f"{word}s"


def joined(words: Sequence[str], last: str = "and") -> str:
    """A list in a sentence: `a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def first_few(names: Sequence[str], limit: int = 3) -> str:
    """The first names, and how many more there are: `a, b, c and 1,024 more`."""
    rest = len(names) - limit
    more = f" and {rest:,} more" if rest > 0 else ""
    return ", ".join(names[:limit]) + more
