"""The names of characters that look like others, or like nothing."""

from __future__ import annotations

import unicodedata

_OTHER_NAMES = {"\ufeff": "BYTE ORDER MARK", "\t": "TAB", "\0": "NULL"}


def named(character: str) -> str:
    """A character by code point and name: `U+00A0 (NO-BREAK SPACE)`."""
    name = _OTHER_NAMES.get(character) or unicodedata.name(character, "")
    code = f"U+{ord(character):04X}"
    return f"{code} ({name})" if name else code
