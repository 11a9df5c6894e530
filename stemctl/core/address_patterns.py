"""Patterns of addresses: `*` and `?` are wildcards, and literal after a backslash.

Nothing else is special, not even `[`, which names of records contain.
"""

from __future__ import annotations

import fnmatch
import functools
import re

from stemctl.core.records import Address
from stemctl.util.late_pattern import late_pattern

_TOKEN = late_pattern(r"\\[*?\\]|.", re.DOTALL)
_SPECIAL = late_pattern(r"\\(?=[*?\\])|[*?]")


def is_pattern(text: str) -> bool:
    """Whether there is a wildcard in it."""
    return any(token in "*?" for token in _TOKEN.findall(text))


def literal(text: str) -> str:
    """The address that a text means which has no wildcard."""
    return "".join(token[-1] for token in _TOKEN.findall(text)) if "\\" in text else text


def escaped(address: str) -> str:
    """A pattern that matches this address alone."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", address)


def matches(pattern: str, address: Address) -> bool:
    """Whether a pattern matches an address; it also does if the two are equal as they are."""
    name = str(address)
    return pattern == name or fnmatch.fnmatchcase(name, _as_fnmatch(pattern))


@functools.lru_cache(1000)
def _as_fnmatch(pattern: str) -> str:
    """The same for `fnmatch`, where a character in brackets is itself."""
    return "".join(_translated(token) for token in _TOKEN.findall(pattern))


def _translated(token: str) -> str:
    if len(token) == 2:
        return f"[{token[1]}]"
    return "[[]" if token == "[" else token
