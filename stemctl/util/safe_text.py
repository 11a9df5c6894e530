"""Text that a terminal does not obey: control characters and direction marks written out."""

from __future__ import annotations

import json
import re

from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

_UNSEEN = (
    "\x00-\x1f\x7f-\x9f"  # control characters
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # invisible, such as directions
    "\ud800-\udfff"  # half characters, which no file takes
)
_CONTROL = late_pattern(f"[{_UNSEEN}]")
_OURS = late_pattern(f"\x1b\\[(?:0|1|2|31|32|33|34)m|\n|[{_UNSEEN}]")


def visible(text: str) -> str:
    """The text with control characters and direction marks written out, without their effect."""
    if text.isascii() and text.isprintable():  # most text, and faster than a search
        return text
    return _CONTROL.sub(lambda found: _escape(found[0]), text)


def cut(text: str, most: int) -> str:
    """The beginning of a text that would fill the screen, and how long it is."""
    return text if len(text) <= most else f"{text[: most - 24]}… ({len(text):,} characters)"


def harmless(text: str, colour: bool, lines: bool = True) -> str:
    """A screen with the same written out, but for its own line ends, if it has `lines`, and its own
    colours.
    """

    if text.isascii() and text.isprintable():
        return text

    def kept(found: re.Match[str]) -> str:
        ours = lines if found[0] == "\n" else colour and len(found[0]) > 1
        return found[0] if ours else visible(found[0])

    return _OURS.sub(kept, text)


def _escape(character: str) -> str:
    code = ord(character)
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    return short or (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def has_unseen(text: str) -> bool:
    """Whether there is a character in a text that `visible` writes out."""
    return _CONTROL.search(text) is not None


def json_text(value: Value, ascii_only: bool = False) -> str:
    """JSON for terminals and programs: invisible characters are escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=ascii_only)
    return (
        text
        if ascii_only
        else _OURS.sub(lambda f: f[0] if f[0] == "\n" else json.dumps(f[0])[1:-1], text)
    )
