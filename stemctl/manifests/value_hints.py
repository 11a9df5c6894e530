"""What to type in place of a value that does not have the format of its field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import quote

from stemctl.schema.patterns import FORMATS
from stemctl.util.late_pattern import late_pattern

UUID = "an id looks like `01234567-89ab-cdef-0123-456789abcdef`"

_WORDS = {
    "uuid": ("this is not a UUID", UUID),
    "uri": (
        "this is not a URL",
        "write a web address that begins with https://, http:// or ftp://",
    ),
    "email": ("this is not an e-mail address", "write `NAME@DOMAIN`"),
}


def format_hint(name: str, text: str) -> tuple[str, str]:
    """Message and remedy for a text that does not have the format `name`."""
    message, remedy = _WORDS[name]
    for guess in _guesses(name, text):
        if re.search(FORMATS[name], guess):
            return message, f"write `{guess}`"
    return message, remedy


def _guesses(name: str, text: str) -> Iterator[str]:
    """What the author may have meant; the format decides whether a guess is valid."""
    text = text.strip().strip("<>\"'“”")
    if name == "uuid":
        if match := _UUID.search(text):
            yield match[0].lower()
        digits = re.sub("[^0-9A-Fa-f]", "", text)
        if len(digits) == 32:
            yield "-".join(digits[start:end] for start, end in pairwise((0, 8, 12, 16, 20, 32)))
    if name == "uri":
        yield from _urls(text)
    if name == "email":
        yield text.removeprefix("mailto:")
        if match := re.search(r"[^\s<>()]+@[^\s<>()]+", text):
            yield match[0]


def _urls(text: str) -> Iterator[str]:
    """Web addresses that a text may stand for."""
    if match := re.fullmatch(r"\[[^\]]*\]\((\S+)\)", text):  # a link of Markdown
        text = match[1]
    if match := re.fullmatch(r"(?:doi:\s*)?(10\.\d{4,9}/\S+)", text, re.ASCII | re.IGNORECASE):
        yield f"https://doi.org/{quote(match[1], safe=_SAFE)}"
        return
    text = re.sub(r"^(https?|ftp)(?::/?(?!/)|//|:///+)(?=\w)", r"\1://", text, flags=re.IGNORECASE)
    encoded = quote(re.sub("%(?![0-9A-Fa-f]{2})", "%25", text), safe=_SAFE)
    yield encoded
    if re.match(r"//[\w-]+(\.[\w-]+)+", text, re.ASCII):
        yield f"https:{encoded}"
    if re.match(r"[a-z][\w-]*(\.[\w-]+)*\.[a-z]{2,}(/|$)", text, re.ASCII | re.IGNORECASE):
        yield f"https://{encoded}"


_SAFE = "/:?#[]@!$&'()*+,;=%~"
_UUID = late_pattern(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
