"""Which format of a state, plan or journal a key needs: what has none of the later keys is written
as it ever was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from stemctl.errors import StateError, Untouched

Format = Literal[1, 2, 3]

NEWEST = 3
"""What this program reads; of a newer one it would drop what it does not know."""

_SINCE: dict[str, Format] = {"folder": 2, "uncommitted": 2, "then": 3}
"""Keys that the first format did not have. An older program refuses a document that has one, and
reads all others.
"""


def format_of(keys: Iterable[str]) -> Format:
    """The oldest format that has all of these keys."""
    return max((_SINCE.get(key, 1) for key in keys), default=1)


def too_new(where: str, found: object, newest: int, untouched: Untouched) -> StateError:
    """The error for a document that a later version of stemctl wrote."""
    return StateError(
        f"{where} has format {found!s:.20}, this stemctl reads up to {newest}.",
        "A newer version of stemctl wrote it.",
        [("pip install --upgrade stemctl", "installs a version that can read it")],
        untouched,
    )
