"""Lists and numbers of things in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def joined(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return (
        f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
    )


def first_few(names: Sequence[str], limit: int = 3) -> str:
    """The first names, and how many more there are: `a, b, c and 1,024 more`."""
    rest = len(names) - limit
    more = f" and {rest:,} more" if rest > 0 else ""
    return ", ".join(names[:limit]) + more
