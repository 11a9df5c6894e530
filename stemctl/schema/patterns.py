"""Regular expressions of the generated schemas, which Python and ECMAScript must read alike.

So: no `\\d` and no `\\s` where they differ, and no bare `$`, which in Python also matches before a
last line end.
"""

from __future__ import annotations

import re

from stemctl.util.late_pattern import late_pattern

_PIECE = late_pattern(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
"""An escape, a class of characters, or an end."""

_ASCII = {"\\d": "0-9", "\\w": "A-Za-z0-9_"}
"""What ECMAScript takes these for; to Python they are the digits and letters of all scripts."""


def portable(pattern: str) -> str:
    """`pattern` so that its ends are the end, and its digits and letters the same ones, in every
    dialect.
    """
    return _PIECE.sub(lambda found: _portable(found[0]), pattern)


def _portable(piece: str) -> str:
    if piece == "$":
        return "$(?!\\n)"
    if piece.startswith("["):
        return re.sub(r"\\.", lambda found: _ASCII.get(found[0], found[0]), piece, flags=re.DOTALL)
    return f"[{_ASCII[piece]}]" if piece in _ASCII else piece


_CONTROL = "\\u0000-\\u001f\\u007f-\\u009f"
CONTROL = f"[{_CONTROL}]"
NO_CONTROL = portable(f"^[^{_CONTROL}]*$")
ADDRESS_TAIL = portable(f"(?=[\\s\\ufeff]*[^\\s\\ufeff])[^{_CONTROL}]*$")
"""A key: not blank, no control characters."""
KEY = f"^{ADDRESS_TAIL}"
CLEARABLE_KEY = f"{portable('^$')}|{KEY}"
"""The same, or the empty text that clears a name."""

_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    "(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP_YEAR}-02-29)"
)
_CLOCK = "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
_OFFSET = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_IN_CALENDAR = "(?!0001-01-01T.*[+]|9999-12-31T.*-)"
"""Without the times that are before or after all calendars in UTC, and those next to them."""
NOT_BLANK = portable("^[\\s\\ufeff]*[^\\s\\ufeff]")
"""A text that is not empty once it is trimmed."""
DATE = portable(f"^{_DAY}$")
INSTANT = portable(f"^{_IN_CALENDAR}{_DAY}(?:{_CLOCK}{_OFFSET})?$")
"""A day, or a date-time of RFC 3339 with its offset: no `format` names both."""
LOCAL_INSTANT = portable(f"^{_IN_CALENDAR}{_DAY}(?:{_CLOCK}{_OFFSET}?)?$")
"""The same in a lab with a time zone, where a time may have no offset."""

_PATH_CHARACTER = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_NO_MAIL = "\\s\\u0000-\\u0020\\u007f-\\u00a0\\ufeff"
ALTERNATIVES = {
    "uuid": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "email": f"^[^@{_NO_MAIL}]+@(?:[^@.{_NO_MAIL}]+\\.)+[^@.{_NO_MAIL}]+$",
    "uri": (
        "^(?:[Hh][Tt][Tt][Pp][Ss]?|[Ff][Tt][Pp])://(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+@)?"
        "[A-Za-z0-9._~-]+(?::[0-9]+)?"
        f"(?:/{_PATH_CHARACTER}*)*(?:\\?(?:{_PATH_CHARACTER}|[/?])*)?"
        f"(?:#(?:{_PATH_CHARACTER}|[/?])*)?$"
    ),
}
"""What a format takes, as a pattern that can stand beside others."""

FORMATS = {name: portable(pattern) for name, pattern in ALTERNATIVES.items()}

CLEARABLE = {name: portable(f"^$|{pattern}") for name, pattern in ALTERNATIVES.items()}
"""The same, or the empty text that clears a field."""

_MEANT = {
    "uuid": "An id looks like 01234567-89ab-cdef-0123-456789abcdef.",
    "uri": "An address begins with https://, http:// or ftp://, and has %20 for spaces.",
    "email": "An e-mail address is written NAME@DOMAIN.",
}

MEANT = {
    NOT_BLANK: "This text is required, and not blank.",
    KEY: "A name is not blank, and has no control characters.",
    CLEARABLE_KEY: "A name has no control characters, and is not blank.",
    DATE: "A day is written like 2024-03-12.",
    INSTANT: "Write a day like 2024-03-12, or a time with its offset: "
    "2024-03-12T14:00:00+01:00, ...T13:00:00Z.",
    LOCAL_INSTANT: "Write a day like 2024-03-12, or a time like 2024-03-12T14:00:00.",
    **{patterns[name]: text for patterns in (FORMATS, CLEARABLE) for name, text in _MEANT.items()},
}
"""What a pattern asks for, in words: what an editor shows in place of the pattern."""
